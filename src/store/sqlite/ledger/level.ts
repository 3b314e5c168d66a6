import type { Connection } from '../connect.ts'
import { createInsert } from './insert.ts'
import { DAY_MS, HOUR_MS } from './month.ts'
import type { SeriesIds } from './series.ts'
import { addRaw, bindSums, emptySums, ROLLUP_COLUMNS, SELECT_ONE, type Sums } from './sums.ts'

/** A rollup's id: hour or day of the month times this, plus the series. */
export const SERIES = 2 ** 32
/** `sinceStart`: from the start of the month; `ms`: the length of an hour or a day. */
export const rollupId = (sinceStart: number, ms: number, series: number): number =>
  Math.floor(sinceStart / ms) * SERIES + series

/** `by`: what a rollup is of: a series, or a part of one. Of parts there are few in an hour. */
export const LEVELS = [
  { table: 'hourly', ms: HOUR_MS, by: 'id' },
  { table: 'daily', ms: DAY_MS, by: 'id' },
  { table: 'callers', ms: HOUR_MS, by: 'caller' },
  { table: 'kinds', ms: HOUR_MS, by: 'kind' },
  { table: 'project_kinds', ms: HOUR_MS, by: 'projectKind' },
] as const satisfies { table: string; ms: number; by: keyof SeriesIds }[]
export type Level = (typeof LEVELS)[number]['table']

const MAX_CACHED = 5_000

/** `before`: what it was when the later levels were last told of it; null when they know all of it. */
export type Rollup = { id: number; sums: Sums; before: Sums | null; isChanged: boolean }

/**
 * The rollups of one table. To be used inside a transaction. What was read or written stays in memory, so that a busy one costs one
 * write without a read; `reset` forgets it, after a rollback or another process's commit.
 */
export type Rollups = {
  /** To be added to. */
  at(id: number): Rollup
  /** Writes those that were asked for. */
  write(): void
  reset(): void
}

export function openLevel(connection: Connection, table: Level): Rollups {
  const read = connection
    .prepare<[id: number], (number | string)[]>(`SELECT ${SELECT_ONE} FROM ${table} WHERE id = ?`)
    .raw()
  const replace = createInsert(connection, `INSERT OR REPLACE INTO ${table}`, [...ROLLUP_COLUMNS, 'id'])
  const known = new Map<number, Rollup>()
  let changed: Rollup[] = []

  const load = (id: number): Rollup => {
    const sums = emptySums()
    const raw = read.get(id)
    if (raw) addRaw(sums, raw)
    const rollup = { id, sums, before: null, isChanged: false }
    known.set(id, rollup)
    return rollup
  }

  return {
    at(id) {
      const rollup = known.get(id) ?? load(id)
      if (!rollup.isChanged) {
        rollup.isChanged = true
        changed.push(rollup)
      }
      return rollup
    },
    write() {
      if (changed.length === 0) return
      replace(changed.length, (i, values) => {
        const rollup = changed[i]!
        rollup.isChanged = false
        bindSums(rollup.sums, rollup.id, values)
      })
      changed = []
      if (known.size > MAX_CACHED) known.clear()
    },
    reset() {
      known.clear()
      changed = []
    },
  }
}
