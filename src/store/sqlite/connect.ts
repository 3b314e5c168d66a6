import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { isBusy, toStoreError } from './errors.ts'

export type Connection = Sqlite.Database

const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens the database file, created (0600, its folder 0700) when there is none, with the pragmas that every connection has.
 * The event loop waits: a month's file may be needed in the middle of a batch. Throws `StoreError` (`corrupt`, `read_only`, `busy` …).
 */
export function connect(path: string): Connection {
  let connection: Connection | undefined
  try {
    createFile(path)
    connection = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS })
    enterWal(connection)
    return prepare(connection)
  } catch (error) {
    connection?.close()
    throw toStoreError(error, path)
  }
}

function prepare(connection: Connection): Connection {
  connection.pragma('synchronous = NORMAL')
  connection.pragma('foreign_keys = ON')
  // Every checkpoint syncs the disk on the event loop; four times the usual size, a quarter as often (WAL: 16 MB).
  connection.pragma('wal_autocheckpoint = 4000')
  return connection
}

/** Opens an existing database without a chance to change it. */
export function connectReadOnly(path: string): Connection {
  try {
    return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw toStoreError(error, path)
  }
}

/** An empty file that only its owner may read; SQLite gives its -wal and -shm files the same mode. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600))
}

function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    createPrivateFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** SQLite does not wait by itself when two processes switch a new file to WAL at once: it says busy at once. */
function enterWal(connection: Connection): void {
  for (const deadline = performance.now() + BUSY_TIMEOUT_MS; ; ) {
    try {
      connection.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
