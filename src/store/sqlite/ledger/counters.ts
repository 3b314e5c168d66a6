import { existsSync } from 'node:fs'
import type { Connection } from '../connect.ts'
import type { Engine } from '../engine.ts'
import { toStoreError } from '../errors.ts'
import { fileOf, type Month, monthsIn } from './month.ts'
import { type MonthFiles, openForReading } from './month-file.ts'
import type { Written } from './write.ts'

const FLUSH_MS = 1_000

/**
 * Request counts of tokens without `max_requests`, in the main file. The rows in the month files are the truth: a row that counts
 * says so, and `ledger_applied` holds the last row of each month that the main file has heard of, in one transaction with the counts.
 * So the main file may be a second late, also when the process is killed, and still no request is counted twice or never.
 */
export type Counters = {
  /** Rows are committed, with so many requests of each token. */
  add(month: Month, written: Written, counts: Map<string, number>, at: number): void
  /** Writes what waits. In a transaction of its own, or in the caller's. Throws `StoreError`, and then all of it waits on. */
  flush(): void
  /** Also brings in what other processes wrote, as far as it is of the last two months. Throws `StoreError`. */
  flushAll(): void
  isWaitingFor(tokenId: string): boolean
  /** Brings the main file forward to all rows there are, at a start. */
  catchUp(found: Found): void
  /** The month's file is gone. */
  forget(month: Month): void
  /** Remembers that the rows up to here are already counted. To be called in a transaction of the main file. */
  skipTo(month: Month, seq: number): void
  close(): void
}

/** What a start may find. */
export type Found = {
  /** A month that cannot be read; it is left out. */
  onDamage(error: unknown): void
  /** Rows that were counted, and are not there any more. The month's file notes it. */
  onMissing(month: Month, from: number, to: number): void
}

type Waiting = {
  first: number
  last: number
  /** Null: another process wrote rows between ours, so the file has to be asked. */
  counts: Map<string, number> | null
}

export function createCounters({ connection, guard, write }: Engine, months: MonthFiles): Counters {
  const applied = connection.prepare<[month: string], number>('SELECT seq FROM ledger_applied WHERE month = ?').pluck()
  const apply = connection.prepare<[month: string, seq: number]>(
    'INSERT INTO ledger_applied (month, seq) VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET seq = max(seq, excluded.seq)',
  )
  const known = connection.prepare<[], string>('SELECT month FROM ledger_applied').pluck()
  // An older copy of the file was put back, or the file was taken away: its numbers begin anew.
  const reset = connection.prepare<[seq: number, month: string]>('UPDATE ledger_applied SET seq = ? WHERE month = ?')
  const drop = connection.prepare<[month: string]>('DELETE FROM ledger_applied WHERE month = ?')
  const add = connection.prepare<[requests: number, at: number, id: string]>(
    'UPDATE tokens SET request_count = request_count + ?, last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?',
  )
  const waiting = new Map<Month, Waiting>()
  const lastUsed = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const settle = (month: Month, { first, last, counts }: Waiting) => {
    const from = applied.get(month) ?? 0
    if (from >= last) return
    if (counts && from === first - 1) for (const [id, requests] of counts) add.run(requests, lastUsed.get(id) ?? 0, id)
    else
      for (const { id, requests, at } of countRows(months, month, from, last))
        add.run(requests, lastUsed.get(id) ?? at, id)
    apply.run(month, last)
  }

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (waiting.size === 0) return
    const settleAll = () => {
      for (const entry of waiting) settle(...entry)
    }
    if (connection.inTransaction) return guard(settleAll)
    write(settleAll)
    clear()
  }

  const clear = () => {
    waiting.clear()
    lastUsed.clear()
  }

  const flushLater = () => {
    try {
      flush()
    } catch {
      // Full or busy: the rows are safe in their file. Once more in a second.
      schedule()
    }
  }
  const schedule = () => {
    timer ??= setTimeout(flushLater, FLUSH_MS).unref()
  }

  const bringForward = (month: Month, { onDamage, onMissing }: Found) => {
    const last = lastRow(months, month, onDamage)
    if (last === null || last === (applied.get(month) ?? 0)) return
    // Somebody deleted it.
    if (!existsSync(fileOf(months.folder, month))) return void write(() => drop.run(month))
    write(() => {
      const before = applied.get(month) ?? 0
      const now = lastRow(months, month, onDamage) ?? before
      if (now >= before) return settle(month, { first: 0, last: now, counts: null })
      // First the note, which can be written twice.
      noteMissing(months, month, now + 1, before)
      reset.run(now, month)
      onMissing(month, now + 1, before)
    })
  }

  return {
    add(month, written, counts, at) {
      if (!written) return
      const { first, last } = written
      const before = waiting.get(month)
      if (!before) waiting.set(month, { first, last, counts })
      else if (before.counts && before.last === first - 1) {
        for (const [id, requests] of counts) before.counts.set(id, (before.counts.get(id) ?? 0) + requests)
        before.last = last
      } else waiting.set(month, { first: before.first, last, counts: null })
      for (const id of counts.keys()) lastUsed.set(id, at)
      schedule()
    },
    flush,
    flushAll() {
      flush()
      // Whoever reads the ledger is told of the damage; here it only means that a count may be old.
      for (const month of monthsIn(months.folder).slice(-2)) bringForward(month, NOBODY)
    },
    isWaitingFor: (tokenId) => lastUsed.has(tokenId),
    catchUp(found) {
      for (const month of new Set([...monthsIn(months.folder), ...known.all()])) bringForward(month, found)
    },
    forget(month) {
      waiting.delete(month)
      write(() => drop.run(month))
    },
    skipTo: (month, seq) => void apply.run(month, seq),
    close() {
      clearTimeout(timer)
      try {
        flush()
      } catch {
        // The next start counts them.
      }
    },
  }
}

const NOBODY: Found = { onDamage() {}, onMissing() {} }

function noteMissing(months: MonthFiles, month: Month, from: number, to: number): void {
  const { connection } = months.writer(month)
  const note = (name: string, value: string) =>
    connection
      .prepare<[name: string, seq: number]>(
        `INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ${value}(value, excluded.value)`,
      )
      .run(name, name === 'missing_from' ? from : to)
  connection.transaction(() => {
    note('missing_from', 'min')
    note('missing_to', 'max')
  })()
}

function countRows(months: MonthFiles, month: Month, after: number, last: number) {
  return reading(months, month, [] as { id: string; requests: number; at: number }[], (connection) =>
    connection
      .prepare<[number, number], { id: string; requests: number; at: number }>(
        `SELECT token_id AS id, count(*) AS requests, max(at) AS at FROM requests
         WHERE seq > ? AND seq <= ? AND counts = 1 GROUP BY token_id`,
      )
      .all(after, last),
  )
}

/** 0 where there is no file; null when it cannot be read. */
function lastRow(months: MonthFiles, month: Month, onDamage: (error: unknown) => void): number | null {
  try {
    return reading(months, month, 0, (connection) => {
      return connection.prepare<[], number | null>('SELECT max(seq) FROM requests').pluck().get() ?? 0
    })
  } catch (error) {
    onDamage(error)
    return null
  }
}

function reading<T>(months: MonthFiles, month: Month, none: T, read: (connection: Connection) => T): T {
  const writer = months.opened(month)
  if (writer) return read(writer.connection)
  const connection = openForReading(months.folder, month)
  if (!connection) return none
  try {
    return read(connection)
  } catch (error) {
    throw toStoreError(error, connection.name)
  } finally {
    connection.close()
  }
}
