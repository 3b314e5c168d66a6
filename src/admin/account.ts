import { revokeOtherSessions, revokeSession } from '../domain/admin-sessions.ts'
import { changeOwnPassword } from '../domain/admin-users.ts'
import { provePassword } from '../domain/prove.ts'
import { confirmTotp, endTotp } from '../domain/totp.ts'
import { validationError } from '../domain/validate.ts'
import { GatewayError } from '../errors.ts'
import type { AdminSession } from '../store/store.ts'
import { beginEnrolment, type Enrolment, openEnrolment } from './account/second-factor.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { browserName } from './settings/browser-name.ts'

const PATH = '/admin/account'
const MAX_SESSIONS = 50

type Data = {
  sessions: { session: AdminSession; browser: string }[]
  /** Of one that was not confirmed: the same is shown again. */
  enrolment: Enrolment | null
  /** A second factor guards passwords. */
  passwords: boolean
}

/** One's own: password, second factor, sessions. */
export const account = definePage<Data>({
  path: '/account',
  title: 'Your account',
  view: 'account',
  load,
  actions: {
    password: {
      needs: 'read',
      async run({ ctx, parts, actor, user, session }, form) {
        const [current, wanted, again] = ['current_password', 'new_password', 'new_password_again'].map((name) =>
          form.raw(name),
        )
        if (wanted !== again) throw validationError([{ field: 'new_password_again', reason: 'is not the same' }])
        const input = { current_password: current, new_password: wanted }
        await changeOwnPassword({ ...parts, throttle: ctx.admin.throttle }, actor, user, input, session.id)
        return { to: PATH, notice: 'Your password was changed. You are signed out everywhere else.' }
      },
    },
    'second-factor-begin': { needs: 'read', run: async (visit) => ({ shown: await beginEnrolment(visit) }) },
    'second-factor-confirm': {
      needs: 'read',
      async run(visit, form) {
        const enrolment = openEnrolment(visit, form.raw('pending'))
        if (enrolment === null)
          throw new GatewayError('invalid_request', { message: 'That took too long. Begin again.' })
        const { ctx, parts, actor, user } = visit
        // A session that was left open must not lock its owner out.
        if (user.passwordHash !== null) await provePassword(ctx.admin, user, form.raw('password'), actor.ip, 'password')
        return { shown: await confirmTotp(parts, actor, user, enrolment.secret, form.text('code')) }
      },
    },
    'second-factor-remove': {
      needs: 'read',
      async run({ ctx, parts, actor, user }, form) {
        await endTotp({ ...parts, throttle: ctx.admin.throttle }, actor, user, form.raw('password'))
        return { to: PATH, notice: 'The second factor is off: your password alone is enough now.' }
      },
    },
    'end-session': {
      needs: 'read',
      async run({ ctx, parts, actor, user }, form) {
        const id = form.text('id')
        const { data } = await ctx.store.adminSessions.list({ userId: user.id }, { limit: MAX_SESSIONS })
        // Those of others are none of one's business: as if they were not there.
        const ended = data.some((own) => own.id === id) && (await revokeSession(parts, actor, id))
        return { to: PATH, notice: ended ? 'The session is ended.' : 'The session had ended already.' }
      },
    },
    'end-others': {
      needs: 'read',
      async run({ parts, actor, user, session }) {
        const ended = await revokeOtherSessions(parts, actor, user.id, session.id)
        return { to: PATH, notice: `Signed out everywhere else (${ended}).` }
      },
    },
  },
})

async function load(visit: Visit): Promise<Data> {
  const { ctx, user, failure } = visit
  const { data } = await ctx.store.adminSessions.list({ userId: user.id }, { limit: MAX_SESSIONS })
  const { pending } = failure?.values ?? {}
  return {
    sessions: data.map((session) => ({ session, browser: browserName(session.userAgent) })),
    enrolment: pending === undefined ? null : openEnrolment(visit, pending),
    passwords: ctx.config.admin.passwordSignIn,
  }
}
