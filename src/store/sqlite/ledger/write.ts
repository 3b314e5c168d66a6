import type { LedgerRow, OpenRequest } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { type Bound, bindOpen, bindRow, COLUMNS, OPEN_COLUMNS } from './columns.ts'
import type { Month } from './month.ts'
import { createRollups } from './rollup.ts'
import { createSeriesIndex } from './series.ts'

/** What one transaction writes to one month. */
export type MonthPart = {
  rows: LedgerRow[]
  /** Beside each row: does it count one request of its token? */
  counts: boolean[]
  opens: OpenRequest[]
  /** The last row of the old table among these, when they come from there. */
  moved?: number
}
/** The rows' numbers in the file, in a row without gaps; null where there were no rows. */
export type Written = { first: number; last: number } | null

export type MonthWriter = {
  connection: Connection
  /** Rows, their rollups and what is open, in one transaction. Throws `StoreError`, and then nothing is written. */
  write(part: MonthPart): Written
  /** The last row of the old table that has come here. */
  moved(): number
}

export function createWriter(connection: Connection, month: Month): MonthWriter {
  const insertAll = createInsert(connection)
  const open = connection.prepare(`INSERT INTO open_requests (${OPEN_COLUMNS}) VALUES (${OPEN_COLUMNS.map(() => '?')})`)
  const end = connection.prepare<[id: string]>('DELETE FROM open_requests WHERE request_id = ?')
  const note = connection.prepare<[seq: number]>("INSERT OR REPLACE INTO meta VALUES ('moved', ?)")
  const moved = connection.prepare<[], number>("SELECT value FROM meta WHERE name = 'moved'").pluck()
  const dataVersion = connection.prepare<[], number>('PRAGMA data_version').pluck()
  const series = createSeriesIndex(connection)
  const rollups = createRollups(connection, month)
  let seen: number | undefined

  const write = connection.transaction((part: MonthPart): Written => {
    // Inside the lock: when another process has written since, what is in memory is no longer what is in the file.
    const version = dataVersion.get()
    if (version !== seen) rollups.reset()
    seen = version
    // First these: a request may be opened and ended in the same batch.
    for (const request of part.opens) open.run(bindOpen(request))
    const { rows, counts } = part
    const ids = rows.map((row) => series.idOf(row))
    const last = insertAll(rows.map((row, i) => bindRow(row, ids[i]!, counts[i] ? 1 : 0)))
    // Numbers without gaps: nobody else writes meanwhile, and nothing is ever deleted.
    const first = last - rows.length + 1
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      rollups.add(row, ids[i]!, first + i)
      if (row.reservedNanoUsd !== null) end.run(row.requestId)
    }
    rollups.write()
    if (part.moved !== undefined) note.run(part.moved)
    return rows.length === 0 ? null : { first, last }
  })

  return {
    connection,
    write(part) {
      try {
        return write.immediate(part)
      } catch (error) {
        rollups.reset()
        try {
          series.reset()
        } catch {
          // The file cannot even be read; the next batch meets the same.
        }
        throw toStoreError(error, connection.name)
      }
    },
    moved: () => moved.get() ?? 0,
  }
}

/** One statement for many rows costs a fifth less CPU than one for each; these sizes make up any number. */
const SIZES = [16, 8, 4, 2, 1]

/** The number of the last row. */
function createInsert(connection: Connection): (rows: Bound[][]) => number {
  const one = `(${COLUMNS.map(() => '?')})`
  const statements = SIZES.map((size) => ({
    size,
    insert: connection.prepare(`INSERT INTO requests (${COLUMNS}) VALUES ${new Array(size).fill(one)}`),
  }))
  return (rows) => {
    let done = 0
    let last = 0
    for (const { size, insert } of statements) {
      for (; rows.length - done >= size; done += size) {
        last = Number(insert.run(rows.slice(done, done + size).flat()).lastInsertRowid)
      }
    }
    return last
  }
}
