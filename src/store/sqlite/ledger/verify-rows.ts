import type { Drift } from '../../store.ts'
import { bounds } from './month.ts'
import type { MonthReader } from './month-reader.ts'
import { OTHER } from './series.ts'
import { rowsSince } from './verify-sums.ts'

const INTEGERS = [
  ...['at', 'series', 'counts', 'status', 'stream', 'input_tokens', 'output_tokens', 'cached_tokens'],
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
    'NOT json_valid(attempts)',
    'NOT json_valid(changes)',
    'NOT coalesce(json_valid(usage_details), 1)',
  ].join(' OR ')

/** True of a row whose series is not its own. A name beyond the bound of names is another one. */
const IS_OF_ANOTHER_SERIES = [
  'series.id IS NULL',
  ...['token_id', 'project_id', 'provider', 'error'].map((name) => `series.${name} <> coalesce(row.${name}, '')`),
  'series.status <> row.status',
  `series.model NOT IN (coalesce(row.model, ''), '${OTHER}')`,
  `series.endpoint NOT IN (row.endpoint, '${OTHER}')`,
].join(' OR ')

/** Rows that make no sense, or are summed up under another name, from this day on; and rows that were there once. */
export function compareRows(reader: MonthReader, firstDay: number): Drift[] {
  const { month } = reader
  const { start, end } = bounds(month)
  const rows = rowsSince(reader, firstDay)
  const odd = ofRows(reader, `SELECT count(*), min(seq) FROM ${rows} AND (${isOdd(start, end)})`)
  const strayed = ofRows(
    reader,
    `SELECT count(*), min(seq) FROM (SELECT * FROM ${rows}) AS row LEFT JOIN series ON series.id = row.series WHERE ${IS_OF_ANOTHER_SERIES}`,
  )
  const drift = (table: string, field: string, expected: string, { count, first }: Found): Drift[] => {
    if (count === 0) return []
    return [
      { month, table, key: `row ${first}`, field, expected, found: count === 1 ? 'not' : `not, in ${count} rows` },
    ]
  }
  return [
    ...drift('requests', 'values', 'of the right kind', odd),
    ...drift('series', 'names', 'those of the row', strayed),
    ...missing(reader),
  ]
}

type Found = { count: number; first: number }

function ofRows({ connection }: MonthReader, sql: string): Found {
  const [count = 0, first = 0] = connection.prepare<[], [number, number]>(sql).raw().get() ?? []
  return { count, first }
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

/** What `bindOpen` writes. */
export const IS_ODD_OPEN =
  "typeof(at) <> 'integer' OR typeof(input_tokens) <> 'integer' OR typeof(reserved_nano_usd) <> 'integer' OR reserved_nano_usd < 0"

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
