import type { UsageFilter, UsageGroup } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'
import { findProject } from '../requests/filter.ts'
import { type ReportPeriod, readPeriod } from './period.ts'

export const GROUPS = [
  ['token', 'Token'],
  ['project', 'Project'],
  ['model', 'Model'],
  ['provider', 'Provider'],
  ['endpoint', 'Endpoint'],
  ['status', 'Status'],
  ['day', 'Day'],
  ['hour', 'Hour'],
] as const

export const MEASURES = [
  ['spend', 'Spend'],
  ['requests', 'Requests'],
  ['tokens', 'Tokens'],
  ['errors', 'Errors'],
  ['latency', 'Latency, p50'],
] as const
export type Measure = (typeof MEASURES)[number][0]

/** What an address asks of the report. */
export type Question = {
  period: ReportPeriod
  /** What rows are of: one thing, or each pair of two. */
  groups: UsageGroup[]
  filter: UsageFilter
  measure: Measure
  sort: { by: SortName; isUp: boolean }
}
export type AskedUsage = {
  /** Null: something cannot be meant so, see `problems`. */
  question: Question | null
  problems: Record<string, string>
  values: Record<(typeof FIELDS)[number], string>
}

export const SORTS = ['name', 'spend', 'requests', 'tokens', 'errors', 'latency'] as const
export type SortName = (typeof SORTS)[number]

const FIELDS = ['by', 'and', 'period', 'from', 'to', 'project', 'model', 'provider', 'measure'] as const
const MAX_TEXT = 200
/** Rows of more hours would fill the page with other things. */
const MAX_HOURS_MS = 31 * 86_400_000

/** What is wrong is told at its field, and nothing is summed up then. */
export async function readQuestion({ query, reads, now }: Visit): Promise<AskedUsage> {
  const typed = Object.fromEntries(
    FIELDS.map((name) => [name, query.text(name).slice(0, MAX_TEXT)]),
  ) as AskedUsage['values']
  const { period, problems, values: times } = readPeriod(query, now)
  const by = typed.by === '' ? 'model' : typed.by
  for (const [field, group] of [
    ['by', by],
    ['and', typed.and],
  ] as const)
    if (group !== '' && !isGroup(group))
      problems[field] = `must be one of ${GROUPS.map(([name]) => name).join(', ')}, or metadata.<key>`
  if (typed.and === by) problems.and = 'must be something else than the rows'
  if (period && [by, typed.and].includes('hour') && period.to - period.from > MAX_HOURS_MS)
    problems.by = 'by the hour goes for 31 days at the most'
  const project = await findProject(typed.project, reads)
  if (project === null) problems.project = 'is no project that you can see'
  const measure = MEASURES.find(([name]) => name === typed.measure)?.[0] ?? 'spend'
  const values = { ...typed, ...times, by, measure, period: period?.name ?? 'custom' }
  if (period === null || Object.keys(problems).length > 0) return { question: null, problems, values }
  const groups = [by, typed.and].filter((group) => group !== '') as UsageGroup[]
  const filter: UsageFilter = {
    from: period.from,
    to: period.to,
    ...(project != null && { projectId: project }),
    ...(typed.model !== '' && { model: typed.model }),
    ...(typed.provider !== '' && { provider: typed.provider }),
  }
  return { question: { period, groups, filter, measure, sort: readSort(query.text('sort'), groups) }, problems, values }
}

export const isTime = (group: UsageGroup): group is 'day' | 'hour' => group === 'day' || group === 'hour'

/** `sort=requests`, the largest first; `sort=-requests` the other way round. */
function readSort(text: string, groups: UsageGroup[]): Question['sort'] {
  const by = SORTS.find((name) => name === text.replace(/^-/, ''))
  if (by !== undefined) return { by, isUp: text.startsWith('-') }
  return groups.some(isTime) ? { by: 'name', isUp: true } : { by: 'spend', isUp: false }
}

const isGroup = (text: string) => GROUPS.some(([name]) => name === text) || /^metadata\.[^,]{1,100}$/.test(text)
