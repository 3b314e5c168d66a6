import { formatUsd } from '../money.ts'
import type { Project, UsageReportRow } from '../store/store.ts'
import { type BudgetRow, fullestBudgets } from './access/budget-rows.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { periodOf } from './periods.ts'

const PAGE = 50

type Row = { project: Project; usage: UsageReportRow | null; tokens: number }
type Data = {
  rows: (Row & { budget: BudgetRow | null })[]
  /** Of all that were found. */
  found: number
  search: string
  sort: Sort
  /** The cursor of the next page: how many rows come before it. */
  next: string | null
  isFirst: boolean
}

export const projects = definePage<Data>({
  path: '/projects',
  title: 'Projects',
  view: 'projects',
  nav: { icon: 'projects', key: 'p', group: 'Give access' },
  async load(visit) {
    const { query, reads } = visit
    const { rows, sort, search } = await readRows(visit)
    const begin = Math.max(0, Number.parseInt(query.text('after'), 10) || 0)
    const shown = rows.slice(begin, begin + PAGE)
    const budgets = await fullestBudgets(
      reads,
      shown.map(({ project }) => project),
    )
    return {
      rows: shown.map((row) => ({ ...row, budget: budgets.get(row.project.id) ?? null })),
      found: rows.length,
      search,
      sort,
      next: begin + PAGE < rows.length ? String(begin + PAGE) : null,
      isFirst: begin === 0,
    }
  },
  async csv(visit) {
    const { rows } = await readRows(visit)
    return {
      name: 'projects',
      columns: ['id', 'name', 'is_active', 'created_at', 'tokens', 'requests_30d', 'errors_30d', 'cost_usd_30d'],
      rows: rows.map(({ project, usage, tokens }) => [
        project.id,
        project.name,
        project.isActive,
        new Date(project.createdAt).toISOString(),
        tokens,
        usage?.requests ?? 0,
        usage?.errors ?? 0,
        formatUsd(usage?.costNanoUsd ?? 0n),
      ]),
    }
  },
})

/** By name in rising order, all others in falling. */
const BY = {
  name: (a: Row, b: Row) => a.project.name.localeCompare(b.project.name),
  spend: (a: Row, b: Row) => compare(b.usage?.costNanoUsd ?? 0n, a.usage?.costNanoUsd ?? 0n),
  requests: (a: Row, b: Row) => (b.usage?.requests ?? 0) - (a.usage?.requests ?? 0),
  errors: (a: Row, b: Row) => (b.usage?.errors ?? 0) - (a.usage?.errors ?? 0),
  tokens: (a: Row, b: Row) => b.tokens - a.tokens,
  created: (a: Row, b: Row) => b.project.createdAt - a.project.createdAt,
}
type SortName = keyof typeof BY
type Sort = { by: SortName; isReversed: boolean }

async function readRows({ reads, query, now }: Visit): Promise<{ rows: Row[]; sort: Sort; search: string }> {
  const search = query.text('q')
  const sort = sortOf(query.text('sort'))
  const { from, to } = periodOf('30d', now)
  const [all, usage, tokens] = await Promise.all([
    reads.projects(),
    reads.usage({ groupBy: ['project'], filter: { from, to }, times: false }),
    reads.tokenCounts(),
  ])
  const byProject = new Map(usage.rows.map((row) => [row.keys[0], row]))
  const wanted = search.toLowerCase()
  const rows = all
    .filter(({ name, id }) => name.toLowerCase().includes(wanted) || id === search)
    .map((project) => ({
      project,
      usage: byProject.get(project.id) ?? null,
      tokens: tokens.get(project.id) ?? 0,
    }))
    .sort((a, b) => BY[sort.by](a, b) || BY.name(a, b))
  if (sort.isReversed) rows.reverse()
  return { rows, sort, search }
}

/** `spend`, or `-spend` the other way round. */
function sortOf(text: string): Sort {
  const name = text.replace(/^-/, '')
  return Object.hasOwn(BY, name)
    ? { by: name as SortName, isReversed: text.startsWith('-') }
    : { by: 'spend', isReversed: false }
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0)
