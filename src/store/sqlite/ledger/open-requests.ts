import type { OpenRequest } from '../../store.ts'
import { toStoreError } from '../errors.ts'
import { type RawRow, SELECTED_OPEN, toOpen } from './columns.ts'
import { fileOf, type Month, monthsIn } from './month.ts'
import { openForReading } from './month-file.ts'
import { IS_ODD_OPEN } from './verify-rows.ts'

/**
 * All that is open in any month, oldest first; what makes no sense is left to `verify`. Read at start, hence without the worker. A
 * month that cannot be read is told of, with a `StoreError`, and left out.
 */
export function readOpenRequests(folder: string, onDamage: (month: Month, error: unknown) => void): OpenRequest[] {
  const open = monthsIn(folder).flatMap((month) => {
    try {
      return openIn(folder, month)
    } catch (error) {
      onDamage(month, toStoreError(error, fileOf(folder, month)))
      return []
    }
  })
  return open.sort((a, b) => a.at - b.at)
}

function openIn(folder: string, month: Month): OpenRequest[] {
  const connection = openForReading(folder, month)
  if (!connection) return []
  try {
    const select = connection.prepare<[], RawRow>(
      `SELECT ${SELECTED_OPEN} FROM open_requests WHERE NOT (${IS_ODD_OPEN})`,
    )
    return select.all().map(toOpen)
  } finally {
    connection.close()
  }
}
