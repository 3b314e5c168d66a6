import { GatewayError } from '../errors.ts'
import { definePage } from './frame/page.ts'
import type { Reads } from './frame/reads.ts'
import type { Visit } from './frame/visit.ts'
import { type Chart, groupsAlongTime, readChart } from './usage/chart.ts'
import { usageCsv } from './usage/csv.ts'
import { type Forecast, readForecast } from './usage/forecast.ts'
import { PERIODS } from './usage/period.ts'
import { type AskedUsage, GROUPS, MEASURES, readQuestion } from './usage/question.ts'
import { type Report, readReport } from './usage/report.ts'
import { readUnpriced, type Unpriced } from './usage/unpriced.ts'

type Data = {
  asked: AskedUsage
  groups: readonly (readonly [string, string])[]
  measures: typeof MEASURES
  periods: typeof PERIODS
  projects: string[]
  /** Null where the question could not be meant so. */
  report: Report | null
  chart: Chart | null
  forecast: Forecast | null
  /** Null: the page is not about them. */
  unpriced: Unpriced | null
}

/** The newest tokens, whose metadata says what can be grouped by. */
const TOKENS_LOOKED_AT = 200
const MAX_KEYS = 20
const MAX_PROJECTS = 200

/** What was used, by whatever one likes: a table, a chart, and what the month will come to. */
export const usage = definePage<Data>({
  path: '/usage',
  title: 'Usage',
  view: 'usage',
  nav: { icon: 'usage', key: 'u', group: 'Watch' },
  async load(visit) {
    const { reads } = visit
    const [asked, keys, projects] = await Promise.all([readQuestion(visit), metadataKeys(reads), reads.projects()])
    return {
      asked,
      groups: [...GROUPS, ...keys.map((key) => [`metadata.${key}`, `Metadata: ${key}`] as const)],
      measures: MEASURES,
      periods: PERIODS,
      projects: projects.slice(0, MAX_PROJECTS).map(({ name }) => name),
      ...(await readAnswer(visit, asked)),
    }
  },
  async csv(visit) {
    const { question, problems } = await readQuestion(visit)
    if (question !== null) return usageCsv(visit.reads, question)
    const told = Object.entries(problems).map(([field, reason]) => `${field} ${reason}`)
    throw new GatewayError('validation_failed', { message: `${told.join('; ')}.` })
  },
})

type Answer = Pick<Data, 'report' | 'chart' | 'forecast' | 'unpriced'>

async function readAnswer({ reads, query, now }: Visit, { question }: AskedUsage): Promise<Answer> {
  const nothing: Answer = { report: null, chart: null, forecast: null, unpriced: null }
  if (question === null) return nothing
  const { from: _from, to: _to, ...filter } = question.filter
  if (query.checked('unpriced')) return { ...nothing, unpriced: await readUnpriced(reads, question.filter) }
  const { period } = question
  const report = await readReport(reads, question)
  const { rows: whole } = await reads.usage({
    groupBy: groupsAlongTime(question, report),
    filter: question.filter,
    times: question.measure === 'latency',
  })
  const known = period.unit === 'day' ? { ...period, rows: whole } : null
  const [chart, forecast] = await Promise.all([
    readChart(reads, question, { report, whole }),
    readForecast(reads, { filter, now, known }),
  ])
  return { report, chart, forecast, unpriced: null }
}

async function metadataKeys(reads: Reads): Promise<string[]> {
  const { data } = await reads.tokens({}, { limit: TOKENS_LOOKED_AT })
  const keys = new Set(data.flatMap(({ metadata }) => Object.keys(metadata)))
  return [...keys]
    .filter((key) => /^[^,]{1,100}$/.test(key))
    .sort()
    .slice(0, MAX_KEYS)
}
