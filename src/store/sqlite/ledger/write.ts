import { type LedgerRow, type OpenRequest, StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { createFormIndex } from './forms.ts'
import { createInsert } from './insert.ts'
import { mend } from './mend.ts'
import type { Month } from './month.ts'
import { bindOpen, OPEN_COLUMNS } from './open-row.ts'
import { createRollups } from './rollups.ts'
import { bindRow, COLUMNS } from './row.ts'
import { createSeriesIndex } from './series.ts'

/** Between the rows with their hourly rollups, and the other ones. What many rows add to the same one is written once. */
const FOLLOW_MS = 10_000

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
  /** Rows, their hourly rollups and what is open, in one transaction. Throws `StoreError`, and then nothing is written. */
  write(part: MonthPart): Written
  /** The last row of the old table that has come here. */
  moved(): number
  /** Writes the rollups that follow later, now. What cannot be written waits on. */
  follow(): void
  /** Builds all that is made of rows anew, in one transaction. Throws `StoreError`. */
  repair(): void
  close(): void
}

export function createWriter(connection: Connection, month: Month): MonthWriter {
  const insertAll = createInsert(connection, 'INSERT INTO requests', COLUMNS)
  const open = connection.prepare(`INSERT INTO open_requests (${OPEN_COLUMNS}) VALUES (${OPEN_COLUMNS.map(() => '?')})`)
  const end = connection.prepare<[id: string]>('DELETE FROM open_requests WHERE request_id = ?')
  const note = connection.prepare<[seq: number]>("INSERT OR REPLACE INTO meta VALUES ('moved', ?)")
  const moved = connection.prepare<[], number>("SELECT value FROM meta WHERE name = 'moved'").pluck()
  const dataVersion = connection.prepare<[], number>('PRAGMA data_version').pluck()
  const series = createSeriesIndex(connection)
  const forms = createFormIndex(connection)
  const rollups = createRollups(connection, month, series)
  let seen: number | undefined
  let timer: NodeJS.Timeout | undefined
  /** Why the rollups cannot follow, where that is not a matter of time. */
  let damage: StoreError | null = null

  /** Inside the lock: when another process has written since, what is in memory is no longer what is in the file. */
  const compare = () => {
    const version = dataVersion.get()
    if (version === seen) return
    rollups.reset()
    forms.refresh()
    seen = version
  }
  /** Throws `StoreError`; what is in memory is what is in the file then. */
  const guard = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      rollups.reset()
      try {
        series.reset()
        forms.reset()
      } catch {
        // The file cannot even be read; the next batch meets the same.
      }
      throw toStoreError(error, connection.name)
    }
  }

  const write = connection.transaction((part: MonthPart): Written => {
    compare()
    // First these: a request may be opened and ended in the same batch.
    for (const request of part.opens) open.run(bindOpen(request))
    const { rows, counts } = part
    const found = rows.map((row) => series.of(row))
    const last = insertAll(rows.length, (i, values) =>
      bindRow(rows[i]!, found[i]!, forms.of(rows[i]!, found[i]!.id), counts[i] ? 1 : 0, values),
    )
    // Numbers without gaps: nobody else writes meanwhile, and nothing is ever deleted.
    const first = last - rows.length + 1
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      rollups.add(row, found[i]!, first + i)
      if (row.reservedNanoUsd !== null) end.run(row.requestId)
    }
    rollups.write()
    if (part.moved !== undefined) note.run(part.moved)
    return rows.length === 0 ? null : { first, last }
  })

  const bringForward = connection.transaction(() => {
    compare()
    rollups.bringForward()
  })

  /** The rows are safe: what goes wrong here must not look as if they were not. */
  const followNow = () => {
    clearTimeout(timer)
    timer = undefined
    try {
      while (!rollups.isDone()) guard(bringForward.immediate)
      damage = null
    } catch (error) {
      // Until then readers take it from the hourly rollups.
      if (error instanceof StoreError && (error.kind === 'full' || error.kind === 'busy')) followLater(FOLLOW_MS)
      else damage = toDamage(error, connection.name)
    }
  }
  const followLater = (ms: number) => {
    timer ??= setTimeout(followNow, ms).unref()
  }

  return {
    connection,
    write(part) {
      // Rows go on waiting rather than into a file whose sums stay behind for ever.
      if (damage) followNow()
      if (damage) throw damage
      const written = guard(() => write.immediate(part))
      if (rollups.isFull()) followNow()
      else if (written) followLater(FOLLOW_MS)
      return written
    },
    moved: () => moved.get() ?? 0,
    follow: followNow,
    repair() {
      guard(() => {
        connection.transaction(() => mend(connection, rollups, series)).immediate()
        forms.reset()
      })
      damage = null
    },
    close() {
      followNow()
      clearTimeout(timer)
      connection.close()
    },
  }
}

/** A failure of the file, never of the next row. */
const toDamage = (error: unknown, path: string): StoreError =>
  error instanceof StoreError && (error.kind === 'corrupt' || error.kind === 'unavailable')
    ? error
    : new StoreError(
        'corrupt',
        `The sums in ${path} cannot be brought forward (${Object(error).message}): stop the gateway, then "llm-proxy ledger verify --repair".`,
        { cause: error },
      )
