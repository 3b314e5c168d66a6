import type { LedgerRow } from '../../store.ts'
import type { Bound } from './columns.ts'
import { addText, emptyHistogram, FIRST_TOKEN, type Histogram, LATENCY, observe, writeHistogram } from './histogram.ts'
import { SUMS } from './month-schema.ts'

/** What a number of rows add up to: in a rollup of the file, and in a report. */
export type Sums = {
  /** As `SUMS` in month-schema.ts names them. */
  counts: number[]
  costNanoUsd: bigint
  /** More cost, as numbers: 2^30 of these and 1 of those make a nano-dollar count. `totalCost` adds all up. */
  costHigh: number
  costLow: number
  maxCostNanoUsd: bigint
  maxLatencyMs: number
  minSeq: number
  maxSeq: number
  latencies: Histogram
  firstTokens: Histogram
}

export const emptySums = (): Sums => ({
  counts: new Array<number>(SUMS.length).fill(0),
  costNanoUsd: 0n,
  costHigh: 0,
  costLow: 0,
  maxCostNanoUsd: 0n,
  maxLatencyMs: 0,
  minSeq: Number.MAX_SAFE_INTEGER,
  maxSeq: 0,
  latencies: emptyHistogram(LATENCY),
  firstTokens: emptyHistogram(FIRST_TOKEN),
})

/** The part of a row that is summed up, and when. */
export type Summed = Pick<
  LedgerRow,
  'at' | 'status' | 'error' | 'latencyMs' | 'firstTokenMs' | 'costNanoUsd' | 'cache'
> & {
  usage: Pick<
    LedgerRow['usage'],
    'inputTokens' | 'outputTokens' | 'cachedTokens' | 'cacheWriteTokens' | 'reasoningTokens' | 'source'
  >
}

export function addRow(sums: Sums, row: Summed, seq: number): void {
  const { counts } = sums
  const { usage, costNanoUsd } = row
  counts[0]! += 1
  if (isError(row)) counts[1]! += 1
  counts[2]! += usage.inputTokens
  counts[3]! += usage.outputTokens
  counts[4]! += usage.cachedTokens
  counts[5]! += usage.cacheWriteTokens
  counts[6]! += usage.reasoningTokens
  if (costNanoUsd === null) {
    counts[7]! += 1
    counts[8]! += usage.inputTokens + usage.outputTokens
  } else {
    sums.costNanoUsd += costNanoUsd
    if (costNanoUsd > sums.maxCostNanoUsd) sums.maxCostNanoUsd = costNanoUsd
  }
  if (usage.source === 'estimated') counts[9]! += 1
  if (row.cache === 'hit') counts[10]! += 1
  if (row.latencyMs > sums.maxLatencyMs) sums.maxLatencyMs = row.latencyMs
  if (seq < sums.minSeq) sums.minSeq = seq
  if (seq > sums.maxSeq) sums.maxSeq = seq
  observe(sums.latencies, LATENCY, row.latencyMs)
  if (row.firstTokenMs !== null) observe(sums.firstTokens, FIRST_TOKEN, row.firstTokenMs)
}

const isError = ({ status, error }: Pick<Summed, 'status' | 'error'>) => status >= 400 || error !== null

/** The columns of a rollup before its id, in the order of `bindSums`. */
export const ROLLUP_COLUMNS = [
  ...SUMS,
  'cost_nano_usd',
  'max_cost_nano_usd',
  'max_latency_ms',
  'min_seq',
  'max_seq',
  'latencies',
  'first_tokens',
]

export function bindSums(sums: Sums, id: number, values: Bound[]): void {
  for (const count of sums.counts) values.push(count)
  values.push(
    sums.costNanoUsd,
    sums.maxCostNanoUsd,
    sums.maxLatencyMs,
    sums.minSeq,
    sums.maxSeq,
    writeHistogram(sums.latencies),
    writeHistogram(sums.firstTokens),
    id,
  )
}

/** For `SELECT` of one rollup: what `addRaw` takes, the money as text. */
export const SELECT_ONE = ROLLUP_COLUMNS.map((name) => (name.includes('cost') ? `CAST(${name} AS TEXT)` : name)).join(
  ', ',
)

/** Adds the result. */
export function addRaw(sums: Sums, raw: (number | string)[]): void {
  const rest = SUMS.length
  for (let i = 0; i < rest; i++) sums.counts[i]! += raw[i] as number
  sums.costNanoUsd += BigInt(raw[rest] as string)
  sums.maxCostNanoUsd = BigInt(raw[rest + 1] as string)
  sums.maxLatencyMs = raw[rest + 2] as number
  sums.minSeq = raw[rest + 3] as number
  sums.maxSeq = raw[rest + 4] as number
  addText(sums.latencies, raw[rest + 5] as string)
  addText(sums.firstTokens, raw[rest + 6] as string)
}

const PART = 2 ** 30

/** For reports, which read rollups by the hundred thousand: only what they show, and no big integers. */
const REPORTED = [...SUMS, 'cost_nano_usd >> 30', `cost_nano_usd & ${PART - 1}`, 'max_latency_ms']

/** The same of many rollups, for `GROUP BY`. */
const REPORTED_SUM = [
  ...SUMS.map((name) => `sum(${name})`),
  'sum(cost_nano_usd) >> 30',
  `sum(cost_nano_usd) & ${PART - 1}`,
  'max(max_latency_ms)',
]

/** What a report selects: of one rollup or the sum of many, with or without the histograms. `addReported` takes it. */
export function selectReport({ summed, times }: { summed: boolean; times: boolean }): string {
  const histograms = ['latencies', 'first_tokens'].map((name) =>
    times ? (summed ? `group_concat(${name}, '')` : name) : "''",
  )
  return [...(summed ? REPORTED_SUM : REPORTED), ...histograms].join(', ')
}

/** Adds a result, whose values begin at `offset`. */
export function addReported(sums: Sums, raw: (number | string | null)[], offset: number): void {
  const { counts } = sums
  for (let i = 0; i < counts.length; i++) counts[i]! += raw[offset + i] as number
  const rest = offset + counts.length
  sums.costHigh += raw[rest] as number
  sums.costLow += raw[rest + 1] as number
  sums.maxLatencyMs = Math.max(sums.maxLatencyMs, raw[rest + 2] as number)
  addText(sums.latencies, raw[rest + 3] as string)
  addText(sums.firstTokens, raw[rest + 4] as string)
}

export const totalCost = ({ costNanoUsd, costHigh, costLow }: Sums): bigint =>
  costNanoUsd + BigInt(costHigh) * BigInt(PART) + BigInt(costLow)

export function addSums(to: Sums, from: Sums): void {
  for (let i = 0; i < to.counts.length; i++) to.counts[i]! += from.counts[i]!
  for (let i = 0; i < to.latencies.length; i++) to.latencies[i]! += from.latencies[i]!
  for (let i = 0; i < to.firstTokens.length; i++) to.firstTokens[i]! += from.firstTokens[i]!
  to.costNanoUsd += totalCost(from)
  if (from.maxCostNanoUsd > to.maxCostNanoUsd) to.maxCostNanoUsd = from.maxCostNanoUsd
  to.maxLatencyMs = Math.max(to.maxLatencyMs, from.maxLatencyMs)
  to.minSeq = Math.min(to.minSeq, from.minSeq)
  to.maxSeq = Math.max(to.maxSeq, from.maxSeq)
}

/** Adds what came to them since they were like `before`. */
export function addDifference(to: Sums, from: Sums, before: Sums): void {
  addSums(to, from)
  for (let i = 0; i < to.counts.length; i++) to.counts[i]! -= before.counts[i]!
  for (let i = 0; i < to.latencies.length; i++) to.latencies[i]! -= before.latencies[i]!
  for (let i = 0; i < to.firstTokens.length; i++) to.firstTokens[i]! -= before.firstTokens[i]!
  to.costNanoUsd -= totalCost(before)
}

export const copySums = (sums: Sums): Sums => ({
  ...sums,
  counts: sums.counts.slice(),
  latencies: sums.latencies.slice(),
  firstTokens: sums.firstTokens.slice(),
})
