import type { UsageFilter } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { type Month, monthsBetween, monthsIn } from './month.ts'
import { openForReading } from './month-file.ts'
import { APPLIED } from './rollups.ts'
import { createParts, type Names, OTHER, SELECT_NAMES, type SeriesIds } from './series.ts'

export type Series = SeriesIds & Names

/** A month open for reading, with what the reader knows of it. */
export type MonthReader = {
  month: Month
  connection: Connection
  /** All of them by id, as of now. */
  series(): Map<number, Series>
  /** The number of the last row that is in all rollups; those behind it are in the hourly ones alone. */
  applied(): number
  /** Runs `work` on one snapshot. Throws `StoreError` with the name of the file. */
  read<T>(work: () => T): T
}

export type MonthReaders = {
  /** The names of all that there are, oldest first. */
  all(): Month[]
  /** Null when there is no file. Throws `StoreError`. */
  open(month: Month): MonthReader | null
  /** Those with rows between the two moments, oldest first. */
  between(from: number, to: number): MonthReader[]
  close(): void
}

const MAX_OPEN = 36

export function createMonthReaders(folder: string): MonthReaders {
  const open = new Map<Month, MonthReader>()

  const find = (month: Month): MonthReader | null => {
    const known = open.get(month)
    if (known) return known
    const connection = openForReading(folder, month)
    if (!connection) return null
    try {
      const reader = createReader(month, connection)
      open.set(month, reader)
      return reader
    } catch (error) {
      connection.close()
      throw toStoreError(error, connection.name)
    }
  }
  const close = (month: Month) => {
    open.get(month)?.connection.close()
    open.delete(month)
  }

  return {
    all: () => monthsIn(folder),
    open: find,
    between(from, to) {
      const months = monthsIn(folder)
      for (const month of [...open.keys()]) if (!months.includes(month)) close(month)
      if (open.size > MAX_OPEN) for (const month of [...open.keys()]) close(month)
      return monthsBetween(folder, from, to).flatMap((month) => find(month) ?? [])
    },
    close() {
      for (const month of [...open.keys()]) close(month)
    },
  }
}

function createReader(month: Month, connection: Connection): MonthReader {
  const newer = connection.prepare<[id: number], Names & { id: number }>(
    `SELECT id, ${SELECT_NAMES} FROM series WHERE id > ? ORDER BY id`,
  )
  const known = new Map<number, Series>()
  const parts = createParts()
  let last = 0
  const applied = connection.prepare<[], number>(APPLIED).pluck()
  const snapshot = connection.transaction((work: () => unknown) => work())
  return {
    month,
    connection,
    read: <T>(work: () => T) => {
      try {
        return snapshot.deferred(work) as T
      } catch (error) {
        throw toStoreError(error, connection.name)
      }
    },
    series() {
      // They are only ever added to.
      for (const series of newer.iterate(last)) {
        last = series.id
        known.set(last, { ...series, ...parts.of(series, last) })
      }
      return known
    },
    applied: () => applied.get()!,
  }
}

/** What a series must be; `tokens`: of one of these. */
export type SeriesFilter = Omit<UsageFilter, 'from' | 'to' | 'status'> & {
  status?: number
  statusClass?: string
  error?: string
  failed?: boolean
  tokens?: Set<string>
}

/**
 * The ids of the series that match, null when all do. With `orOther` also those that may hold the name among others, whose rows the
 * caller has to look at.
 */
export function matchingSeries(
  reader: MonthReader,
  filter: SeriesFilter,
  { orOther }: { orOther: boolean },
): number[] | null {
  if (Object.values(filter).every((value) => value === undefined)) return null
  const is = (found: string, wanted: string | undefined) => wanted === undefined || found === wanted
  const named = (found: string, wanted: string | undefined) => is(found, wanted) || (orOther && found === OTHER)
  const ids: number[] = []
  for (const [id, series] of reader.series()) {
    const matches =
      is(series.tokenId, filter.tokenId) &&
      is(series.projectId, filter.projectId) &&
      named(series.model, filter.model) &&
      is(series.provider, filter.provider) &&
      named(series.endpoint, filter.endpoint) &&
      is(series.error, filter.error) &&
      (!filter.failed || series.status >= 400 || series.error !== '') &&
      (filter.status === undefined || series.status === filter.status) &&
      is(classOf(series.status), filter.statusClass) &&
      (filter.tokens === undefined || filter.tokens.has(series.tokenId))
    if (matches) ids.push(id)
  }
  return ids
}

export const classOf = (status: number): string => (status === 499 ? '499' : `${Math.floor(status / 100)}xx`)
