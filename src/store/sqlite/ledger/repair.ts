import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { type RawRow, SELECTED, toRow } from './columns.ts'
import type { Month } from './month.ts'
import type { MonthFiles } from './month-file.ts'
import { rebuild } from './rebuild.ts'
import { createRollups, LEVELS } from './rollup.ts'
import { createSeriesIndex } from './series.ts'
import { IS_ODD_OPEN } from './verify-rows.ts'

const BATCH = 5_000

/**
 * Builds what is made of a month's rows anew: in the file, or, where that is damaged, in a new one that takes its place. Writers wait
 * meanwhile. Throws `StoreError` when the rows themselves cannot be read.
 */
export function repair(months: MonthFiles, month: Month): void {
  try {
    const { connection } = months.writer(month)
    repairInPlace(connection, month)
  } catch (error) {
    const known = toStoreError(error, month)
    if (!(known instanceof StoreError) || (known.kind !== 'corrupt' && known.kind !== 'unavailable')) throw known
    months.close()
    rebuild(months.folder, month)
  }
}

function repairInPlace(connection: Connection, month: Month): void {
  const rows = connection.prepare<[after: number], RawRow>(
    `SELECT seq, series, ${SELECTED} FROM requests WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  const assign = connection.prepare<[series: number, seq: number]>('UPDATE requests SET series = ? WHERE seq = ?')
  const again = connection.transaction(() => {
    for (const { table } of LEVELS) connection.exec(`DELETE FROM ${table}`)
    connection.exec(`DELETE FROM open_requests WHERE ${IS_ODD_OPEN}`)
    connection.exec("DELETE FROM meta WHERE name IN ('missing_from', 'missing_to')")
    const rollups = createRollups(connection, month)
    const series = createSeriesIndex(connection)
    for (let last = 0; ; ) {
      const batch = rows.all(last)
      if (batch.length === 0) return
      for (const raw of batch) {
        const row = toRow(raw)
        last = Number(raw.seq)
        const id = series.idOf(row)
        if (id !== raw.series) assign.run(id, last)
        rollups.add(row, id, last)
      }
      rollups.write()
    }
  })
  again.immediate()
}
