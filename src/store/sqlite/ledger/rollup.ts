import type { LedgerRow } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { bounds, DAY_MS, HOUR_MS, type Month } from './month.ts'
import { addRaw, addRow, bindSums, emptySums, ROLLUP_COLUMNS, SELECT_ONE, type Sums } from './sums.ts'

/** A rollup's id: hour or day of the month times this, plus the series. */
export const SERIES = 2 ** 32
/** `sinceStart`: from the start of the month; `ms`: the length of an hour or a day. */
export const rollupId = (sinceStart: number, ms: number, series: number): number =>
  Math.floor(sinceStart / ms) * SERIES + series

/** `totals`: each hour of all series as one, under the series 0. Reports without a filter, and pages, need no more. */
export const LEVELS = [
  { table: 'hourly', ms: HOUR_MS, bySeries: true },
  { table: 'daily', ms: DAY_MS, bySeries: true },
  { table: 'totals', ms: HOUR_MS, bySeries: false },
] as const
export type Level = (typeof LEVELS)[number]['table']

const MAX_CACHED = 5_000

/**
 * Adds rows to the rollups of their hour and day. To be used inside a transaction. What was read or written stays in memory, so that
 * a row of a busy series costs one write without a read; `reset` forgets it, after a rollback or another process's commit.
 */
export type Rollups = {
  add(row: LedgerRow, series: number, seq: number): void
  /** Writes what was added. */
  write(): void
  reset(): void
}

export function createRollups(connection: Connection, month: Month): Rollups {
  const { start } = bounds(month)
  const levels = LEVELS.map((level) => createLevel(connection, level, start))
  return {
    add(row, series, seq) {
      for (const level of levels) level.add(row, series, seq)
    },
    write() {
      for (const level of levels) level.write()
    },
    reset() {
      for (const level of levels) level.reset()
    },
  }
}

function createLevel(connection: Connection, { table, ms, bySeries }: (typeof LEVELS)[number], start: number): Rollups {
  const read = connection
    .prepare<[id: number], (number | string)[]>(`SELECT ${SELECT_ONE} FROM ${table} WHERE id = ?`)
    .raw()
  const insert = connection.prepare(
    `INSERT INTO ${table} (${ROLLUP_COLUMNS}, id) VALUES (${ROLLUP_COLUMNS.map(() => '?')}, ?)`,
  )
  const update = connection.prepare(`UPDATE ${table} SET ${ROLLUP_COLUMNS.map((name) => `${name} = ?`)} WHERE id = ?`)
  /** Those that are in the file. */
  const stored = new Set<number>()
  const known = new Map<number, Sums>()
  const changed = new Map<number, Sums>()

  const forget = () => {
    known.clear()
    stored.clear()
  }

  const find = (id: number): Sums => {
    const sums = known.get(id) ?? emptySums()
    if (known.has(id)) return sums
    const raw = read.get(id)
    if (raw) {
      addRaw(sums, raw)
      stored.add(id)
    }
    known.set(id, sums)
    return sums
  }

  return {
    add(row, series, seq) {
      const id = rollupId(row.at - start, ms, bySeries ? series : 0)
      let sums = changed.get(id)
      if (!sums) {
        sums = find(id)
        changed.set(id, sums)
      }
      addRow(sums, row, seq)
    },
    write() {
      for (const [id, sums] of changed) {
        const statement = stored.has(id) ? update : insert
        statement.run(bindSums(sums), id)
        stored.add(id)
      }
      changed.clear()
      if (known.size > MAX_CACHED) forget()
    },
    reset() {
      forget()
      changed.clear()
    },
  }
}
