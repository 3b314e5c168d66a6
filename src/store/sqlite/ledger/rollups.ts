import type { Connection } from '../connect.ts'
import { LEVELS, openLevel, type Rollup, rollupId, SERIES } from './level.ts'
import { bounds, HOUR_MS, type Month } from './month.ts'
import type { SeriesIds, SeriesIndex } from './series.ts'
import { type RawSummed, SELECT_SUMMED, toSummed } from './summed.ts'
import { addDifference, addRow, copySums, emptySums, type Summed, type Sums } from './sums.ts'

/** So many sums may wait: writing them holds the event loop up for some milliseconds. */
const MAX_WAITING = 500
/** So many rows, when their sums are not in memory and have to be read from the file. */
const MAX_UNREAD = 1_000
const MAX_READ = 5_000

/** The number of the last row that is in all rollups; only the hourly ones have those behind it. */
export const APPLIED = "SELECT coalesce((SELECT value FROM meta WHERE name = 'applied'), 0)"

const [HOURLY, ...LATER] = LEVELS

/**
 * The hourly rollups are written with their rows. All others follow, some seconds later and many rows at once, in transactions of their
 * own (`bringForward`), which note the last row that they hold. So each row is in them once, whoever wrote it and whatever died.
 *
 * To be used inside transactions of the one who writes.
 */
export type MonthRollups = {
  /** A row that this transaction writes. Rows come in the order of their numbers. */
  add(row: Summed, series: SeriesIds, seq: number): void
  /** Writes the hourly rollups. */
  write(): void
  /** Writes the others, up to some thousand rows on: to be called until `isDone`. */
  bringForward(): void
  /** Nothing waits, as far as is known. */
  isDone(): boolean
  /** So much waits that it should be written now. */
  isFull(): boolean
  /** Forgets what is in memory: after a rollback, or another process's commit. */
  reset(): void
  /** Empties them, to be filled anew with every row. */
  clear(): void
}

/** The hourly rollups that hold rows, up to `last`, of which the later levels do not know. */
type Waiting = { last: number; rollups: { rollup: Rollup; series: SeriesIds }[] }

export function createRollups(connection: Connection, month: Month, index: SeriesIndex): MonthRollups {
  const { start } = bounds(month)
  const applied = connection.prepare<[], number>(APPLIED).pluck()
  const note = connection.prepare<[seq: number]>("INSERT OR REPLACE INTO meta VALUES ('applied', ?)")
  const newer = connection
    .prepare<[after: number], RawSummed>(
      `SELECT ${SELECT_SUMMED} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ${MAX_READ}`,
    )
    .raw()
  const hourly = openLevel(connection, HOURLY.table)
  const later = LATER.map((level) => ({ ...level, rollups: openLevel(connection, level.table) }))
  /** Null: not known, so the file has to be asked. */
  let waiting: Waiting | null = null
  /** How many rows were added since it is not known. */
  let unread = 0

  const readWaiting = (after: number): { batch: Waiting; isAll: boolean } => {
    const batch: Waiting = { last: after, rollups: [] }
    const found = new Map<number, Sums>()
    const rows = newer.all(after)
    for (const raw of rows) {
      const { row, series: seriesId, seq } = toSummed(raw)
      const id = rollupId(row.at - start, HOUR_MS, seriesId)
      let sums = found.get(id)
      if (!sums) {
        sums = emptySums()
        found.set(id, sums)
        // As if the hour had begun with these rows.
        const rollup = { id, sums, before: emptySums(), isChanged: false }
        batch.rollups.push({ rollup, series: index.byId(seriesId) })
      }
      addRow(sums, row, seq)
      batch.last = seq
    }
    return { batch, isAll: rows.length < MAX_READ }
  }

  const forget = () => {
    hourly.reset()
    for (const { rollups } of later) rollups.reset()
  }

  return {
    add(row, series, seq) {
      const rollup = hourly.at(rollupId(row.at - start, HOUR_MS, series.id))
      if (!waiting) unread++
      else {
        waiting.last = seq
        if (!rollup.before) {
          rollup.before = copySums(rollup.sums)
          waiting.rollups.push({ rollup, series })
        }
      }
      addRow(rollup.sums, row, seq)
    },
    write: () => hourly.write(),
    bringForward() {
      const noted = applied.get()!
      const { batch, isAll } = waiting ? { batch: waiting, isAll: true } : readWaiting(noted)
      for (const { rollup, series } of batch.rollups) {
        const sinceStart = Math.floor(rollup.id / SERIES) * HOUR_MS
        for (const { ms, by, rollups } of later)
          addDifference(rollups.at(rollupId(sinceStart, ms, series[by])).sums, rollup.sums, rollup.before!)
        rollup.before = null
      }
      for (const { rollups } of later) rollups.write()
      if (batch.last !== noted) note.run(batch.last)
      waiting = isAll ? { last: batch.last, rollups: [] } : null
      unread = 0
    },
    isDone: () => waiting !== null && waiting.rollups.length === 0,
    isFull: () => (waiting ? waiting.rollups.length >= MAX_WAITING : unread >= MAX_UNREAD),
    reset() {
      waiting = null
      forget()
    },
    clear() {
      for (const { table } of LEVELS) connection.exec(`DELETE FROM ${table}`)
      note.run(0)
      forget()
      waiting = { last: 0, rollups: [] }
    },
  }
}
