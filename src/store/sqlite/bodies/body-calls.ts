import { statfsSync } from 'node:fs'
import { deflateSync, inflateSync } from 'node:zlib'
import { registerSecret } from '../../../redact.ts'
import type { KeptBodies } from '../../bodies.ts'
import { toKept } from '../../keep-bodies.ts'
import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { bounds, type Month, monthOf } from '../ledger/month.ts'
import { bodyMonthsIn, createBodyFiles } from './body-files.ts'
import { type Packed, unpack } from './pack.ts'

/** So many rows are deleted at once: writing has its turn in between. */
const PRUNED_AT_ONCE = 200

export type BodyCalls = {
  /** `secrets`: to be masked from now on. How many were kept. */
  append(batch: Packed, secrets: string[]): number
  get(month: Month, requestId: string): KeptBodies | null
  /** Deletes months that end at or before `before`, and some of the rest; `more`: there is more of it. */
  prune(before: number, now: number): { months: Month[]; requests: number; more: boolean }
}

type Row = { requestId: string; at: number; content: Buffer }

/** What the thread does. `reserveBytes`: of the disk, which are left to the ledger. */
export function createBodyCalls(folder: string, reserveBytes: number): BodyCalls {
  const files = createBodyFiles(folder)

  return {
    append(batch, secrets) {
      for (const secret of secrets) registerSecret(secret)
      leaveRoom(folder, reserveBytes)
      const rows = unpack(batch).flatMap((raw): Row[] => {
        try {
          const document = JSON.stringify(toKept(raw))
          return [{ requestId: raw.requestId, at: raw.at, content: deflateSync(document) }]
        } catch {
          // One that cannot be read is missing in the count, and the others are kept.
          return []
        }
      })
      for (const [month, ofMonth] of Map.groupBy(rows, ({ at }) => monthOf(at))) insert(files.writer(month), ofMonth)
      return rows.length
    },

    get(month, requestId) {
      const content = files.read(
        month,
        (connection) =>
          connection
            .prepare<[string], Buffer>('SELECT content FROM bodies WHERE request_id = ?')
            .pluck()
            .get(requestId) ?? null,
      )
      return content && (JSON.parse(inflateSync(content).toString()) as KeptBodies)
    },

    prune(before, now) {
      const old = bodyMonthsIn(folder).filter((month) => bounds(month).start < before)
      const months = old.filter((month) => bounds(month).end <= before && month < monthOf(now))
      for (const month of months) files.delete(month)
      let requests = 0
      for (const month of old) {
        if (!months.includes(month)) requests += remove(files.writer(month), before, PRUNED_AT_ONCE - requests)
      }
      return { months, requests, more: requests === PRUNED_AT_ONCE }
    },
  }
}

function insert(connection: Connection, rows: Row[]): void {
  // The same request twice is the same request.
  const statement = connection.prepare<Row>(
    'INSERT OR REPLACE INTO bodies (request_id, at, content) VALUES (:requestId, :at, :content)',
  )
  transact(connection, () => {
    for (const row of rows) statement.run(row)
  })
}

/** At most so many; how many it were. */
function remove(connection: Connection, before: number, most: number): number {
  const statement = connection.prepare<[number, number]>(
    'DELETE FROM bodies WHERE rowid IN (SELECT rowid FROM bodies WHERE at < ? LIMIT ?)',
  )
  const deleted = transact(connection, () => statement.run(before, most).changes)
  // What was deleted also stands in the log of the file, until that is empty.
  if (deleted > 0) connection.pragma('wal_checkpoint(TRUNCATE)')
  return deleted
}

function transact<T>(connection: Connection, work: () => T): T {
  try {
    return connection.transaction(work).immediate()
  } catch (error) {
    throw toStoreError(error, connection.name)
  }
}

/** A disk that bodies have filled would stop the ledger, and with it the gateway. */
function leaveRoom(folder: string, reserveBytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= reserveBytes) return
  throw new StoreError(
    'full',
    `The disk that holds ${folder} has less than ${Math.ceil(reserveBytes / 1024 / 1024)} MB left, which are for the ledger: free some space; no bodies were kept.`,
  )
}
