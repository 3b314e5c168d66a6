import type { UsageFilter, UsageGroup, UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { isTime, type Question } from './question.ts'
import { type Cell, measured, type Report } from './report.ts'

/** For partials/chart. */
export type Chart = {
  type: 'line' | 'bar' | 'stacked'
  labels: string[]
  times: boolean
  unit: 'usd' | 'number' | 'ms'
  series: Series[]
}
type Series = { label: string; data: (number | null)[] }
type Value = { key: string | null; label: string; value: number }

const TOP = 6
const BARS = 15
/** Rows of sums that are read for one chart. */
const MAX_ALONG_TIME = 10_000

/** What the ledger can be asked of alone, and under which name; what metadata says is shown in bars instead. */
const FILTERS: Partial<Record<UsageGroup, keyof UsageFilter>> = {
  token: 'tokenId',
  project: 'projectId',
  model: 'model',
  provider: 'provider',
  endpoint: 'endpoint',
  status: 'status',
}

/**
 * What the chart needs to know of each hour or day. Sums of few kinds are read faster all at once; of callers, of whom there may be
 * thousands, one by one afterwards.
 */
export function groupsAlongTime({ groups, period }: Question, report: Report): UsageGroup[] {
  const group = groups.find((one) => !isTime(one))
  const isOfKind = group !== undefined && ['model', 'provider', 'endpoint', 'status'].includes(group)
  const isFew = report.other === null && report.rows.length * period.slots.length <= MAX_ALONG_TIME
  return isOfKind && isFew ? [period.unit, group] : [period.unit]
}

/**
 * The measure along the time, stacked by what has most of it among the rows; what is left over is one more layer. `whole`: the sums of
 * `groupsAlongTime`.
 */
export async function readChart(
  reads: Reads,
  question: Question,
  { report, whole }: { report: Report; whole: readonly UsageReportRow[] },
): Promise<Chart> {
  const { groups, measure, period } = question
  const alongTime = { labels: period.slots, times: true, unit: unitOf(measure) }
  const at = groups.findIndex((group) => !isTime(group))
  if (at === -1) {
    const type = measure === 'latency' ? 'line' : 'bar'
    return { type, ...alongTime, series: [{ label: 'All', data: along(question, whole) }] }
  }
  const name = FILTERS[groups[at]!]
  const values = largest(report, at, measure)
  if (name === undefined) {
    const shown = values.slice(0, BARS)
    const series = [{ label: 'All', data: shown.map(({ value }) => value) }]
    return { type: 'bar', labels: shown.map(({ label }) => label), times: false, unit: unitOf(measure), series }
  }
  // What has none of the group cannot be asked for by itself: it is among the rest.
  const shown = values.filter(({ key }) => key !== null).slice(0, TOP)
  const layers = await readLayers(reads, question, { name, whole }, shown)
  if (measure === 'latency') return { type: 'line', ...alongTime, series: layers }
  const rest = restOf(along(question, whole), layers)
  return {
    type: 'stacked',
    ...alongTime,
    series: rest.length > 0 ? [...layers, { label: 'other', data: rest }] : layers,
  }
}

async function readLayers(
  reads: Reads,
  question: Question,
  { name, whole }: { name: keyof UsageFilter; whole: readonly UsageReportRow[] },
  shown: readonly Value[],
): Promise<Series[]> {
  const { filter, period, measure } = question
  const times = measure === 'latency'
  const byKey = whole[0]?.keys.length === 2 ? Map.groupBy(whole, ({ keys }) => keys[1] ?? null) : null
  const rowsOf = async (key: string | null) =>
    byKey
      ? (byKey.get(key) ?? [])
      : (await reads.usage({ groupBy: [period.unit], filter: { ...filter, [name]: key }, times })).rows
  return Promise.all(shown.map(async ({ key, label }) => ({ label, data: along(question, await rowsOf(key)) })))
}

const unitOf = (measure: Question['measure']) =>
  measure === 'spend' ? ('usd' as const) : measure === 'latency' ? ('ms' as const) : ('number' as const)

/** The values of a group, of all rows that have them; most first. Latencies of several rows do not add up: the longest counts. */
function largest({ rows }: Report, at: number, measure: Question['measure']): Value[] {
  const found = new Map<Cell['key'], Value>()
  for (const { cells, sums } of rows) {
    const { key, label } = cells[at]!
    const value = measured(measure, sums)
    const before = found.get(key)
    if (!before) found.set(key, { key, label, value })
    else before.value = measure === 'latency' ? Math.max(before.value, value) : before.value + value
  }
  return [...found.values()].filter(({ value }) => value > 0).sort((a, b) => b.value - a.value)
}

/** Nothing where it is nothing all along. Dollars as numbers leave a dust behind. */
function restOf(whole: (number | null)[], layers: Series[]): number[] {
  const rest = whole.map((all, i) => layers.reduce((left, { data }) => left - (data[i] ?? 0), all ?? 0))
  return rest.some((left) => left > DUST) ? rest.map((left) => (left > DUST ? left : 0)) : []
}
const DUST = 1e-9

/** One value for each slot of the period; several rows of one add up. */
function along({ measure, period }: Question, rows: readonly UsageReportRow[]): (number | null)[] {
  const bySlot = Map.groupBy(rows, ({ keys }) => keys[0])
  return period.slots.map((slot) => {
    const ofSlot = bySlot.get(slot) ?? []
    // Where nothing was asked there is no latency, rather than one of zero.
    if (measure === 'latency') return ofSlot[0]?.latencyMs.p50 ?? null
    return ofSlot.reduce((sum, row) => sum + measured(measure, row), 0)
  })
}
