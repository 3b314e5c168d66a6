import type { LedgerRow, Page, PageOf, RequestFilter } from '../../store.ts'
import { type RawRow, SELECTED, toRow } from './columns.ts'
import { SERIES } from './level.ts'
import { bounds, HOUR_MS } from './month.ts'
import { type MonthReader, type MonthReaders, matchingSeries, type SeriesFilter } from './month-reader.ts'
import { ownOf } from './month-schema.ts'
import { OTHER } from './series.ts'

/** Rows of one hour that the rollups point to, as ranges of their numbers. */
type Hour = { start: number; ranges: Range[] }
type Range = { first: number; last: number }
type Found = { at: number; seq: number }

/** Ranges closer than this are read as one. */
const NEAR = 200
const MAX_RANGES = 16

/**
 * A page, newest first. There is no index over rows: the hourly rollups say which hours can hold what is asked for, and where its
 * rows are. These hours are read, newest first, until the page is full. `tokens`: only rows of these.
 */
export function list(
  months: MonthReaders,
  filter: RequestFilter,
  tokens: Set<string> | undefined,
  page: Page,
): PageOf<LedgerRow> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  const after = page.after === undefined ? null : locate(months, page.after)
  if (page.after !== undefined && after === null) return { data: [], hasMore: false }
  const data: LedgerRow[] = []
  const wanted = page.limit + 1
  for (const reader of months.between(from, Math.min(to, after ? after.at + 1 : to)).reverse()) {
    data.push(...reader.read(() => newest(reader, filter, tokens, after, wanted - data.length)))
    if (data.length >= wanted) break
  }
  return { data: data.slice(0, page.limit), hasMore: data.length > page.limit }
}

/** One row by its id, null when there is none. */
export function get(months: MonthReaders, id: string): LedgerRow | null {
  const place = locate(months, id)
  return place?.reader.read(() => rowAt(place.reader, place.seq)) ?? null
}

function newest(
  reader: MonthReader,
  filter: RequestFilter,
  tokens: Set<string> | undefined,
  after: Found | null,
  limit: number,
): LedgerRow[] {
  const { tokenId, projectId, model, provider, endpoint, status, error, failed } = filter
  const series: SeriesFilter = { tokenId, projectId, model, provider, endpoint, status, error, failed, tokens }
  const within = matchingSeries(reader, series, { orOther: true })
  if (within?.length === 0) return []
  const select = createSelect(reader, filter, within, after)
  const found: Found[] = []
  for (const hour of hours(reader, filter, within, after)) {
    const ofHour = hour.ranges.flatMap((range) => select(hour.start, range, limit - found.length))
    if (hour.ranges.length > 1) ofHour.sort((a, b) => b.at - a.at || b.seq - a.seq)
    found.push(...ofHour.slice(0, limit - found.length))
    if (found.length >= limit) break
  }
  return found.map(({ seq }) => rowAt(reader, seq)!)
}

/** The hours that can hold matches, newest first. */
function* hours(
  { connection, month }: MonthReader,
  filter: RequestFilter,
  within: number[] | null,
  after: Found | null,
): Generator<Hour> {
  const { start, end } = bounds(month)
  const to = Math.min(filter.to ?? end, end, after ? after.at + 1 : end)
  const from = Math.max(filter.from ?? start, start)
  const conditions = ['id >= ?', 'id < ?']
  const values: unknown[] = [Math.floor((from - start) / HOUR_MS) * SERIES, Math.ceil((to - start) / HOUR_MS) * SERIES]
  const add = (condition: string, value: unknown) => {
    conditions.push(condition)
    values.push(value)
  }
  if (within) add(`id & ${SERIES - 1} IN (SELECT value FROM json_each(?))`, JSON.stringify(within))
  if (filter.minCostNanoUsd !== undefined) add('max_cost_nano_usd >= ?', filter.minCostNanoUsd)
  if (filter.minLatencyMs !== undefined) add('max_latency_ms >= ?', filter.minLatencyMs)
  const rollups = connection
    .prepare<unknown[], [number, number, number]>(
      `SELECT id >> 32, min_seq, max_seq FROM hourly WHERE ${conditions.join(' AND ')} ORDER BY id DESC`,
    )
    .raw()
  let hour = -1
  let ranges: Range[] = []
  for (const [next, first, last] of rollups.iterate(values)) {
    if (next !== hour && ranges.length > 0) {
      yield { start: start + hour * HOUR_MS, ranges: merge(ranges) }
      ranges = []
    }
    hour = next
    ranges.push({ first, last })
  }
  if (ranges.length > 0) yield { start: start + hour * HOUR_MS, ranges: merge(ranges) }
}

function merge(ranges: Range[]): Range[] {
  const merged: Range[] = []
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1)
    if (before && range.first <= before.last + NEAR) before.last = Math.max(before.last, range.last)
    else merged.push({ ...range })
  }
  if (merged.length <= MAX_RANGES) return merged
  return [{ first: merged[0]!.first, last: Math.max(...merged.map(({ last }) => last)) }]
}

/** The newest matches within a range and the hour that begins at `start`. */
function createSelect(
  { connection, series }: MonthReader,
  filter: RequestFilter,
  within: number[] | null,
  after: Found | null,
) {
  const conditions = ['seq BETWEEN ? AND ?', 'at >= ?', 'at < ?']
  const values: unknown[] = []
  const add = (condition: string, ...more: unknown[]) => {
    conditions.push(condition)
    values.push(...more)
  }
  if (within) add('series IN (SELECT value FROM json_each(?))', JSON.stringify(within))
  for (const name of ['model', 'endpoint'] as const) {
    const wanted = filter[name]
    // A series may stand for several of these; then the row says which.
    const vague = wanted !== undefined && within ? within.filter((id) => series().get(id)?.[name] === OTHER) : []
    if (vague.length > 0)
      add(
        `(series NOT IN (SELECT value FROM json_each(?)) OR coalesce(${ownOf(name)}, '${OTHER}') = ?)`,
        JSON.stringify(vague),
        wanted,
      )
  }
  if (filter.minCostNanoUsd !== undefined) add('cost_nano_usd >= ?', filter.minCostNanoUsd)
  if (filter.minLatencyMs !== undefined) add('latency_ms >= ?', filter.minLatencyMs)
  if (filter.from !== undefined) add('at >= ?', filter.from)
  if (filter.to !== undefined) add('at < ?', filter.to)
  if (after) add('(at, seq) < (?, ?)', after.at, after.seq)
  const select = connection.prepare<unknown[], Found>(
    `SELECT at, seq FROM requests WHERE ${conditions.join(' AND ')} ORDER BY at DESC, seq DESC LIMIT ?`,
  )
  return (start: number, { first, last }: Range, limit: number): Found[] =>
    select.all(first, last, start, start + HOUR_MS, ...values, limit)
}

function rowAt({ connection }: MonthReader, seq: number): LedgerRow | null {
  const raw = connection.prepare<[number], RawRow>(`SELECT ${SELECTED} FROM ledger WHERE seq = ?`).get(seq)
  return raw ? toRow(raw) : null
}

type Place = Found & { reader: MonthReader }

/** As ids.ts makes them: the time, then 16 random digits. */
const TIMED_ID = /^req_([0-9a-z]{9})[0-9a-z]{16}$/

/** Where the row with this id is. An id of ours tells its hour; for any other one all months are searched. */
function locate(months: MonthReaders, id: string): Place | null {
  const time = TIMED_ID.exec(id)?.[1]
  if (time !== undefined) {
    const at = Number.parseInt(time, 36)
    for (const reader of months.between(at, at + 1)) {
      const hour = Math.floor((at - bounds(reader.month).start) / HOUR_MS)
      const place = reader.read(() => search(reader, id, hour))
      if (place) return place
    }
    return null
  }
  for (const reader of months.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).reverse()) {
    const place = reader.read(() => search(reader, id, null))
    if (place) return place
  }
  return null
}

/** `hour`: of the month; null when it may be any. */
function search(reader: MonthReader, id: string, hour: number | null): Place | null {
  const range = hour === null ? ([0, Number.MAX_SAFE_INTEGER] as const) : rowsOf(reader, hour)
  if (range[0] === null) return null
  const found = reader.connection
    .prepare<unknown[], Found>('SELECT at, seq FROM requests WHERE seq BETWEEN ? AND ? AND request_id = ? LIMIT 1')
    .get(...range, id)
  return found ? { ...found, reader } : null
}

/** Where the rows of an hour are, among others. */
const rowsOf = ({ connection }: MonthReader, hour: number): [number | null, number | null] =>
  connection
    .prepare<[number, number], [number | null, number | null]>(
      'SELECT min(min_seq), max(max_seq) FROM hourly WHERE id >= ? AND id < ?',
    )
    .raw()
    .get(hour * SERIES, (hour + 1) * SERIES)!
