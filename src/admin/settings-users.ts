import { createAdminUser } from '../domain/admin-users.ts'
import type { AdminUser, Project } from '../store/store.ts'
import { toInput } from './frame/form.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { ABOVE, tabsFor } from './settings/tabs.ts'

const PAGE = 100

type Data = {
  tabs: { href: string; label: string }[]
  users: AdminUser[]
  /** Names of the projects to which viewers are restricted, and what a form offers. */
  projects: Pick<Project, 'id' | 'name'>[]
  next: string | null
  isFirst: boolean
  sso: boolean
  passwords: boolean
}

export const settingsUsers = definePage<Data>({
  path: '/settings/users',
  title: 'Users',
  view: 'settings-users',
  crumbs: () => ABOVE,
  needs: 'manage_users',
  load,
  actions: {
    create: {
      needs: 'manage_users',
      async run({ parts, actor }, form) {
        const input = toInput(form, { name: 'text', role: 'text', project_id: 'text' })
        // A password counts to the last blank, and none is single sign-on alone.
        const password = form.raw('password') === '' ? null : form.raw('password')
        const user = await createAdminUser(parts, actor, { ...input, password })
        return { to: `/admin/settings/users/${user.id}`, notice: `${user.name} was created.` }
      },
    },
  },
  async csv(visit) {
    const { data } = await visit.ctx.store.adminUsers.list({ limit: MAX_CSV })
    const toIso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
    return {
      name: 'users',
      columns: ['id', 'name', 'role', 'project_id', 'is_active', 'second_factor', 'last_sign_in_at', 'created_at'],
      rows: data.map((user) => [
        user.id,
        user.name,
        user.role,
        user.projectId,
        user.isActive,
        user.totpSealed !== null,
        toIso(user.lastSignInAt),
        toIso(user.createdAt),
      ]),
    }
  },
})

const MAX_CSV = 10_000

async function load(visit: Visit): Promise<Data> {
  const { ctx, query, reads } = visit
  const after = query.text('after')
  const { data, hasMore } = await ctx.store.adminUsers.list({ limit: PAGE, ...(after !== '' && { after }) })
  return {
    tabs: tabsFor(visit),
    users: data,
    projects: (await reads.projects()).map(({ id, name }) => ({ id, name })),
    next: hasMore ? (data.at(-1)?.id ?? null) : null,
    isFirst: after === '',
    sso: ctx.config.admin.oidc !== null,
    passwords: ctx.config.admin.passwordSignIn,
  }
}
