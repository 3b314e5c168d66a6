import type { Drift } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { addText } from './histogram.ts'
import { LEVELS, rollupId, SERIES } from './level.ts'
import { bounds, HOUR_MS } from './month.ts'
import type { MonthReader } from './month-reader.ts'

type Value = bigint | number
type Field = {
  name: string
  ofRows: string
  ofRollups: string
  read(text: string): Value
  /** Of two groups together. */
  add(a: Value, b: Value): Value
  holds(ofRows: Value, ofRollups: Value): boolean
}

const sum = (name: string, ofRows: string, ofRollups = `sum(${name})`): Field => ({
  name,
  ofRows,
  ofRollups,
  read: BigInt,
  add: (a, b) => BigInt(a) + BigInt(b),
  holds: (rows, rollups) => rows === rollups,
})
/** What pages look for may be further out than it needs to be, after rows became cheaper; closer in, and they miss rows. */
const atLeast = (name: string, ofRows: string): Field => ({
  name,
  ofRows,
  ofRollups: `max(${name})`,
  read: Number,
  add: (a, b) => (a > b ? a : b),
  holds: (rows, rollups) => rollups >= rows,
})
const atMost = (name: string, ofRows: string): Field => ({
  name,
  ofRows,
  ofRollups: `min(${name})`,
  read: Number,
  add: (a, b) => (a < b ? a : b),
  holds: (rows, rollups) => rollups <= rows,
})
/** As many are in a histogram as there are rows. */
const histogram = (name: string, ofRows: string): Field => ({
  ...sum(name, ofRows, `group_concat(${name}, '')`),
  read: (text) => (/^\d+$/.test(text) ? BigInt(text) : countIn(text)),
})

/** What rows and rollups must agree on. */
const FIELDS: Field[] = [
  sum('requests', 'count(*)'),
  sum('errors', 'coalesce(sum(status >= 400 OR error IS NOT NULL), 0)'),
  ...['input_tokens', 'output_tokens', 'cached_tokens', 'cache_write_tokens', 'reasoning_tokens'].map((name) =>
    sum(name, `sum(${name})`),
  ),
  sum('cost_nano_usd', 'coalesce(sum(cost_nano_usd), 0)'),
  sum('unpriced_requests', 'sum(cost_nano_usd IS NULL)'),
  sum('unpriced_tokens', 'sum(iif(cost_nano_usd IS NULL, input_tokens + output_tokens, 0))'),
  sum('estimated_requests', "coalesce(sum(usage_source = 'estimated'), 0)"),
  sum('cache_hits', "coalesce(sum(cache = 'hit'), 0)"),
  atLeast('max_cost_nano_usd', 'coalesce(max(cost_nano_usd), 0)'),
  atLeast('max_latency_ms', 'max(latency_ms)'),
  atMost('min_seq', 'min(seq)'),
  atLeast('max_seq', 'max(seq)'),
  histogram('latencies', 'count(*)'),
  histogram('first_tokens', 'count(first_token_ms)'),
]

const OF_ROWS = FIELDS.map(({ ofRows }) => `CAST(${ofRows} AS TEXT)`).join(', ')
const OF_ROLLUPS = FIELDS.map(({ ofRollups }) => `CAST(${ofRollups} AS TEXT)`).join(', ')

/** By the key of a group, beside `FIELDS`. */
type Values = Map<number, Value[]>

/** Where the rollups do not say what the rows say, by series (or parts of them) and by time, from this day on. */
export function compareSums(reader: MonthReader, firstDay: number): Drift[] {
  const { connection, month } = reader
  const { start } = bounds(month)
  const all = (sql: string): Values =>
    new Map(
      connection
        .prepare<[], [key: number, ...values: string[]]>(sql)
        .raw()
        .all()
        .map(([key, ...values]) => [key, values.map((value, i) => FIELDS[i]!.read(value))]),
    )
  const applied = reader.applied()
  const rows = rowsSince(reader, firstDay, 'ledger')
  /** The rows that are in all rollups, and those that are in the hourly ones alone. */
  const rowsBy = (key: string) => ({
    inAll: all(`SELECT ${key}, ${OF_ROWS} FROM ${rows} AND seq <= ${applied} GROUP BY 1`),
    behind: all(`SELECT ${key}, ${OF_ROWS} FROM ${rows} AND seq > ${applied} GROUP BY 1`),
  })
  const bySeries = rowsBy('series')
  const byHour = rowsBy(`(at - ${start}) / ${HOUR_MS}`)
  const series = reader.series()
  const nameOf = (id: number) => JSON.stringify(series.get(id) ?? id)

  return LEVELS.flatMap(({ table, ms, by }) => {
    const rollupsBy = (key: string) =>
      all(`SELECT ${key}, ${OF_ROLLUPS} FROM ${table} WHERE id >= ${rollupId(firstDay - start, ms, 0)} GROUP BY 1`)
    const expected = ({ inAll, behind }: ReturnType<typeof rowsBy>, keyOf: (key: number) => number) =>
      fold(keyOf, table === 'hourly' ? [inAll, behind] : [inAll])
    const timeOf = (index: number) => new Date(start + index * ms).toISOString().slice(0, ms === HOUR_MS ? 13 : 10)
    const place = { month, table }
    return [
      ...differences(
        place,
        expected(bySeries, (id) => series.get(id)?.[by] ?? id),
        rollupsBy(`id & ${SERIES - 1}`),
        nameOf,
      ),
      ...differences(
        place,
        expected(byHour, (hour) => Math.floor((hour * HOUR_MS) / ms)),
        rollupsBy('id >> 32'),
        timeOf,
      ),
    ]
  })
}

/** Puts together what has the same key by `keyOf`. */
function fold(keyOf: (key: number) => number, parts: Values[]): Values {
  const folded: Values = new Map()
  for (const part of parts) {
    for (const [one, values] of part) {
      const key = keyOf(one)
      const before = folded.get(key)
      folded.set(key, before ? values.map((value, i) => FIELDS[i]!.add(value, before[i]!)) : values)
    }
  }
  return folded
}

/** For `FROM`: the rows of this day and later ones. */
export function rowsSince({ connection, month }: MonthReader, firstDay: number, table: 'requests' | 'ledger'): string {
  const { start } = bounds(month)
  if (firstDay === start) return `${table} WHERE 1`
  return `${table} WHERE seq >= ${firstRow(connection, firstDay - start)} AND at >= ${firstDay}`
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
  return [...keys].flatMap((key) => {
    const [ofRows, ofRollups] = [rows.get(key), rollups.get(key)]
    return FIELDS.flatMap(({ name: field, holds }, i) => {
      const [expected, found] = [ofRows?.[i], ofRollups?.[i]]
      // Where one side has nothing at all, the number of requests says so.
      if (expected === undefined || found === undefined) {
        if (i > 0) return []
      } else if (holds(expected, found)) return []
      return [{ ...place, key: nameOf(key), field, expected: String(expected ?? 0), found: String(found ?? 0) }]
    })
  })
}

function countIn(text: string): bigint {
  const histogram: number[] = []
  addText(histogram, text)
  const count = Object.values(histogram).reduce((sum, count) => sum + count, 0)
  return Number.isSafeInteger(count) ? BigInt(count) : -1n
}
