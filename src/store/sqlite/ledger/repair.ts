import type { LedgerRow } from '../../store.ts'
import { type RawRow, SELECTED, toRow } from './columns.ts'
import type { Month } from './month.ts'
import { createRollups, LEVELS } from './rollup.ts'
import { createSeriesIndex } from './series.ts'
import type { MonthWriter } from './write.ts'

const BATCH = 5_000

/** Builds the rollups of a month anew from its rows, in one transaction that writers wait for. Throws. */
export function repair({ connection }: MonthWriter, month: Month): void {
  const rows = connection.prepare<[after: number], RawRow>(
    `SELECT seq, series, ${SELECTED} FROM requests WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  const known = connection.prepare<[id: number], number>('SELECT 1 FROM series WHERE id = ?').pluck()
  const assign = connection.prepare<[series: number, seq: number]>('UPDATE requests SET series = ? WHERE seq = ?')
  const rebuild = connection.transaction(() => {
    for (const { table } of LEVELS) connection.exec(`DELETE FROM ${table}`)
    const rollups = createRollups(connection, month)
    const series = createSeriesIndex(connection)
    for (let last = 0; ; ) {
      const batch = rows.all(last)
      if (batch.length === 0) return
      for (const raw of batch) {
        const row: LedgerRow = toRow(raw)
        last = Number(raw.seq)
        let id = Number(raw.series)
        if (known.get(id) === undefined) {
          id = series.idOf(row)
          assign.run(id, last)
        }
        rollups.add(row, id, last)
      }
      rollups.write()
    }
  })
  rebuild.immediate()
}
