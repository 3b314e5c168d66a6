import type { UsageQuery, UsageReport } from '../../store.ts'
import { bounds, DAY_MS, HOUR_MS } from './month.ts'
import { type MonthReader, type MonthReaders, matchingSeries } from './month-reader.ts'
import { createReport, type MetadataOf, type Report } from './report.ts'
import { type Level, SERIES } from './rollup.ts'
import { addReported, addRow, SELECT_REPORT, SELECT_REPORT_SUM } from './sums.ts'

/** Full days from the daily rollups, other full hours from the hourly ones, what is cut from the rows. */
export function usage(months: MonthReaders, metadataOf: MetadataOf, { groupBy, filter }: UsageQuery): UsageReport {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, status, ...exact } = filter
  const report = createReport(groupBy, metadataOf)
  for (const reader of months.between(from, to)) {
    reader.read(() => {
      const within = matchingSeries(reader, { ...exact, statusClass: status }, { orOther: false })
      if (within?.length === 0) return
      // All series as one are read as such.
      const full = within || report.bySeries ? 'hourly' : 'totals'
      for (const part of cover(reader, from, to, full, full === 'hourly' && !groupBy.includes('hour'))) {
        if (part.table === 'requests') addRows(reader, part, within, report)
        else addRollups(reader, part, within, report)
      }
    })
  }
  return report.done()
}

/** A stretch of time, in milliseconds, and what to read for it. */
type Part = { table: Level | 'requests'; start: number; end: number }

function cover({ month }: MonthReader, from: number, to: number, full: Level, useDays: boolean): Part[] {
  const whole = bounds(month)
  const start = Math.max(from, whole.start)
  const end = Math.min(to, whole.end)
  const firstHour = Math.ceil(start / HOUR_MS) * HOUR_MS
  const lastHour = Math.floor(end / HOUR_MS) * HOUR_MS
  if (firstHour > lastHour) return [{ table: 'requests', start, end }]
  const firstDay = Math.ceil(firstHour / DAY_MS) * DAY_MS
  const lastDay = Math.floor(lastHour / DAY_MS) * DAY_MS
  const hours: Part[] =
    useDays && firstDay < lastDay
      ? [
          { table: full, start: firstHour, end: firstDay },
          { table: 'daily', start: firstDay, end: lastDay },
          { table: full, start: lastDay, end: lastHour },
        ]
      : [{ table: full, start: firstHour, end: lastHour }]
  const parts: Part[] = [
    { table: 'requests', start, end: firstHour },
    ...hours,
    { table: 'requests', start: lastHour, end },
  ]
  return parts.filter((part) => part.start < part.end)
}

function addRollups(
  { connection, month, series }: MonthReader,
  part: Part,
  within: number[] | null,
  report: Report,
): void {
  const ms = part.table === 'daily' ? DAY_MS : HOUR_MS
  const { start } = bounds(month)
  const { byTime, bySeries } = report
  // One rollup is one result when both are asked for; else SQLite adds them up, which it does faster than we can fetch them.
  const seriesOf = `rollup.id & ${SERIES - 1}`
  const period = byTime ? 'rollup.id >> 32' : '0'
  const one = bySeries ? seriesOf : '0'
  const group = byTime === bySeries ? '' : `GROUP BY ${byTime ? period : one}`
  const sums = byTime && bySeries ? SELECT_REPORT : SELECT_REPORT_SUM
  const all = series()
  const first = Math.round((part.start - start) / ms)
  const last = Math.round((part.end - start) / ms)
  // A few series are looked up one by one, many are picked out of a walk through all.
  const few = within !== null && within.length * 8 < all.size
  const from = few
    ? `json_each(?) AS period CROSS JOIN json_each(?) AS one CROSS JOIN ${part.table} AS rollup ON rollup.id = period.value * ${SERIES} + one.value`
    : `${part.table} AS rollup WHERE rollup.id >= ? AND rollup.id < ? ${inSeries(seriesOf, within)}`
  const values = few
    ? [JSON.stringify(Array.from({ length: last - first }, (_, i) => first + i)), JSON.stringify(within)]
    : [first * SERIES, last * SERIES, ...bound(within)]
  const query = connection
    .prepare<unknown[], (number | string | null)[]>(`SELECT ${period}, ${one}, ${sums} FROM ${from} ${group}`)
    .raw()
  for (const raw of query.iterate(...values)) {
    // Without a group there is one result even of nothing.
    if (raw[2] === null) continue
    addReported(report.at(start + (raw[0] as number) * ms, all.get(raw[1] as number)), raw, 2)
  }
}

const inSeries = (column: string, within: number[] | null) =>
  within ? `AND ${column} IN (SELECT value FROM json_each(?))` : ''
const bound = (within: number[] | null) => (within ? [JSON.stringify(within)] : [])

function addRows(
  { connection, month, series }: MonthReader,
  { start, end }: Part,
  within: number[] | null,
  report: Report,
): void {
  const first = bounds(month).start
  const hour = Math.floor((start - first) / HOUR_MS)
  // Rows are written when they end: those of an hour are spread over what its rollups say.
  const range = connection
    .prepare<unknown[], [number | null, number | null]>(
      `SELECT min(min_seq), max(max_seq) FROM hourly WHERE id >= ? AND id < ? ${inSeries(`id & ${SERIES - 1}`, within)}`,
    )
    .raw()
    .get(hour * SERIES, (hour + 1) * SERIES, ...bound(within))
  if (!range || range[0] === null) return
  const rows = connection
    .prepare<unknown[], (number | string | null)[]>(
      `SELECT seq, series, status, error, latency_ms, first_token_ms, CAST(cost_nano_usd AS TEXT), cache, input_tokens, output_tokens,
         cached_tokens, cache_write_tokens, reasoning_tokens, usage_source
       FROM requests WHERE seq BETWEEN ? AND ? AND at >= ? AND at < ? ${inSeries('series', within)}`,
    )
    .raw()
  const all = series()
  for (const raw of rows.iterate(range[0], range[1], start, end, ...bound(within))) {
    addRow(report.at(start, all.get(raw[1] as number)), toSummed(raw), raw[0] as number)
  }
}

function toSummed(raw: (number | string | null)[]): Parameters<typeof addRow>[1] {
  return {
    status: raw[2] as number,
    error: raw[3] as string | null,
    latencyMs: raw[4] as number,
    firstTokenMs: raw[5] as number | null,
    costNanoUsd: raw[6] === null ? null : BigInt(raw[6] as string),
    cache: raw[7] as 'hit' | 'miss' | 'bypass',
    usage: {
      inputTokens: raw[8] as number,
      outputTokens: raw[9] as number,
      cachedTokens: raw[10] as number,
      cacheWriteTokens: raw[11] as number,
      reasoningTokens: raw[12] as number,
      source: raw[13] as 'reported' | 'estimated' | 'none',
    },
  }
}
