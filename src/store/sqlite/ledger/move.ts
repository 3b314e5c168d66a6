import type { LedgerRow } from '../../store.ts'
import type { Engine } from '../engine.ts'
import { type RawRow, SELECTED_OLD, toRow } from './columns.ts'
import type { Counters } from './counters.ts'
import { type Month, monthOf } from './month.ts'
import type { MonthFiles } from './month-file.ts'

const BATCH = 5_000

/**
 * Brings the ledger of versions that kept it in the main file (`old_requests`, see migration 0003) into the month files, and drops
 * the table. A month notes the last row that came to it with the rows, so that it can be interrupted anywhere. The number of rows moved.
 */
export function moveOldRows({ connection, write }: Engine, months: MonthFiles, counters: Counters): number {
  const isThere = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'old_requests'")
  if (!isThere.get()) return 0
  for (let total = 0; ; ) {
    const moved = write(() => {
      // Another process may have been faster.
      if (!isThere.get()) return null
      const batch = readBatch(connection)
      const last = batch.at(-1)
      if (!last) {
        connection.exec('DROP TABLE old_requests')
        return null
      }
      for (const [month, rows] of byMonth(batch)) moveTo(month, rows, months, counters)
      connection.prepare('DELETE FROM old_requests WHERE seq <= ?').run(last.seq)
      return batch.length
    })
    if (moved === null) {
      if (total > 0) shrink(connection)
      return total
    }
    total += moved
  }
}

type Moved = { seq: number; row: LedgerRow }

function readBatch(connection: Engine['connection']): Moved[] {
  const rows = connection
    .prepare<[], RawRow>(`SELECT seq, ${SELECTED_OLD} FROM old_requests ORDER BY seq LIMIT ${BATCH}`)
    .all()
  return rows.map((raw) => ({ seq: Number(raw.seq), row: toRow(raw) }))
}

function byMonth(batch: Moved[]): Map<Month, Moved[]> {
  return Map.groupBy(batch, ({ row }) => monthOf(row.at))
}

function moveTo(month: Month, batch: Moved[], months: MonthFiles, counters: Counters): void {
  const writer = months.writer(month)
  const before = writer.moved()
  const fresh = batch.filter(({ seq }) => seq > before)
  const rows = fresh.map(({ row }) => row)
  // Their tokens counted them when they ended.
  const counts = rows.map(() => false)
  const written = writer.write({ rows, counts, opens: [], moved: batch.at(-1)!.seq })
  if (written) counters.skipTo(month, written.last)
}

/** Gives the space back. Only what is left in the file is copied: little. */
function shrink(connection: Engine['connection']): void {
  try {
    connection.exec('VACUUM')
  } catch {
    // Another process is reading, or the disk is almost full: the space is used again by and by.
  }
}
