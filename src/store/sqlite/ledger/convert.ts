import type { Connection } from '../connect.ts'
import { type RawRow, SELECTED_OLD, toRow } from './columns.ts'
import { createFormIndex } from './forms.ts'
import { createInsert } from './insert.ts'
import type { Month } from './month.ts'
import { ROWS } from './month-schema.ts'
import { createRollups } from './rollups.ts'
import { bindRow, COLUMNS } from './row.ts'
import { createSeriesIndex } from './series.ts'

const BATCH = 5_000

/** Brings a month of version 1, whose rows said everything themselves, to today's form. To be used inside a transaction. */
export function convert(connection: Connection, month: Month): void {
  connection.exec(`ALTER TABLE requests RENAME TO old; DROP TABLE daily; DROP TABLE totals; ${ROWS}`)
  const series = createSeriesIndex(connection)
  const forms = createFormIndex(connection)
  const rollups = createRollups(connection, month, series)
  const insert = createInsert(connection, 'INSERT INTO requests', ['seq', ...COLUMNS])
  const rows = connection.prepare<[after: number], RawRow>(
    `SELECT seq, counts, ${SELECTED_OLD} FROM old WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  rollups.clear()
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) break
    insert(batch.length, (i, values) => {
      const raw = batch[i]!
      const row = toRow(raw)
      const found = series.of(row)
      last = Number(raw.seq)
      rollups.add(row, found, last)
      values.push(last)
      bindRow(row, found, forms.of(row), Number(raw.counts), values)
    })
    rollups.write()
    rollups.bringForward()
  }
  connection.exec('DROP TABLE old')
}
