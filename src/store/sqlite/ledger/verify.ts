import type { Drift, VerifyQuery } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { LEVELS, rollupId, SERIES } from './level.ts'
import { bounds, DAY_MS, HOUR_MS } from './month.ts'
import type { MonthReader, MonthReaders } from './month-reader.ts'

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

const OF_ROWS = FIELDS.map(([, sql]) => `CAST(coalesce(${sql}, 0) AS TEXT)`).join(', ')
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
type Values = Map<number, bigint[]>

function compareRollups(reader: MonthReader, firstDay: number): Drift[] {
  const { connection, month } = reader
  const { start } = bounds(month)
  const all = (sql: string): Values =>
    new Map(
      connection
        .prepare<[], Group>(sql)
        .raw()
        .all()
        .map(([key, ...values]) => [key, values.map(BigInt)]),
    )
  const applied = reader.applied()
  const first = firstDay === start ? 0 : firstRow(connection, firstDay - start)
  const rowsBy = (key: string, condition: string) =>
    all(`SELECT ${key}, ${OF_ROWS} FROM ledger WHERE ${condition} AND at >= ${firstDay} GROUP BY 1`)
  /** The rows that are in all rollups, and those that are in the hourly ones alone. */
  const split = (key: string) => ({
    inAll: rowsBy(key, `seq BETWEEN ${first} AND ${applied}`),
    behind: rowsBy(key, `seq > ${Math.max(first - 1, applied)}`),
  })
  const bySeries = split('series')
  const byHour = split(`(at - ${start}) / ${HOUR_MS}`)
  const series = reader.series()
  const nameOf = (id: number) => JSON.stringify(series.get(id) ?? id)

  const drifts = LEVELS.flatMap(({ table, ms, by }) => {
    const rollupsBy = (key: string) =>
      all(`SELECT ${key}, ${OF_ROLLUPS} FROM ${table} WHERE id >= ${rollupId(firstDay - start, ms, 0)} GROUP BY 1`)
    const expected = ({ inAll, behind }: typeof bySeries, keyOf: (key: number) => number) =>
      fold(keyOf, inAll, ...(table === 'hourly' ? [behind] : []))
    const timeOf = (index: number) => new Date(start + index * ms).toISOString().slice(0, ms === HOUR_MS ? 13 : 10)
    return [
      ...differences(
        { month, table },
        expected(bySeries, (id) => series.get(id)?.[by] ?? id),
        rollupsBy(`id & ${SERIES - 1}`),
        nameOf,
      ),
      ...differences(
        { month, table },
        expected(byHour, (hour) => Math.floor((hour * HOUR_MS) / ms)),
        rollupsBy('id >> 32'),
        timeOf,
      ),
    ]
  })
  return [...drifts, ...findLost(reader, `seq >= ${first} AND at >= ${firstDay}`)]
}

/** Adds up what has the same key by `keyOf`. */
function fold(keyOf: (key: number) => number, ...parts: Values[]): Values {
  const folded: Values = new Map()
  for (const part of parts) {
    for (const [key, values] of part) {
      const before = folded.get(keyOf(key))
      folded.set(keyOf(key), before ? values.map((value, i) => value + before[i]!) : values)
    }
  }
  return folded
}

/** The number of the first row that can be of this day, or a later one. Two tables are asked: one of them may be what is wrong. */
function firstRow(connection: Connection, sinceStart: number): number {
  const first = connection
    .prepare<[id: number, id: number], number | null>(
      'SELECT min(seq) FROM (SELECT min(min_seq) AS seq FROM kinds WHERE id >= ? UNION ALL SELECT min(min_seq) FROM hourly WHERE id >= ?)',
    )
    .pluck()
  const id = rollupId(sinceStart, HOUR_MS, 0)
  return first.get(id, id) ?? 0
}

function differences(
  place: { month: string; table: string },
  rows: Values,
  rollups: Values,
  nameOf: (key: number) => string,
): Drift[] {
  const keys = new Set([...rows.keys(), ...rollups.keys()])
  return [...keys].flatMap((key) =>
    FIELDS.flatMap(([field], i) => {
      const expected = String(rows.get(key)?.[i] ?? 0)
      const found = String(rollups.get(key)?.[i] ?? 0)
      return expected === found ? [] : [{ ...place, key: nameOf(key), field, expected, found }]
    }),
  )
}

/** Every series and form that a row names is there. */
function findLost({ connection, month }: MonthReader, condition: string): Drift[] {
  return ['series', 'form'].flatMap((name) => {
    const table = name === 'form' ? 'forms' : name
    const lost = connection
      .prepare<[], number>(
        `SELECT DISTINCT ${name} FROM requests WHERE ${condition} AND ${name} NOT IN (SELECT id FROM ${table})`,
      )
      .pluck()
      .all()
    return lost.map((id) => ({ month, table, key: String(id), field: 'row', expected: 'a row', found: 'none' }))
  })
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
      'SELECT token_id, count(*) FROM ledger WHERE counts = 1 AND seq <= ? AND token_id IS NOT NULL GROUP BY token_id',
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
