import { revokeOtherSessions, revokeSession } from '../domain/admin-sessions.ts'
import type { AdminSession, AdminUser } from '../store/store.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { browserName } from './settings/browser-name.ts'
import { ABOVE, tabsFor } from './settings/tabs.ts'

const PAGE = 100

type Data = {
  tabs: { href: string; label: string }[]
  rows: { session: AdminSession; user: AdminUser | null; browser: string; isOver: boolean }[]
  next: string | null
  isFirst: boolean
}

/** Who is signed in, from where. */
export const settingsSessions = definePage<Data>({
  path: '/settings/sessions',
  title: 'Sessions',
  view: 'settings-sessions',
  crumbs: () => ABOVE,
  needs: 'manage_users',
  load,
  actions: {
    revoke: {
      needs: 'manage_users',
      async run({ parts, actor }, form) {
        const ended = await revokeSession(parts, actor, form.text('id'))
        return { to: PATH, notice: ended ? 'The session is ended.' : 'The session had ended already.' }
      },
    },
    'revoke-others': {
      needs: 'manage_users',
      async run({ parts, actor, session }) {
        let ended = 0
        for (const user of await everybody(parts.store.adminUsers)) {
          const keep = user.id === session.userId ? session.id : null
          const { data } = await parts.store.adminSessions.list({ userId: user.id }, { limit: 2 })
          if (data.some(({ id }) => id !== keep)) ended += await revokeOtherSessions(parts, actor, user.id, keep)
        }
        return {
          to: PATH,
          notice: `${ended} ${ended === 1 ? 'session' : 'sessions'} ended. You are still signed in here.`,
        }
      },
    },
  },
  async csv(visit) {
    const { rows } = await load(visit)
    return {
      name: 'sessions',
      columns: ['id', 'user', 'method', 'ip', 'user_agent', 'created_at', 'last_seen_at', 'expires_at'],
      rows: rows.map(({ session, user }) => [
        session.id,
        user?.name ?? session.userId,
        session.method,
        session.ip,
        session.userAgent,
        ...[session.createdAt, session.lastSeenAt, session.expiresAt].map((at) => new Date(at).toISOString()),
      ]),
    }
  },
})

const PATH = '/admin/settings/sessions'

async function everybody(users: Visit['ctx']['store']['adminUsers']): Promise<AdminUser[]> {
  const found: AdminUser[] = []
  for (let after: string | undefined, more = true; more; ) {
    const { data, hasMore } = await users.list({ limit: PAGE, ...(after !== undefined && { after }) })
    found.push(...data)
    after = data.at(-1)?.id
    more = hasMore && after !== undefined
  }
  return found
}

async function load(visit: Visit): Promise<Data> {
  const { ctx, query, now } = visit
  const after = query.text('after')
  const { data, hasMore } = await ctx.store.adminSessions.list({}, { limit: PAGE, ...(after !== '' && { after }) })
  const ids = [...new Set(data.map(({ userId }) => userId))]
  const users = new Map(await Promise.all(ids.map(async (id) => [id, await ctx.store.adminUsers.get(id)] as const)))
  const { idleMs } = ctx.admin.sessionLimits
  return {
    tabs: tabsFor(visit),
    rows: data.map((session) => ({
      session,
      user: users.get(session.userId) ?? null,
      browser: browserName(session.userAgent),
      isOver: session.expiresAt <= now || session.lastSeenAt + idleMs <= now,
    })),
    next: hasMore ? (data.at(-1)?.id ?? null) : null,
    isFirst: after === '',
  }
}
