import type { Connection } from '../connect.ts'
import { importRows } from './import.ts'
import { mend } from './mend.ts'
import type { Month } from './month.ts'
import { ROWS } from './month-schema.ts'
import { createRollups } from './rollups.ts'
import { createSeriesIndex } from './series.ts'

/** Brings a month of version 1, whose rows said everything themselves, to today's form. To be used inside a transaction. */
export function convert(connection: Connection, month: Month): void {
  connection.exec(`ALTER TABLE requests RENAME TO old; DROP TABLE daily; DROP TABLE totals; ${ROWS}`)
  importRows(connection, 'old', connection)
  connection.exec('DROP TABLE old')
  const series = createSeriesIndex(connection)
  mend(connection, createRollups(connection, month, series), series)
}
