import type { Drift } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { addText } from './histogram.ts'
import { bounds, HOUR_MS } from './month.ts'
import type { MonthReader } from './month-reader.ts'
import { LEVELS, type Level, rollupId, SERIES } from './rollup.ts'

type Field = {
  name: string
  ofRows: string
  ofRollups: string
  /** Both as text; when left out they have to be the same. */
  holds?(ofRows: string, ofRollups: string): boolean
}

const same = (name: string, ofRows: string, ofRollups = `sum(${name})`): Field => ({ name, ofRows, ofRollups })
/** What pages look for may be further out than it needs to be, after rows became cheaper; closer in, and they miss rows. */
const atLeast = (name: string, ofRows: string): Field => ({
  name,
  ofRows,
  ofRollups: `max(${name})`,
  holds: (rows, rollups) => Number(rollups) >= Number(rows),
})
const atMost = (name: string, ofRows: string): Field => ({
  name,
  ofRows,
  ofRollups: `min(${name})`,
  holds: (rows, rollups) => Number(rollups) <= Number(rows),
})

/** What rows and rollups must agree on. */
const FIELDS: Field[] = [
  same('requests', 'count(*)'),
  same('errors', 'sum(status >= 400 OR error IS NOT NULL)'),
  ...['input_tokens', 'output_tokens', 'cached_tokens', 'cache_write_tokens', 'reasoning_tokens'].map((name) =>
    same(name, `sum(${name})`),
  ),
  same('cost_nano_usd', 'coalesce(sum(cost_nano_usd), 0)'),
  same('unpriced_requests', 'sum(cost_nano_usd IS NULL)'),
  same('unpriced_tokens', 'sum(iif(cost_nano_usd IS NULL, input_tokens + output_tokens, 0))'),
  same('estimated_requests', "sum(usage_source = 'estimated')"),
  same('cache_hits', "sum(cache = 'hit')"),
  atLeast('max_cost_nano_usd', 'coalesce(max(cost_nano_usd), 0)'),
  atLeast('max_latency_ms', 'max(latency_ms)'),
  atMost('min_seq', 'min(seq)'),
  atLeast('max_seq', 'max(seq)'),
]

const OF_ROWS = FIELDS.map(({ ofRows }) => `CAST(${ofRows} AS TEXT)`).join(', ')
const OF_ROLLUPS = FIELDS.map(({ ofRollups }) => `CAST(${ofRollups} AS TEXT)`).join(', ')

/** Where the rollups do not say what the rows say, by series and by hour, from this day on. */
export function compareSums(reader: MonthReader, firstDay: number): Drift[] {
  const { connection, month } = reader
  const { start } = bounds(month)
  const all = (sql: string): Values =>
    new Map(
      connection
        .prepare<[], [key: number, ...values: string[]]>(sql)
        .raw()
        .all()
        .map(([key, ...values]) => [key, values]),
    )
  const series = reader.series()
  const rows = rowsSince(reader, firstDay)
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
  const byTime = LEVELS.flatMap(({ table, ms }) => {
    const timeOf = (index: number) => new Date(start + index * ms).toISOString().slice(0, ms === HOUR_MS ? 13 : 10)
    const rowsByTime = `FROM ${rows} GROUP BY 1`
    const rollupsByTime = `FROM ${rollupsOf(table, ms)} GROUP BY 1`
    const at = `(at - ${start}) / ${ms}`
    return [
      ...differences(
        month,
        table,
        all(`SELECT ${at}, ${OF_ROWS} ${rowsByTime}`),
        all(`SELECT id >> 32, ${OF_ROLLUPS} ${rollupsByTime}`),
        timeOf,
      ),
      ...histogramDifferences(
        month,
        table,
        all(`SELECT ${at}, count(*), count(first_token_ms) ${rowsByTime}`),
        all(`SELECT id >> 32, group_concat(latencies, ''), group_concat(first_tokens, '') ${rollupsByTime}`),
        timeOf,
      ),
    ]
  })
  return [...bySeries, ...byTime]
}

/** For `FROM`: the rows of this day and later ones. */
export function rowsSince({ connection, month }: MonthReader, firstDay: number): string {
  const { start } = bounds(month)
  if (firstDay === start) return 'requests WHERE 1'
  return `requests WHERE seq >= ${firstRow(connection, firstDay - start)} AND at >= ${firstDay}`
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
  return keysOf(rows, rollups).flatMap((key) =>
    FIELDS.flatMap(({ name: field, holds }, i) => {
      const expected = rows.get(key)?.[i]
      const found = rollups.get(key)?.[i]
      // Where there is nothing to compare, the number of requests has said so.
      if (holds && (expected === undefined || found === undefined || holds(expected, found))) return []
      if ((expected ?? '0') === (found ?? '0')) return []
      return [{ month, table, key: nameOf(key), field, expected: expected ?? '0', found: found ?? '0' }]
    }),
  )
}

/** Whether as many are in the histograms as there are rows. */
function histogramDifferences(
  month: string,
  table: string,
  rows: Values,
  rollups: Values,
  nameOf: (key: number) => string,
): Drift[] {
  return keysOf(rows, rollups).flatMap((key) =>
    ['latencies', 'first_tokens'].flatMap((field, i) => {
      const expected = Number(rows.get(key)?.[i] ?? 0)
      const found = countIn(rollups.get(key)?.[i] ?? '')
      if (expected === found) return []
      return [{ month, table, key: nameOf(key), field, expected: String(expected), found: String(found) }]
    }),
  )
}

function countIn(text: string): number {
  const histogram: number[] = []
  addText(histogram, text)
  return Object.values(histogram).reduce((sum, count) => sum + count, 0)
}

const keysOf = (a: Values, b: Values) => [...new Set([...a.keys(), ...b.keys()])]
