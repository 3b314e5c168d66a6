import { existsSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { StoreError } from '../../store.ts'
import { type Connection, connect } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { fileOf, type Month } from './month.ts'
import { createSchema, refuseOthers, versionOf } from './month-schema.ts'
import { createWriter, type MonthWriter } from './write.ts'

/** At most so many months are open for writing: this one, the one before for what runs long, and one for an import. */
const MAX_OPEN = 3
/** A writer that nobody used for so long may be closed to delete its file. */
const IDLE_MS = 60_000

/** The months that are being written to. All methods throw `StoreError`. */
export type MonthFiles = {
  readonly folder: string
  /** The file is created when there is none. */
  writer(month: Month): MonthWriter
  /** The writer, where it is open. */
  opened(month: Month): MonthWriter | null
  /** Closes the writer, unless it was used a moment ago: false then. */
  release(month: Month): boolean
  close(): void
}

export function createMonthFiles(folder: string, { readOnly = false } = {}): MonthFiles {
  const open = new Map<Month, { writer: MonthWriter; usedAt: number }>()

  const make = (month: Month): MonthWriter => {
    const path = fileOf(folder, month)
    if (readOnly)
      throw new StoreError(
        'read_only',
        `The ledger ${path} cannot be written: the database was opened for reading only; its folder must be writable.`,
      )
    let connection: Connection | undefined
    try {
      connection = connect(path)
      refuseOthers(connection)
      createSchema(connection)
      return createWriter(connection, month)
    } catch (error) {
      connection?.close()
      throw toStoreError(error, path)
    }
  }

  const closeLeastUsed = () => {
    const [least] = [...open].sort(([, a], [, b]) => a.usedAt - b.usedAt)
    if (!least) return
    open.delete(least[0])
    least[1].writer.connection.close()
  }

  return {
    folder,
    writer(month) {
      let entry = open.get(month)
      if (!entry) {
        const writer = make(month)
        if (open.size >= MAX_OPEN) closeLeastUsed()
        entry = { writer, usedAt: 0 }
        open.set(month, entry)
      }
      entry.usedAt = performance.now()
      return entry.writer
    },
    opened: (month) => open.get(month)?.writer ?? null,
    release(month) {
      const entry = open.get(month)
      if (!entry) return true
      if (performance.now() - entry.usedAt < IDLE_MS) return false
      open.delete(month)
      entry.writer.connection.close()
      return true
    },
    close() {
      for (const { writer } of open.values()) writer.connection.close()
      open.clear()
    },
  }
}

/** A month to read; null when there is no file, or one that another process is just making. Throws `StoreError`. */
export function openForReading(folder: string, month: Month): Connection | null {
  const path = fileOf(folder, month)
  if (!existsSync(path)) return null
  let connection: Connection | undefined
  try {
    connection = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5_000 })
    connection.pragma('query_only = ON')
    // Half a gigabyte of a file is read where it lies, without a copy.
    connection.pragma('mmap_size = 536870912')
    refuseOthers(connection)
    if (versionOf(connection) > 0) return connection
    connection.close()
    return null
  } catch (error) {
    connection?.close()
    throw toStoreError(error, path)
  }
}
