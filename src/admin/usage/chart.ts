import type { UsageFilter, UsageGroup, UsageReportRow } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { isTime, type Question } from './question.ts'
import { measured, namesOf, toCell } from './report.ts'

/** For partials/chart. */
export type Chart = {
  type: 'line' | 'bar' | 'stacked'
  labels: string[]
  times: boolean
  unit: 'usd' | 'number' | 'ms'
  series: { label: string; data: (number | null)[] }[]
}

const TOP = 6
const BARS = 15
/** From so many rows by spend those are chosen that have most of what is measured. */
const CHOICE = 100

/** What the ledger can be asked of alone, and under which name; what metadata says is shown in bars instead. */
const FILTERS: Partial<Record<UsageGroup, keyof UsageFilter>> = {
  token: 'tokenId',
  project: 'projectId',
  model: 'model',
  provider: 'provider',
  endpoint: 'endpoint',
  status: 'status',
}

/** The measure along the time, stacked by the largest of the rows' first group that is no time; what is left over is one more layer. */
export async function readChart(reads: Reads, question: Question): Promise<Chart> {
  const { groups, filter, measure, period } = question
  const unit = measure === 'spend' ? 'usd' : measure === 'latency' ? 'ms' : 'number'
  const whole = reads.usage({ groupBy: [period.unit], filter })
  const group = groups.find((one) => !isTime(one))
  if (group === undefined) {
    const data = along(question, (await whole).rows)
    return {
      type: measure === 'latency' ? 'line' : 'bar',
      labels: period.slots,
      times: true,
      unit,
      series: [{ label: 'All', data }],
    }
  }
  const largest = await readLargest(reads, question, group)
  const names = await namesOf(reads, [group], largest)
  const labelOf = ({ keys }: UsageReportRow) => toCell(group, keys[0] ?? null, names).label
  const name = FILTERS[group]
  if (name === undefined) {
    await whole
    const data = largest.map((row) => measured(measure, row))
    return { type: 'bar', labels: largest.map(labelOf), times: false, unit, series: [{ label: 'All', data }] }
  }
  // What has none of the group cannot be asked for by itself: it is among the rest.
  const layers = await Promise.all(
    largest
      .filter(({ keys }) => keys[0] != null)
      .slice(0, TOP)
      .map(async (row) => {
        const { rows } = await reads.usage({ groupBy: [period.unit], filter: { ...filter, [name]: row.keys[0]! } })
        return { label: labelOf(row), data: along(question, rows) }
      }),
  )
  if (measure === 'latency') return { type: 'line', labels: period.slots, times: true, unit, series: layers }
  const rest = along(question, (await whole).rows).map((all, i) =>
    layers.reduce((left, { data }) => left - (data[i] ?? 0), all ?? 0),
  )
  // Dollars as numbers leave a dust behind.
  const isSomething = rest.some((left) => left > 1e-9)
  const series = isSomething
    ? [...layers, { label: 'other', data: rest.map((left) => (left > 1e-9 ? left : 0)) }]
    : layers
  return { type: 'stacked', labels: period.slots, times: true, unit, series }
}

async function readLargest(reads: Reads, { filter, measure }: Question, group: UsageGroup): Promise<UsageReportRow[]> {
  const { rows } = await reads.usage({ groupBy: [group], filter, top: CHOICE })
  return rows
    .filter((row) => measured(measure, row) > 0)
    .sort((a, b) => measured(measure, b) - measured(measure, a))
    .slice(0, BARS)
}

/** One value for each slot of the period. */
function along({ measure, period }: Question, rows: readonly UsageReportRow[]): (number | null)[] {
  const bySlot = new Map(rows.map((row) => [row.keys[0], row]))
  return period.slots.map((slot) => {
    const row = bySlot.get(slot)
    // Where nothing was asked there is no latency, rather than one of zero.
    if (row === undefined) return measure === 'latency' ? null : 0
    return measure === 'latency' ? row.latencyMs.p50 : measured(measure, row)
  })
}
