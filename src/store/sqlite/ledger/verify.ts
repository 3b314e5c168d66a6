import type { Drift, VerifyQuery } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { bounds, DAY_MS, HOUR_MS } from './month.ts'
import type { MonthReader, MonthReaders } from './month-reader.ts'
import { LEVELS, type Level, rollupId, SERIES } from './rollup.ts'

/** What rows and rollups must agree on: its name, by the rows, by the rollups. */
const FIELDS = [
  ['requests', 'count(*)', 'sum(requests)'],
  ['errors', 'sum(status >= 400 OR error IS NOT NULL)', 'sum(errors)'],
  ...['input_tokens', 'output_tokens', 'cached_tokens', 'cache_write_tokens', 'reasoning_tokens'].map((name) => [
    name,
    `sum(${name})`,
    `sum(${name})`,
  ]),
  ['cost_nano_usd', 'coalesce(sum(cost_nano_usd), 0)', 'sum(cost_nano_usd)'],
  ['unpriced_requests', 'sum(cost_nano_usd IS NULL)', 'sum(unpriced_requests)'],
  ['unpriced_tokens', 'sum(iif(cost_nano_usd IS NULL, input_tokens + output_tokens, 0))', 'sum(unpriced_tokens)'],
  ['estimated_requests', "sum(usage_source = 'estimated')", 'sum(estimated_requests)'],
  ['cache_hits', "sum(cache = 'hit')", 'sum(cache_hits)'],
] as [name: string, ofRows: string, ofRollups: string][]

const OF_ROWS = FIELDS.map(([, sql]) => `CAST(${sql} AS TEXT)`).join(', ')
const OF_ROLLUPS = FIELDS.map(([, , sql]) => `CAST(${sql} AS TEXT)`).join(', ')

/** At most so many are told; a broken month has them by the thousand. */
const MAX_DRIFTS = 1_000

/**
 * Compares rows with rollups, by series and by hour; what is open with the time; and, unless it is about some days only, rows with the
 * token counters in the main file.
 */
export function verify(months: MonthReaders, main: Connection, { since, openedBefore = 0 }: VerifyQuery = {}): Drift[] {
  const drifts: Drift[] = []
  const counted = new Map<string, number>()
  for (const reader of months.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) {
    const { start, end } = bounds(reader.month)
    const firstDay = since === undefined ? start : Math.max(start, Math.floor(since / DAY_MS) * DAY_MS)
    reader.read(() => {
      if (firstDay < end) drifts.push(...compareRollups(reader, firstDay))
      drifts.push(...compareOpen(reader, openedBefore))
      if (since === undefined) countByToken(reader, main, counted)
    })
  }
  if (since === undefined) drifts.push(...compareCounters(main, counted))
  return drifts.slice(0, MAX_DRIFTS)
}

type Group = [key: number, ...values: string[]]

function compareRollups(reader: MonthReader, firstDay: number): Drift[] {
  const { connection, month } = reader
  const { start } = bounds(month)
  const all = (sql: string) =>
    new Map(
      connection
        .prepare<[], Group>(sql)
        .raw()
        .all()
        .map(([key, ...values]) => [key, values]),
    )
  const series = reader.series()
  const rows = `requests WHERE ${firstDay === start ? '1' : `seq >= ${firstRow(connection, firstDay - start)} AND at >= ${firstDay}`}`
  const rollupsOf = (table: Level, ms: number) => `${table} WHERE id >= ${rollupId(firstDay - start, ms, 0)}`
  const rowsBySeries = all(`SELECT series, ${OF_ROWS} FROM ${rows} GROUP BY series`)
  const nameOf = (id: number) => JSON.stringify(series.get(id) ?? id)
  const bySeries = LEVELS.filter((level) => level.bySeries).flatMap(({ table, ms }) =>
    differences(
      month,
      table,
      rowsBySeries,
      all(`SELECT id & ${SERIES - 1}, ${OF_ROLLUPS} FROM ${rollupsOf(table, ms)} GROUP BY 1`),
      nameOf,
    ),
  )
  const byTime = LEVELS.flatMap(({ table, ms }) =>
    differences(
      month,
      table,
      all(`SELECT (at - ${start}) / ${ms}, ${OF_ROWS} FROM ${rows} GROUP BY 1`),
      all(`SELECT id >> 32, ${OF_ROLLUPS} FROM ${rollupsOf(table, ms)} GROUP BY 1`),
      (index) => new Date(start + index * ms).toISOString().slice(0, ms === HOUR_MS ? 13 : 10),
    ),
  )
  return [...bySeries, ...byTime]
}

/** The number of the first row that can be of this day, or a later one. Two tables are asked: one of them may be what is wrong. */
function firstRow(connection: Connection, sinceStart: number): number {
  const first = connection
    .prepare<[id: number, id: number], number | null>(
      'SELECT min(seq) FROM (SELECT min(min_seq) AS seq FROM totals WHERE id >= ? UNION ALL SELECT min(min_seq) FROM hourly WHERE id >= ?)',
    )
    .pluck()
  const id = rollupId(sinceStart, HOUR_MS, 0)
  return first.get(id, id) ?? 0
}

type Values = Map<number, string[]>

function differences(
  month: string,
  table: string,
  rows: Values,
  rollups: Values,
  nameOf: (key: number) => string,
): Drift[] {
  const keys = new Set([...rows.keys(), ...rollups.keys()])
  return [...keys].flatMap((key) =>
    FIELDS.flatMap(([field], i) => {
      const expected = rows.get(key)?.[i] ?? '0'
      const found = rollups.get(key)?.[i] ?? '0'
      return expected === found ? [] : [{ month, table, key: nameOf(key), field, expected, found }]
    }),
  )
}

/** No reservation is below nothing, and no request stays without a row for ever. */
function compareOpen({ connection, month }: MonthReader, openedBefore: number): Drift[] {
  const open = connection
    .prepare<[openedBefore: number], { id: string; at: number; amount: string; isNegative: number }>(
      `SELECT request_id AS id, at, CAST(reserved_nano_usd AS TEXT) AS amount, reserved_nano_usd < 0 AS isNegative
       FROM open_requests WHERE reserved_nano_usd < 0 OR at < ?`,
    )
    .all(openedBefore)
  return open.map(({ id, at, amount, isNegative }) => ({
    month,
    table: 'open_requests',
    key: id,
    ...(isNegative
      ? { field: 'reserved_nano_usd', expected: '>= 0', found: amount }
      : { field: 'row', expected: 'a row', found: `open since ${new Date(at).toISOString()}` }),
  }))
}

function countByToken({ connection, month }: MonthReader, main: Connection, counted: Map<string, number>): void {
  const applied =
    main.prepare<[string], number>('SELECT seq FROM ledger_applied WHERE month = ?').pluck().get(month) ?? 0
  const rows = connection
    .prepare<[number], [string, number]>(
      'SELECT token_id, count(*) FROM requests WHERE counts = 1 AND seq <= ? GROUP BY token_id',
    )
    .raw()
    .all(applied)
  for (const [id, requests] of rows) counted.set(id, (counted.get(id) ?? 0) + requests)
}

/** A counter may be above its rows: months are deleted, and `max_requests` counts before there is a row. It is never below. */
function compareCounters(main: Connection, counted: Map<string, number>): Drift[] {
  const tokens = main.prepare<[], [string, number]>('SELECT id, request_count FROM tokens').raw().all()
  return tokens.flatMap(([id, found]) => {
    const expected = counted.get(id) ?? 0
    if (found >= expected) return []
    const field = 'request_count'
    return [{ month: null, table: 'tokens', key: id, field, expected: `>= ${expected}`, found: String(found) }]
  })
}
