import { revokeOtherSessions } from '../domain/admin-sessions.ts'
import { deleteAdminUser, requireAdminUser, updateAdminUser } from '../domain/admin-users.ts'
import type { AdminSession, AdminUser, Project } from '../store/store.ts'
import { toInput } from './frame/form.ts'
import { type Action, definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { ABOVE } from './settings/tabs.ts'

const MAX_SESSIONS = 50

type Data = {
  user: AdminUser
  projects: Pick<Project, 'id' | 'name'>[]
  sessions: AdminSession[]
  isSelf: boolean
}

/** One user: name, role and project; password, second factor, sessions; switched off, deleted. */
export const settingsUser = definePage<Data>({
  path: '/settings/users/:id',
  title: ({ user }) => user.name,
  view: 'settings-user',
  crumbs: () => [...ABOVE, { label: 'Users', href: '/admin/settings/users' }],
  needs: 'manage_users',
  load,
  actions: {
    edit: changing((form) => toInput(form, { name: 'text', role: 'text', project_id: 'text' }), 'was changed'),
    password: changing((form) => ({ password: form.raw('password') }), 'has a new password, and no session any more'),
    'switch-off': changing(() => ({ is_active: false }), 'is switched off, and signed out everywhere'),
    'switch-on': changing(() => ({ is_active: true }), 'may sign in again'),
    'remove-second-factor': changing(() => ({ second_factor: false }), 'has no second factor any more'),
    'sign-out': {
      needs: 'manage_users',
      async run({ parts, actor, params, session }) {
        const user = await requireAdminUser(parts.store, params.id!)
        const keep = user.id === session.userId ? session.id : null
        const ended = await revokeOtherSessions(parts, actor, user.id, keep)
        return { to: back(params), notice: `${user.name}: ${ended} ${ended === 1 ? 'session' : 'sessions'} ended.` }
      },
    },
    delete: {
      needs: 'manage_users',
      async run({ parts, actor, params }) {
        const { name } = await requireAdminUser(parts.store, params.id!)
        await deleteAdminUser(parts, actor, params.id!)
        return { to: '/admin/settings/users', notice: `${name} was deleted.` }
      },
    },
  },
})

function changing(toFields: (form: Parameters<Action['run']>[1]) => Record<string, unknown>, done: string): Action {
  return {
    needs: 'manage_users',
    async run({ parts, actor, params, session }, form) {
      // Who changes oneself stays signed in here.
      const user = await updateAdminUser(parts, actor, params.id!, toFields(form), session.id)
      return { to: back(params), notice: `${user.name} ${done}.` }
    },
  }
}

const back = ({ id }: Visit['params']) => `/admin/settings/users/${encodeURIComponent(id!)}`

async function load({ ctx, reads, params, user: self }: Visit): Promise<Data> {
  const user = await requireAdminUser(ctx.store, params.id!)
  const sessions = await ctx.store.adminSessions.list({ userId: user.id }, { limit: MAX_SESSIONS })
  return {
    user,
    projects: (await reads.projects()).map(({ id, name }) => ({ id, name })),
    sessions: sessions.data,
    isSelf: user.id === self.id,
  }
}
