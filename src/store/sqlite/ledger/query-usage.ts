import type { UsageFilter, UsageGroup, UsageQuery, UsageReport } from '../../store.ts'
import { LEVELS, type Level, SERIES } from './level.ts'
import { bounds, DAY_MS, HOUR_MS, type Month } from './month.ts'
import { type MonthReader, type MonthReaders, matchingSeries } from './month-reader.ts'
import { createReport, type MetadataOf, type Report } from './report.ts'
import { type RawSummed, SELECT_SUMMED, toSummed } from './summed.ts'
import { addReported, addRow, selectReport } from './sums.ts'

/** Full hours and days from rollups, what is cut at both ends from the rows. */
export function usage(months: MonthReaders, metadataOf: MetadataOf, query: UsageQuery): UsageReport {
  const { groupBy, filter, times = true } = query
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, status, ...exact } = filter
  const report = createReport(groupBy, metadataOf, query.maxRows)
  const hours = hoursFor(groupBy, filter)
  // Kinds are so few that their hours are read faster than the days of all series.
  const useDays = hours !== 'kinds' && !groupBy.includes('hour')
  for (const reader of months.between(from, to)) {
    reader.read(() => {
      const within = matchingSeries(reader, { ...exact, statusClass: status }, { orOther: false })
      if (within?.length === 0) return
      for (const part of cover(reader.month, from, to, { hours, useDays, behind: hoursBehind(reader) })) {
        if (part.table === 'requests') addRows(reader, part, within, report)
        else addRollups(reader, part, within, { report, times })
      }
    })
  }
  return report.done(query)
}

/** The smallest rollups that tell what is asked for. */
function hoursFor(groupBy: UsageGroup[], filter: UsageFilter): Level {
  const asked = { token: filter.tokenId, project: filter.projectId, ...filter }
  const isAsked = (name: 'token' | 'project' | 'model' | 'provider' | 'endpoint' | 'status') =>
    groupBy.includes(name) || asked[name] !== undefined
  const isOfToken = isAsked('token') || groupBy.some((group) => group.startsWith('metadata.'))
  const isOfKind = isAsked('model') || isAsked('provider') || isAsked('endpoint') || isAsked('status')
  if (!isOfKind) return isOfToken || isAsked('project') ? 'callers' : 'kinds'
  if (isOfToken) return 'hourly'
  return isAsked('project') ? 'project_kinds' : 'kinds'
}

/** A stretch of time, in milliseconds, and what to read for it. */
type Part = { table: Level | 'requests'; start: number; end: number }

/** `hours`: what to read for full hours; hours in `behind` (their starts) are in the hourly rollups alone. */
function cover(
  month: Month,
  from: number,
  to: number,
  { hours, useDays, behind }: { hours: Level; useDays: boolean; behind: Set<number> },
): Part[] {
  const whole = bounds(month)
  const start = Math.max(from, whole.start)
  const end = Math.min(to, whole.end)
  const firstHour = Math.ceil(start / HOUR_MS) * HOUR_MS
  const lastHour = Math.floor(end / HOUR_MS) * HOUR_MS
  if (firstHour > lastHour) return [{ table: 'requests', start, end }]
  const parts: Part[] = []
  const add = (table: Part['table'], start: number, end: number) => {
    const before = parts.at(-1)
    if (before?.table === table && table !== 'requests') before.end = end
    else if (start < end) parts.push({ table, start, end })
  }
  const daysBehind = new Set([...behind].map(dayOf))
  add('requests', start, firstHour)
  for (let at = firstHour; at < lastHour; ) {
    const isDay = useDays && dayOf(at) === at && at + DAY_MS <= lastHour && !daysBehind.has(at)
    const next = at + (isDay ? DAY_MS : HOUR_MS)
    add(isDay ? 'daily' : behind.has(at) ? 'hourly' : hours, at, next)
    at = next
  }
  add('requests', lastHour, end)
  return parts
}

const dayOf = (at: number) => Math.floor(at / DAY_MS) * DAY_MS

/** The hours, by their starts, with rows that are in the hourly rollups alone. */
function hoursBehind({ connection, month, applied }: MonthReader): Set<number> {
  const { start } = bounds(month)
  const hours = connection
    .prepare<[after: number], number>(`SELECT DISTINCT (at - ${start}) / ${HOUR_MS} FROM requests WHERE seq > ?`)
    .pluck()
    .all(applied())
  return new Set(hours.map((hour) => start + hour * HOUR_MS))
}

/** Results are fetched by the list, a fifth faster than one by one. So many hours have some ten thousand rollups at most. */
const PERIODS_AT_ONCE = 24

function addRollups(
  { connection, month, series }: MonthReader,
  part: Part,
  within: number[] | null,
  { report, times }: { report: Report; times: boolean },
): void {
  const { ms, by } = LEVELS.find(({ table }) => table === part.table)!
  const { start } = bounds(month)
  const { byTime, bySeries } = report
  // One rollup is one result when both are asked for; else SQLite adds them up, which it does faster than we can fetch them.
  const seriesOf = `rollup.id & ${SERIES - 1}`
  const period = byTime ? 'rollup.id >> 32' : '0'
  const one = bySeries ? seriesOf : '0'
  const group = byTime === bySeries ? '' : `GROUP BY ${byTime ? period : one}`
  const sums = selectReport({ summed: !(byTime && bySeries), times })
  const all = series()
  const wanted = within && [...new Set(within.map((id) => all.get(id)![by]))]
  const first = Math.round((part.start - start) / ms)
  const last = Math.round((part.end - start) / ms)
  // A few series are looked up one by one, many are picked out of a walk through all.
  const few = wanted !== null && wanted.length * 8 < all.size
  const from = few
    ? `json_each(?) AS period CROSS JOIN json_each(?) AS one CROSS JOIN ${part.table} AS rollup ON rollup.id = period.value * ${SERIES} + one.value`
    : `${part.table} AS rollup WHERE rollup.id >= ? AND rollup.id < ? ${inSeries(seriesOf, wanted)}`
  const valuesOf = (from: number, to: number) =>
    few
      ? [JSON.stringify(Array.from({ length: to - from }, (_, i) => from + i)), JSON.stringify(wanted)]
      : [from * SERIES, to * SERIES, ...bound(wanted)]
  const query = connection
    .prepare<unknown[], (number | string | null)[]>(`SELECT ${period}, ${one}, ${sums} FROM ${from} ${group}`)
    .raw()
  const step = group === '' && bySeries ? PERIODS_AT_ONCE : last - first
  for (let from = first; from < last; from += step) {
    for (const raw of query.all(...valuesOf(from, Math.min(from + step, last)))) {
      // Without a group there is one result even of nothing.
      if (raw[2] === null) continue
      addReported(report.at(start + (raw[0] as number) * ms, all.get(raw[1] as number)), raw, 2)
    }
  }
}

const inSeries = (column: string, within: number[] | null) =>
  within ? `AND ${column} IN (SELECT value FROM json_each(?))` : ''
const bound = (within: number[] | null) => (within ? [JSON.stringify(within)] : [])

function addRows(reader: MonthReader, { start, end }: Part, within: number[] | null, report: Report): void {
  const { connection, month, series } = reader
  const hour = Math.floor((start - bounds(month).start) / HOUR_MS)
  // Rows are written when they end: those of an hour are spread over what its rollups say.
  const range = connection
    .prepare<unknown[], [number | null, number | null]>(
      `SELECT min(min_seq), max(max_seq) FROM hourly WHERE id >= ? AND id < ? ${inSeries(`id & ${SERIES - 1}`, within)}`,
    )
    .raw()
    .get(hour * SERIES, (hour + 1) * SERIES, ...bound(within))
  if (!range || range[0] === null) return
  const rows = connection
    .prepare<unknown[], RawSummed>(
      `SELECT ${SELECT_SUMMED} FROM ledger WHERE seq BETWEEN ? AND ? AND at >= ? AND at < ? ${inSeries('series', within)}`,
    )
    .raw()
  const all = series()
  for (const raw of rows.iterate(range[0], range[1], start, end, ...bound(within))) {
    const { seq, series, row } = toSummed(raw)
    addRow(report.at(start, all.get(series)), row, seq)
  }
}
