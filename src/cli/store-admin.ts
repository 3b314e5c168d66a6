import { hostname, userInfo } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Actor } from '../domain/audit.ts'
import { ensureDefaultProject } from '../domain/default-project.ts'
import { requireToken } from '../domain/find.ts'
import type { Parts } from '../domain/parts.ts'
import { presentProject, presentProviderKey, presentToken, presentUsage } from '../domain/present.ts'
import { createProject, deleteProject, updateProject } from '../domain/projects.ts'
import { addProviderKey, deleteProviderKey } from '../domain/provider-keys.ts'
import { listRoutes } from '../domain/routes.ts'
import type { Sealer } from '../domain/secrets.ts'
import { createToken, deleteToken, revokeProjectTokens, revokeToken, updateToken } from '../domain/tokens.ts'
import { hasSharedKey, providerNamesOf } from '../providers/index.ts'
import type { PageOf, Project, Store } from '../store/store.ts'
import { VERSION } from '../version.ts'
import type { Admin, List } from './client.ts'
import { CliError, noSuchProject } from './failure.ts'
import type { Io } from './io.ts'
import { gatewayUrl, loadConfiguration, openLocalStore, openSealer } from './local.ts'

/** Works on the database in DATA_DIR; a gateway that runs on it sees each change with its next request. */
export async function openStoreAdmin(io: Io, { create }: { create: boolean }): Promise<Admin> {
  const { config } = await loadConfiguration(io)
  const store = await openLocalStore(config, { create })
  return createStoreAdmin({ config, store, actor: cliActor(), now: io.now })
}

/** Who the audit log names for what is done here. */
export function cliActor(): Actor {
  return { name: 'cli', ip: null, userAgent: `llm-proxy-cli/${VERSION} (${userName()}@${hostname()})` }
}

type Given = { config: Config; store: Store; actor: Actor; now(): number }

function createStoreAdmin({ config, store, actor, now }: Given): Admin {
  const parts = (sealer: Sealer): Parts => ({
    store,
    sealer,
    now,
    providerNames: providerNamesOf(config),
    defaultProvider: config.defaultProvider,
  })
  const withKeys = async (project: Project) =>
    presentProject(project, await store.providerKeys.listByProject(project.id))

  return {
    async listProjects(page) {
      const { data, hasMore } = await store.projects.list(page)
      return toList({ data: await Promise.all(data.map(withKeys)), hasMore })
    },
    async findProject(idOrName) {
      const project = (await store.projects.get(idOrName)) ?? (await store.projects.findByName(idOrName))
      if (project === null) throw noSuchProject()
      return withKeys(project)
    },
    defaultProject: async () => withKeys(await ensureDefaultProject(store, now)),
    async createProject(fields) {
      const sealer = fields.provider_keys ? await openSealer(config, store) : NO_SEALER
      const { project, keys } = await createProject(parts(sealer), actor, fields)
      return presentProject(project, keys)
    },
    updateProject: async (id, fields) => withKeys(await updateProject({ store, now }, actor, id, fields)),
    async deleteProject(id) {
      await deleteProject({ store, now }, actor, id)
    },
    addProviderKey: async (projectId, fields) =>
      presentProviderKey(await addProviderKey(parts(await openSealer(config, store)), actor, projectId, fields)),
    async deleteProviderKey(projectId, keyId) {
      await deleteProviderKey({ store, now }, actor, projectId, keyId)
    },
    async listTokens({ projectId, activeOnly }, page) {
      const filter = { projectId, state: activeOnly ? ('active' as const) : undefined, now: now() }
      const { data, hasMore } = await store.tokens.list(filter, page)
      return toList({ data: data.map(presentToken), hasMore })
    },
    getToken: async (id) => presentToken(await requireToken(store, id)),
    async createToken(fields) {
      const { token, secret } = await createToken({ store, now }, actor, fields)
      return { ...presentToken(token), token: secret }
    },
    updateToken: async (id, fields) => presentToken(await updateToken({ store, now }, actor, id, fields)),
    revokeToken: async (id) => presentToken(await revokeToken({ store, now }, actor, id)),
    revokeProjectTokens: (projectId) => revokeProjectTokens({ store, now }, actor, projectId),
    async deleteToken(id) {
      await deleteToken({ store, now }, actor, id)
    },
    async explain() {
      throw new CliError('Where a request would go only a running gateway knows: say which with --url.')
    },
    listRoutes: () => listRoutes({ store, fileRoutes: () => config.routing.routes }),
    async listPrices(filter) {
      // Half a megabyte that the other commands do without.
      const { createPrices } = await import('../usage/prices/prices.ts')
      const { presentPrice } = await import('../usage/prices/present.ts')
      return createPrices(config.prices)
        .list({ ...filter, at: now() })
        .map(presentPrice)
    },
    async reprice(fields) {
      const { createPrices } = await import('../usage/prices/prices.ts')
      const { repriceRows } = await import('../usage/maintenance/reprice.ts')
      const { createRepricer } = await import('../usage/maintenance/repricer.ts')
      const prices = createPrices(config.prices)
      const { reprice } = createRepricer({ store, now, run: (query) => repriceRows(store.ledger, prices, query) })
      return reprice(actor, fields)
    },
    async usage({ groupBy: groups, ...filter }) {
      const groupBy = [...groups]
      const { rows } = await store.ledger.usage({ groupBy, filter })
      return rows.map((row) => presentUsage(row, groupBy))
    },
    async firstRequest() {
      const url = gatewayUrl(config) ?? 'http://127.0.0.1:<port>'
      if (config.demo !== 'auto') return { url, demo: config.demo }
      return { url, demo: !hasSharedKey(config) && (await store.providerKeys.count()) === 0 }
    },
    close: () => store.close(),
  }
}

/** For what seals nothing: so that a look at the encryption key, or the making of one, waits until it is needed. */
const NO_SEALER: Sealer = {
  keyId: '',
  seal() {
    throw new Error('unused')
  },
  open() {
    throw new Error('unused')
  },
}

function toList<T extends { id: string }>({ data, hasMore }: PageOf<T>): List<T> {
  return { data, has_more: hasMore, next_cursor: hasMore ? (data.at(-1)?.id ?? null) : null }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
