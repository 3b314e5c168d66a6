import type { Drift, VerifyQuery } from '../../store.ts'
import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'
import type { Engine } from '../engine.ts'
import { bounds, DAY_MS } from './month.ts'
import { createMonthReaders, type MonthReader, type MonthReaders } from './month-reader.ts'
import { compareOpen, compareRows } from './verify-rows.ts'
import { compareSums } from './verify-sums.ts'

/** At most so many are told; a broken month has them by the thousand. */
const MAX_DRIFTS = 1_000

/**
 * Compares rows with rollups, by series and by hour; what is open with the time; and, unless it is about some days only, rows with the
 * token counters in the main file. A month that cannot be read is one of the findings, and does not hide those of the others.
 */
export function verify(months: MonthReaders, main: Connection, { since, openedBefore = 0 }: VerifyQuery = {}): Drift[] {
  const drifts: Drift[] = []
  const counted = new Map<string, number>()
  for (const month of months.all()) {
    const { start, end } = bounds(month)
    const firstDay = since === undefined ? start : Math.max(start, Math.floor(since / DAY_MS) * DAY_MS)
    try {
      const reader = months.open(month)
      reader?.read(() => {
        if (firstDay < end) drifts.push(...compareSums(reader, firstDay), ...compareRows(reader, firstDay))
        drifts.push(...compareOpen(reader, openedBefore))
        if (since === undefined) countByToken(reader, main, counted)
      })
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const key = `ledger-${month}.db`
      drifts.push({ month, table: 'file', key, field: 'readable', expected: 'yes', found: error.message })
    }
  }
  if (since === undefined) drifts.push(...compareCounters(main, counted))
  return drifts.slice(0, MAX_DRIFTS)
}

function countByToken({ connection, month }: MonthReader, main: Connection, counted: Map<string, number>): void {
  const applied =
    main.prepare<[string], number>('SELECT seq FROM ledger_applied WHERE month = ?').pluck().get(month) ?? 0
  const rows = connection
    .prepare<[number], [string, number]>(
      'SELECT token_id, count(*) FROM requests WHERE counts = 1 AND seq <= ? GROUP BY token_id',
    )
    .raw()
    .all(applied)
  for (const [id, requests] of rows) counted.set(id, (counted.get(id) ?? 0) + requests)
}

/** Raises the request counts of tokens that are below their rows. */
export function raiseCounters({ connection, write }: Engine, folder: string): void {
  const months = createMonthReaders(folder)
  try {
    const counted = new Map<string, number>()
    for (const month of months.all()) {
      try {
        const reader = months.open(month)
        reader?.read(() => countByToken(reader, connection, counted))
      } catch (error) {
        // What cannot be read cannot be counted; `verify` says so.
        if (!(error instanceof StoreError)) throw error
      }
    }
    const raise = connection.prepare('UPDATE tokens SET request_count = max(request_count, ?) WHERE id = ?')
    write(() => {
      for (const [id, requests] of counted) raise.run(requests, id)
    })
  } finally {
    months.close()
  }
}

/** A counter may be above its rows: months are deleted, and `max_requests` counts before there is a row. It is never below. */
function compareCounters(main: Connection, counted: Map<string, number>): Drift[] {
  const tokens = main.prepare<[], [string, number]>('SELECT id, request_count FROM tokens').raw().all()
  return tokens.flatMap(([id, found]) => {
    const expected = counted.get(id) ?? 0
    if (found >= expected) return []
    const field = 'request_count'
    return [{ month: null, table: 'tokens', key: id, field, expected: `>= ${expected}`, found: String(found) }]
  })
}
