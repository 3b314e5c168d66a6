import { chownSync, statSync } from 'node:fs'
import { setupCodeFile } from '../config/secrets.ts'
import { createAdminUser, deleteAdminUser, updateAdminUser } from '../domain/admin-users.ts'
import { presentAdminUser } from '../domain/present-admin.ts'
import type { AdminUser, Store } from '../store/store.ts'
import { CliError, noSuchProject } from './failure.ts'
import type { Io } from './io.ts'
import { gatewayUrl, loadConfiguration, openLocalStore } from './local.ts'
import { cliActor } from './store-admin.ts'

export type AdminUserView = ReturnType<typeof presentAdminUser>

type NewUser = { name: string; role: string | undefined; project: string | undefined; password: string | null }

/** The users of the admin console in the database in DATA_DIR. Users are named by id or name. Throws `CliError`, `GatewayError`, `StoreError`. */
export async function openAdminUsers(io: Io, { create = false } = {}) {
  const { config } = await loadConfiguration(io)
  const store = await openLocalStore(config, { create })
  const parts = { store, now: io.now }
  const actor = cliActor()
  const file = setupCodeFile(config.dataDir)

  return {
    close: () => store.close(),
    find: async (wanted: string) => presentAdminUser(await find(store, wanted)),
    list: () => listAll(store),

    async create({ name, role, project, password }: NewUser): Promise<AdminUserView> {
      const isFirst = (await store.adminUsers.count()) === 0
      const fields = { name, role: role ?? (isFirst ? 'owner' : 'viewer'), password }
      const projectId = project === undefined ? null : await projectIdOf(store, project)
      const user = await createAdminUser(parts, actor, { ...fields, project_id: projectId })
      file.remove()
      return presentAdminUser(user)
    },

    async update(wanted: string, fields: object): Promise<AdminUserView> {
      const { id } = await find(store, wanted)
      return presentAdminUser(await updateAdminUser(parts, actor, id, fields))
    },

    async remove(id: string): Promise<void> {
      await deleteAdminUser(parts, actor, id)
    },

    async setupLink(): Promise<string> {
      const { enabled, passwordSignIn, publicUrl } = config.admin
      if (!enabled) throw new CliError('The admin console is switched off (ADMIN_CONSOLE).')
      if (!passwordSignIn)
        throw new CliError('Nobody signs in with a password here (ADMIN_PASSWORD_SIGN_IN): use single sign-on.')
      if ((await store.adminUsers.count()) > 0)
        throw new CliError('There is an admin user already: "llm-proxy admin create" makes another.')
      const code = file.ensure()
      leaveToGateway(file.path, config.dataDir)
      return `${publicUrl ?? gatewayUrl(config) ?? 'http://127.0.0.1:<port>'}/admin/setup?code=${code}`
    },
  }
}

async function find(store: Store, wanted: string): Promise<AdminUser> {
  const user = (await store.adminUsers.get(wanted)) ?? (await store.adminUsers.findByName(wanted))
  if (user === null) throw new CliError('There is no such admin user: "llm-proxy admin list" shows those there are.')
  return user
}

async function listAll(store: Store): Promise<AdminUserView[]> {
  const users: AdminUserView[] = []
  for (let after: string | undefined; ; ) {
    const { data, hasMore } = await store.adminUsers.list({ limit: 200, after })
    users.push(...data.map(presentAdminUser))
    if (!hasMore) return users
    after = data.at(-1)!.id
  }
}

async function projectIdOf({ projects }: Store, wanted: string): Promise<string> {
  const project = (await projects.get(wanted)) ?? (await projects.findByName(wanted))
  if (project === null) throw noSuchProject()
  return project.id
}

/** What root writes into the folder of the gateway's user has to be that user's. */
function leaveToGateway(path: string, folder: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  chownSync(path, uid, gid)
}
