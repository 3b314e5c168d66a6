import type { Drift } from '../../store.ts'
import { bounds } from './month.ts'
import type { MonthReader } from './month-reader.ts'
import { IS_ODD_OPEN } from './open-row.ts'
import { DICTIONARY_NAMES, readSpare, readTable } from './spare.ts'
import { rowsSince } from './verify-sums.ts'

const INTEGERS = [
  ...['at', 'series', 'form', 'counts', 'input_tokens', 'output_tokens', 'cached_tokens'],
  ...['cache_write_tokens', 'reasoning_tokens', 'request_bytes', 'response_bytes'],
]

/** True of a row that cannot be what was written. */
const isOdd = (start: number, end: number) =>
  [
    `at < ${start}`,
    `at >= ${end}`,
    ...INTEGERS.map((name) => `typeof(${name}) <> 'integer'`),
    "typeof(cost_nano_usd) NOT IN ('integer', 'null')",
    "typeof(reserved_nano_usd) NOT IN ('integer', 'null')",
    'cost_nano_usd < 0',
    "typeof(latency_ms) NOT IN ('real', 'integer')",
    "(typeof(attempt_ms) = 'text' AND NOT json_valid(attempt_ms))",
    'NOT coalesce(json_valid(own), 1)',
  ].join(' OR ')

/** Rows that make no sense, or whose names are lost, from this day on; and rows that were there once. */
export function compareRows(reader: MonthReader, firstDay: number): Drift[] {
  const { connection, month } = reader
  const { start, end } = bounds(month)
  const rows = rowsSince(reader, firstDay, 'requests')
  const [count = 0, first = 0] =
    connection
      .prepare<[], [number, number]>(`SELECT count(*), min(seq) FROM ${rows} AND (${isOdd(start, end)})`)
      .raw()
      .get() ?? []
  const found = count === 1 ? 'not' : `not, in ${count} rows`
  const odd = { month, table: 'requests', key: `row ${first}`, field: 'values', expected: 'of the right kind', found }
  return [...(count > 0 ? [odd] : []), ...compareNames(reader, rows), ...missing(reader)]
}

/** Series and forms that differ from their second copy, or that rows name and neither has. */
function compareNames({ connection, month }: MonthReader, rows: string): Drift[] {
  return DICTIONARY_NAMES.flatMap((table): Drift[] => {
    const [known, spare] = [readTable(connection, table), readSpare(connection, table)]
    const column = table === 'forms' ? 'form' : table
    const used = connection.prepare<[], number>(`SELECT DISTINCT ${column} FROM ${rows}`).pluck().all()
    const ids = new Set([...known.keys(), ...spare.keys(), ...used])
    return [...ids].flatMap((id) => {
      const [expected, found] = [spare.get(id), known.get(id)]
      if (expected === found && found !== undefined) return []
      return [{ month, table, key: String(id), field: 'names', expected: expected ?? 'known', found: found ?? 'lost' }]
    })
  })
}

/** Rows that were counted once and were not there any more at a start: an older copy was put back, or a file beside it was deleted. */
function missing({ connection, month }: MonthReader): Drift[] {
  const note = connection.prepare<[name: string], number>('SELECT value FROM meta WHERE name = ?').pluck()
  const from = note.get('missing_from')
  const to = note.get('missing_to')
  if (from === undefined || to === undefined) return []
  const key = from === to ? `row ${from}` : `rows ${from} to ${to}`
  return [{ month, table: 'requests', key, field: 'rows', expected: String(to - from + 1), found: 'gone' }]
}

type Open = { id: string; at: unknown; amount: string; isOdd: number }

/** No reservation is below nothing, and no request stays without a row for ever. */
export function compareOpen({ connection, month }: MonthReader, openedBefore: number): Drift[] {
  const open = connection
    .prepare<[openedBefore: number], Open>(
      `SELECT request_id AS id, at, CAST(reserved_nano_usd AS TEXT) AS amount, ${IS_ODD_OPEN} AS isOdd
       FROM open_requests WHERE ${IS_ODD_OPEN} OR at < ?`,
    )
    .all(openedBefore)
  return open.map(({ id, at, amount, isOdd }) => ({
    month,
    table: 'open_requests',
    key: id,
    ...(isOdd
      ? { field: 'reserved_nano_usd', expected: '>= 0', found: amount }
      : { field: 'row', expected: 'a row', found: `open since ${new Date(at as number).toISOString()}` }),
  }))
}
