import { listBudgets } from '../../domain/budget-states.ts'
import { everyPage } from '../../domain/every-page.ts'
import { requireProject, requireToken } from '../../domain/find.ts'
import { GatewayError } from '../../errors.ts'
import type {
  LedgerRow,
  Page,
  PageOf,
  Project,
  ProviderKey,
  RequestFilter,
  Store,
  Token,
  TokenFilter,
  UsageQuery,
  UsageReport,
} from '../../store/store.ts'
import type { BudgetState, Budgets } from '../../usage/budgets.ts'

/**
 * What a visitor may read of projects, and the only way in which pages read it. Who is restricted to one project is told of nothing
 * else: other projects are not in lists and sums, and asked for by name they are `not_found`, as if they were not there.
 */
export type Reads = {
  /** The one project that the visitor is restricted to; null: all of them. */
  only: string | null
  /** Newest first, `MAX_PROJECTS` at the most. */
  projects(): Promise<Project[]>
  project(id: string): Promise<Project>
  providerKeys(projectId: string): Promise<ProviderKey[]>
  providerKey(id: string): Promise<ProviderKey>
  /** Of all projects that the visitor may see, oldest first, `MAX_KEYS` at the most. */
  keysOfProvider(provider: string): Promise<ProviderKey[]>
  countKeysByProvider(): Promise<Map<string, number>>
  tokens(filter: Omit<TokenFilter, 'now'>, page: Page): Promise<PageOf<Token>>
  token(id: string): Promise<Token>
  /** How many tokens each project has; none: it is not in the map. */
  tokenCounts(projectId?: string): Promise<Map<string, number>>
  requests(filter: RequestFilter, page: Page): Promise<PageOf<LedgerRow>>
  request(id: string): Promise<LedgerRow>
  usage(query: UsageQuery): Promise<UsageReport>
  budgets(filter: { projectId?: string; tokenId?: string }): Promise<BudgetState[]>
  /** Of these alone, which were read here: not of the tokens of a project. */
  budgetsOf(owners: readonly (Project | Token)[]): Promise<BudgetState[]>
}

/** More than anybody scrolls through; beyond, search and the API find a project. */
export const MAX_PROJECTS = 2000
const PAGE = 200
export const MAX_KEYS = 200

type Sources = {
  store: Pick<Store, 'projects' | 'providerKeys' | 'tokens' | 'ledger'>
  budgets: Budgets
  now(): number
}

export function createReads({ store, budgets, now }: Sources, only: string | null): Reads {
  const isVisible = (projectId: string | null) => only === null || projectId === only
  const scoped = <F extends { projectId?: string }>(filter: F): F => {
    if (only === null) return filter
    if (filter.projectId !== undefined && filter.projectId !== only) throw absent('project')
    return { ...filter, projectId: only }
  }
  const project = async (id: string) => {
    if (!isVisible(id)) throw absent('project')
    return requireProject(store, id)
  }
  const token = async (id: string) => {
    const found = await requireToken(store, id)
    if (!isVisible(found.projectId)) throw absent('token')
    return found
  }
  return {
    only,
    project,
    token,
    async projects() {
      if (only !== null) return [await requireProject(store, only)]
      return everyPage(store.projects.list, ({ id }) => id, { limit: PAGE, most: MAX_PROJECTS })
    },
    async providerKeys(projectId) {
      if (!isVisible(projectId)) throw absent('project')
      return store.providerKeys.listByProject(projectId)
    },
    async providerKey(id) {
      const found = await store.providerKeys.get(id)
      if (found === null || !isVisible(found.projectId)) throw absent('key')
      return found
    },
    async keysOfProvider(provider) {
      if (only === null) return store.providerKeys.listByProvider(provider, MAX_KEYS)
      return (await store.providerKeys.listByProject(only)).filter((key) => key.provider === provider)
    },
    async countKeysByProvider() {
      if (only === null) return store.providerKeys.countByProvider()
      const own = Map.groupBy(await store.providerKeys.listByProject(only), ({ provider }) => provider)
      return new Map([...own].map(([provider, keys]) => [provider, keys.length]))
    },
    tokens: async (filter, page) => store.tokens.list({ ...scoped(filter), now: now() }, page),
    async tokenCounts(projectId) {
      const { projectId: asked } = scoped(projectId === undefined ? {} : { projectId })
      return store.tokens.countByProject(asked)
    },
    requests: async (filter, page) => store.ledger.list(scoped(filter), page),
    async request(id) {
      const row = await store.ledger.get(id)
      if (row === null || !isVisible(row.projectId)) throw absent('request')
      return row
    },
    usage: async ({ filter, ...query }) => store.ledger.usage({ ...query, filter: scoped(filter) }),
    async budgets({ tokenId, projectId }) {
      if (tokenId !== undefined) await token(tokenId)
      if (tokenId !== undefined) return listBudgets({ store, budgets, now }, { tokenId })
      return listBudgets({ store, budgets, now }, scoped({ ...(projectId !== undefined && { projectId }) }))
    },
    async budgetsOf(owners) {
      const states = owners
        .filter((owner) => isVisible('projectId' in owner ? owner.projectId : owner.id))
        .map((owner) =>
          budgets.states(
            { kind: 'projectId' in owner ? 'token' : 'project', id: owner.id },
            owner.budgets ?? [],
            now(),
          ),
        )
      return (await Promise.all(states)).flat()
    },
  }
}

const absent = (what: string) => new GatewayError('not_found', { message: `There is no such ${what}.` })
