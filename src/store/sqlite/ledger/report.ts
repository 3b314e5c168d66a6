import {
  type Percentiles,
  StoreError,
  type UsageGroup,
  type UsageQuery,
  type UsageReport,
  type UsageSums,
} from '../../store.ts'
import { FIRST_TOKEN, type Histogram, LATENCY, percentile, type Scale } from './histogram.ts'
import { DAY_MS, HOUR_MS } from './month.ts'
import { classOf } from './month-reader.ts'
import type { Names } from './series.ts'
import { addSums, emptySums, type Sums, totalCost } from './sums.ts'

/** The value of a key in a token's metadata, as JSON; null when it has none. */
export type MetadataOf = (tokenId: string, key: string) => string | null

/** What a report adds up, group by group. */
export type Report = ReturnType<typeof createReport>
type Keys = (string | null)[]

/** Throws `StoreError` `too_large` beyond `maxRows`. */
export function createReport(groupBy: UsageGroup[], metadataOf: MetadataOf, maxRows = MAX_ROWS) {
  const isTime = (group: UsageGroup) => group === 'day' || group === 'hour'
  const byTime = groupBy.some(isTime)
  const unit = groupBy.includes('hour') ? HOUR_MS : DAY_MS
  type Group = { keys: Keys; sums: Sums }
  const groups: Group[] = []
  /** By period, then by the keys of the series. Asked for once a rollup, hence the two maps in place of one text. */
  const found = new Map<number, Map<string, Group>>()
  const ofSeries = new Map<Names | undefined, { keys: Keys; name: string }>()

  const keysOf = (series: Names | undefined) => {
    let known = ofSeries.get(series)
    if (!known) {
      const keys = groupBy.map((group) => keyOf(group, series, metadataOf))
      known = { keys, name: JSON.stringify(keys) }
      ofSeries.set(series, known)
    }
    return known
  }
  const withTime = (keys: Keys, at: number): Keys => {
    const iso = new Date(at).toISOString()
    const times = { day: iso.slice(0, 10), hour: `${iso.slice(0, 13)}:00:00Z` }
    return groupBy.map((group, i) => (group === 'day' || group === 'hour' ? times[group] : (keys[i] ?? null)))
  }

  return {
    byTime,
    bySeries: groupBy.some((group) => !isTime(group)),
    /** The sums that a row or rollup of this time and series belongs to. */
    at(at: number, series: Names | undefined): Sums {
      const { keys, name } = keysOf(series)
      const period = byTime ? Math.floor(at / unit) : 0
      let ofPeriod = found.get(period)
      if (!ofPeriod) {
        ofPeriod = new Map()
        found.set(period, ofPeriod)
      }
      let group = ofPeriod.get(name)
      if (!group) {
        if (groups.length >= maxRows) throw tooLarge(maxRows)
        group = { keys: byTime ? withTime(keys, at) : keys, sums: emptySums() }
        ofPeriod.set(name, group)
        groups.push(group)
      }
      return group.sums
    },
    done({ top, times = true }: Pick<UsageQuery, 'top' | 'times'>): UsageReport {
      const totals = emptySums()
      for (const { sums } of groups) addSums(totals, sums)
      const rows = groups.map(({ keys, sums }) => ({ keys, ...present(sums, times) }))
      if (top !== undefined) {
        rows.sort(
          (a, b) => Number(b.costNanoUsd - a.costNanoUsd) || b.requests - a.requests || compareAll(a.keys, b.keys),
        )
        return { rows: rows.slice(0, top), totals: present(totals, times) }
      }
      const timeKey = groupBy.indexOf(groupBy.includes('hour') ? 'hour' : 'day')
      rows.sort(
        (a, b) =>
          (timeKey < 0 ? 0 : compare(a.keys[timeKey]!, b.keys[timeKey]!)) ||
          b.requests - a.requests ||
          compareAll(a.keys, b.keys),
      )
      return { rows, totals: present(totals, times) }
    },
  }
}

/** What one answer may hold: some forty megabytes. */
const MAX_ROWS = 100_000
const tooLarge = (maxRows: number) =>
  new StoreError(
    'too_large',
    `The report would have more than ${maxRows} rows: ask for a shorter time, or for fewer groups.`,
  )

function keyOf(group: UsageGroup, series: Names | undefined, metadataOf: MetadataOf): string | null {
  if (!series) return null
  switch (group) {
    case 'token':
      return series.tokenId || null
    case 'project':
      return series.projectId || null
    case 'model':
      return series.model || null
    case 'provider':
      return series.provider || null
    case 'endpoint':
      return series.endpoint
    case 'status':
      return classOf(series.status)
    case 'day':
    case 'hour':
      return null
    default:
      return series.tokenId ? metadataOf(series.tokenId, group.slice('metadata.'.length)) : null
  }
}

/** What has none comes first. */
const compare = (a: string | null, b: string | null) => {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}
const compareAll = (a: Keys, b: Keys) => a.map((key, i) => compare(key, b[i] ?? null)).find((order) => order !== 0) ?? 0

function present(sums: Sums, times: boolean): UsageSums {
  const { counts, maxLatencyMs, latencies, firstTokens } = sums
  const [requests, errors, input, output, cached, cacheWrite, reasoning, unpriced, unpricedTokens, estimated, hits] =
    counts
  return {
    requests: requests!,
    errors: errors!,
    inputTokens: input!,
    outputTokens: output!,
    cachedTokens: cached!,
    cacheWriteTokens: cacheWrite!,
    reasoningTokens: reasoning!,
    costNanoUsd: totalCost(sums),
    unpricedRequests: unpriced!,
    unpricedTokens: unpricedTokens!,
    estimatedRequests: estimated!,
    cacheHits: hits!,
    // Those of the rows at both ends alone would be wrong.
    latencyMs: times ? percentiles(latencies, LATENCY, maxLatencyMs) : UNKNOWN,
    firstTokenMs: times ? percentiles(firstTokens, FIRST_TOKEN, null) : UNKNOWN,
  }
}

const UNKNOWN: Percentiles = { p50: null, p95: null, p99: null }

const percentiles = (histogram: Histogram, scale: Scale, maxMs: number | null): Percentiles => ({
  p50: percentile(histogram, scale, 0.5, maxMs),
  p95: percentile(histogram, scale, 0.95, maxMs),
  p99: percentile(histogram, scale, 0.99, maxMs),
})
