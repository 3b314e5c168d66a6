import { everyPage } from '../domain/every-page.ts'
import type { Project, Token, TokenFilter, TokenState } from '../store/store.ts'
import { type BudgetRow, fullestBudgets } from './access/budget-rows.ts'
import { projectChoices } from './access/project-choice.ts'
import { type ShownState, stateOf } from './access/token-state.ts'
import { budgetShare } from './budget-share.ts'
import { definePage } from './frame/page.ts'
import type { Reads } from './frame/reads.ts'
import type { Visit } from './frame/visit.ts'

const PAGE = 50
const CSV_PAGE = 1000
const MAX_CSV_ROWS = 20_000
const SOON_MS = 7 * 86_400_000
const NEARLY_SPENT = 0.8

const STATES: readonly TokenState[] = ['active', 'expired', 'off', 'revoked']

type Row = { token: Token; project: Project | null; state: ShownState; budget: BudgetRow | null }
type Data = {
  rows: Row[]
  next: string | null
  isFirst: boolean
  isFiltered: boolean
  asked: Asked
  projects: [id: string, name: string][]
  maxCsvRows: number
}

/** What the address asks for. */
type Asked = { search: string; project: string; state: TokenState | ''; isExpiring: boolean; isNearlySpent: boolean }

export const tokens = definePage<Data>({
  path: '/tokens',
  title: 'Tokens',
  view: 'tokens',
  nav: { icon: 'tokens', key: 't', group: 'Give access' },
  async load({ reads, query, now }) {
    const asked = askedBy(query)
    const after = query.text('after')
    const page = { limit: PAGE, ...(after !== '' && { after }) }
    const [projects, { data, hasMore }] = await Promise.all([
      reads.projects(),
      reads.tokens(await toFilter(asked, reads, now), page),
    ])
    const byId = new Map(projects.map((project) => [project.id, project]))
    const budgets = await fullestBudgets(reads, data)
    return {
      rows: data.map((token) => {
        const project = byId.get(token.projectId) ?? null
        return { token, project, state: stateOf(token, project, now), budget: budgets.get(token.id) ?? null }
      }),
      next: hasMore ? (data.at(-1)?.id ?? null) : null,
      isFirst: after === '',
      isFiltered: Object.values(asked).some(Boolean),
      asked,
      projects: projectChoices(projects, asked.project),
      maxCsvRows: MAX_CSV_ROWS,
    }
  },
  async csv({ reads, query, now }) {
    const filter = await toFilter(askedBy(query), reads, now)
    const projects = new Map((await reads.projects()).map((project) => [project.id, project]))
    const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
    const rows = (await everyToken(reads, filter)).map((token) => {
      const project = projects.get(token.projectId) ?? null
      return [
        token.id,
        token.name,
        token.last4,
        token.projectId,
        project?.name ?? null,
        stateOf(token, project, now).label,
        token.requestCount,
        token.maxRequests,
        iso(token.lastUsedAt),
        iso(token.expiresAt),
        iso(token.createdAt),
      ]
    })
    const columns = 'id name last4 project_id project state requests max_requests last_used_at expires_at created_at'
    return { name: 'tokens', columns: columns.split(' '), rows }
  },
})

function askedBy(query: Visit['query']): Asked {
  const isExpiring = query.checked('expiring')
  const state = STATES.find((one) => one === query.text('state'))
  return {
    search: query.text('q').slice(0, 200),
    project: query.text('project'),
    // What has ended already ends no more.
    state: state ?? (isExpiring ? 'active' : ''),
    isExpiring,
    isNearlySpent: query.checked('spent'),
  }
}

async function toFilter(asked: Asked, reads: Reads, now: number): Promise<Omit<TokenFilter, 'now'>> {
  const { search, project, state, isExpiring, isNearlySpent } = asked
  const ofProject = project === '' ? {} : { projectId: project }
  return {
    ...ofProject,
    ...(search !== '' && { search }),
    ...(state !== '' && { state }),
    ...(isExpiring && { expiresBefore: now + SOON_MS }),
    ...(isNearlySpent && { ids: await nearlySpent(reads, ofProject) }),
  }
}

async function nearlySpent(reads: Reads, ofProject: { projectId?: string }): Promise<string[]> {
  const states = await reads.budgets(ofProject)
  const near = states.filter((state) => state.owner.kind === 'token' && budgetShare(state) > NEARLY_SPENT)
  return [...new Set(near.map(({ owner }) => owner.id))]
}

const everyToken = (reads: Reads, filter: Omit<TokenFilter, 'now'>): Promise<Token[]> =>
  everyPage(
    (page) => reads.tokens(filter, page),
    ({ id }) => id,
    { limit: CSV_PAGE, most: MAX_CSV_ROWS },
  )
