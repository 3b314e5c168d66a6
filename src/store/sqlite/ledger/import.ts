import type { Connection } from '../connect.ts'
import { type RawRow, SELECTED_OLD, toRow } from './columns.ts'
import { createFormIndex } from './forms.ts'
import { createInsert } from './insert.ts'
import { bindRow, COLUMNS } from './row.ts'
import { createSeriesIndex } from './series.ts'

const BATCH = 5_000

/** Writes the rows of a table of version 1, with their numbers. Their rollups are still to be made. */
export function importRows(from: Connection, table: string, to: Connection): void {
  const series = createSeriesIndex(to)
  const forms = createFormIndex(to)
  const insert = createInsert(to, 'INSERT INTO requests', ['seq', ...COLUMNS])
  const rows = from.prepare<[after: number], RawRow>(
    `SELECT seq, counts, ${SELECTED_OLD} FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) return
    insert(batch.length, (i, values) => {
      const raw = batch[i]!
      const row = toRow(raw)
      last = Number(raw.seq)
      values.push(last)
      const found = series.of(row)
      bindRow(row, found, forms.of(row, found.id), Number(raw.counts), values)
    })
  }
}
