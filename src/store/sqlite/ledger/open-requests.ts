import type { OpenRequest } from '../../store.ts'
import { type RawRow, selected } from './columns.ts'
import { monthsIn } from './month.ts'
import { openForReading } from './month-file.ts'
import { OPEN_COLUMNS, toOpen } from './open-row.ts'

/** All that is open in any month, oldest first. Read at start, hence without the worker. Throws. */
export function readOpenRequests(folder: string): OpenRequest[] {
  const open = monthsIn(folder).flatMap((month) => {
    const connection = openForReading(folder, month)
    if (!connection) return []
    try {
      return connection
        .prepare<[], RawRow>(`SELECT ${selected(OPEN_COLUMNS)} FROM open_requests`)
        .all()
        .map(toOpen)
    } finally {
      connection.close()
    }
  })
  return open.sort((a, b) => a.at - b.at)
}
