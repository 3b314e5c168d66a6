import { listBudgets } from '../../domain/budget-states.ts'
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
  TokenName,
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
  tokens(filter: Omit<TokenFilter, 'now'>, page: Page): Promise<PageOf<Token>>
  token(id: string): Promise<Token>
  /** Of those that are there. */
  tokenNames(ids: readonly string[]): Promise<TokenName[]>
  requests(filter: RequestFilter, page: Page): Promise<PageOf<LedgerRow>>
  request(id: string): Promise<LedgerRow>
  usage(query: UsageQuery): Promise<UsageReport>
  budgets(filter: { projectId?: string; tokenId?: string }): Promise<BudgetState[]>
}

/** More than anybody scrolls through; beyond, search and the API find a project. */
export const MAX_PROJECTS = 2000
const PAGE = 200

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
      const found: Project[] = []
      for (let after: string | undefined; found.length < MAX_PROJECTS; ) {
        const { data, hasMore } = await store.projects.list({ limit: PAGE, ...(after !== undefined && { after }) })
        found.push(...data)
        after = data.at(-1)?.id
        if (!hasMore || after === undefined) break
      }
      return found
    },
    async providerKeys(projectId) {
      if (!isVisible(projectId)) throw absent('project')
      return store.providerKeys.listByProject(projectId)
    },
    tokens: async (filter, page) => store.tokens.list({ ...scoped(filter), now: now() }, page),
    tokenNames: async (ids) => (await store.tokens.names(ids)).filter(({ projectId }) => isVisible(projectId)),
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
  }
}

const absent = (what: string) => new GatewayError('not_found', { message: `There is no such ${what}.` })
