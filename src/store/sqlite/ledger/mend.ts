import type { Connection } from '../connect.ts'
import { type RawRow, SELECTED, toRow } from './columns.ts'
import { IS_ODD_OPEN } from './open-row.ts'
import type { MonthRollups } from './rollups.ts'
import type { SeriesIndex } from './series.ts'
import { DICTIONARY_NAMES, readSpare, readTable, restore } from './spare.ts'

const BATCH = 5_000

/** What stands where a name was before it was lost. */
const LOST = '(lost)'
const LOST_ROWS = {
  series: { column: 'series', values: ['', '', LOST, '', LOST, 0, ''] },
  forms: { column: 'form', values: [LOST, null, 0, 'none', null, null, 'bypass', '[]', '[]'] },
}

/**
 * Mends the names of rows from their second copy, and builds all rollups anew. To be used inside a transaction, which writers wait
 * for. Throws `StoreError` `corrupt` when a row cannot be read.
 */
export function mend(connection: Connection, rollups: MonthRollups, series: SeriesIndex): void {
  mendNames(connection)
  series.reset()
  connection.exec(`DELETE FROM open_requests WHERE ${IS_ODD_OPEN}`)
  connection.exec("DELETE FROM meta WHERE name IN ('missing_from', 'missing_to')")
  const rows = connection.prepare<[after: number], RawRow>(
    `SELECT seq, series, ${SELECTED} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
  )
  rollups.clear()
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) return
    for (const raw of batch) {
      last = Number(raw.seq)
      rollups.add(toRow(raw), series.byId(Number(raw.series)), last)
    }
    rollups.write()
    rollups.bringForward()
  }
}

/**
 * The second copy, whose checksum is right, is believed more. Where a name is lost twice, its rows get one that says so: their numbers
 * still count.
 */
function mendNames(connection: Connection): void {
  for (const name of DICTIONARY_NAMES) {
    const all = new Map([...readTable(connection, name), ...readSpare(connection, name)])
    const { column, values } = LOST_ROWS[name]
    const used = connection.prepare<[], number>(`SELECT DISTINCT ${column} FROM requests`).pluck().all()
    const lost = used.filter((id) => !all.has(id))
    if (lost.length > 0) {
      const content = JSON.stringify(values)
      const before = [...all].find(([, one]) => one === content)
      const id = before?.[0] ?? 1 + [...all.keys(), ...used].reduce((highest, one) => Math.max(highest, one), 0)
      all.set(id, content)
      const assign = connection.prepare(`UPDATE requests SET ${column} = ? WHERE ${column} = ?`)
      for (const one of lost) assign.run(id, one)
    }
    restore(connection, name, all)
  }
}
