import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Connection, connect, connectReadOnly } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import type { Month } from '../ledger/month.ts'
import { createSchema, hasSchema } from './body-schema.ts'

/** This month, and the one before for what runs long. */
const MAX_OPEN = 2
const FILE = /^bodies-(\d{4,6}-\d{2})\.db$/

export const bodyFileOf = (folder: string, month: Month): string => join(folder, `bodies-${month}.db`)

/** The months that have a file in the folder, oldest first. */
export function bodyMonthsIn(folder: string): Month[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name) => FILE.exec(name)?.[1] ?? [])
    .sort()
}

/** The files of bodies, one for each month. All methods throw `StoreError`. */
export type BodyFiles = {
  /** Open for writing; the file is created when there is none. */
  writer(month: Month): Connection
  /** What `read` finds in the month, null when there is no file. */
  read<T>(month: Month, read: (connection: Connection) => T): T | null
  delete(month: Month): void
}

export function createBodyFiles(folder: string): BodyFiles {
  const open = new Map<Month, Connection>()

  const close = (month: Month) => {
    open.get(month)?.close()
    open.delete(month)
  }

  return {
    writer(month) {
      const known = open.get(month)
      if (known) return known
      const connection = prepare(connect(bodyFileOf(folder, month)))
      if (open.size >= MAX_OPEN) close([...open.keys()].sort()[0]!)
      open.set(month, connection)
      return connection
    },
    read(month, read) {
      const path = bodyFileOf(folder, month)
      const known = open.get(month)
      if (known) return guard(known, () => read(known))
      if (!existsSync(path)) return null
      const connection = connectReadOnly(path)
      try {
        return guard(connection, () => (hasSchema(connection) ? read(connection) : null))
      } finally {
        connection.close()
      }
    },
    delete(month) {
      close(month)
      // The file itself goes last: a leftover beside it would be taken for part of a new file of that name.
      for (const end of ['-wal', '-shm', '']) rmSync(`${bodyFileOf(folder, month)}${end}`, { force: true })
    },
  }
}

function prepare(connection: Connection): Connection {
  try {
    createSchema(connection)
    // What is deleted is overwritten, not only forgotten.
    connection.pragma('secure_delete = ON')
    return connection
  } catch (error) {
    connection.close()
    throw toStoreError(error, connection.name)
  }
}

function guard<T>(connection: Connection, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toStoreError(error, connection.name)
  }
}
