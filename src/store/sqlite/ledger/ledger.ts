import { dirname } from 'node:path'
import { type LedgerStore, StoreError, type StoreLog } from '../../store.ts'
import type { Engine } from '../engine.ts'
import { toStoreError } from '../errors.ts'
import { createAppend } from './append.ts'
import { createCounters } from './counters.ts'
import { fileOf, monthsIn } from './month.ts'
import { createMonthFiles, type MonthFiles } from './month-file.ts'
import { createMonthReaders } from './month-reader.ts'
import { moveOldRows } from './move.ts'
import { readOpenRequests } from './open-requests.ts'
import { createLedgerReader } from './reader.ts'
import { repair } from './repair.ts'
import { reprice } from './reprice.ts'
import { deleteMonths } from './retention.ts'
import { raiseCounters, verify } from './verify.ts'

export type SqliteLedger = {
  store: LedgerStore
  /** Brings what an earlier run left undone to its end: old rows into month files, counts into the tokens. Throws `StoreError`. */
  recover(log?: StoreLog): void
  /** Writes the request counts that wait into the tokens, for whoever reads them now. When they cannot be written they wait on. */
  settleCounts(): void
  sizeBytes(sizeOf: (path: string) => number): number
  close(): Promise<void>
}

/** The ledger beside the main file of `engine`. `months`: for tests. */
export function createLedger(
  engine: Engine,
  months: MonthFiles = createMonthFiles(dirname(engine.connection.name), { readOnly: engine.connection.readonly }),
): SqliteLedger {
  const { folder } = months
  const counters = createCounters(engine, months)
  const reader = createLedgerReader(folder, engine.connection.name)
  const append = createAppend(engine, months, counters)
  const guard = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw toStoreError(error, folder)
    }
  }
  const settleCounts = () => {
    try {
      counters.flushAll()
    } catch {
      // Full or busy: a count that is a moment old is better than no answer.
    }
  }

  return {
    store: {
      append,
      list: (filter, page) => reader.ask('list', filter, page),
      get: (id) => reader.ask('get', id),
      usage: (query) => reader.ask('usage', query),
      render: (renderer, question) =>
        'usage' in question
          ? reader.render(renderer, 'usage', question.usage)
          : reader.render(renderer, 'list', question.list, question.page),
      spend: (query) => reader.ask('spend', query),
      async openRequests(onDamage = throwIt) {
        return guard(() => readOpenRequests(folder, onDamage))
      },
      async retention(before) {
        settleCounts()
        try {
          const deleted = await deleteMonths(months, before, Date.now())
          for (const month of deleted) counters.forget(month)
          return deleted
        } catch (error) {
          throw toStoreError(error, folder)
        }
      },
      async verify(query) {
        settleCounts()
        const readers = createMonthReaders(folder)
        try {
          return guard(() => verify(readers, engine.connection, query))
        } finally {
          readers.close()
        }
      },
      reprice: (range, costOf) => reprice(folder, range, costOf),
      async repair(names) {
        const failed = monthsIn(folder).flatMap((month) => {
          if (names && !names.includes(month)) return []
          try {
            guard(() => repair(months, month))
            return []
          } catch (error) {
            if (!(error instanceof StoreError)) throw error
            return [{ month, reason: error.message }]
          }
        })
        guard(() => raiseCounters(engine, folder))
        return failed
      },
    },
    recover(log) {
      if (engine.connection.readonly) return
      counters.catchUp({
        onDamage: (error) => log?.warn('a month of the ledger cannot be read', { cause: error }),
        onMissing: (month, from, to) =>
          log?.warn('rows of the ledger are missing: an older copy was put back, or a file beside it was deleted', {
            month,
            first_row: from,
            last_row: to,
          }),
      })
      const moved = moveOldRows(engine, months, counters)
      if (moved > 0) log?.info('the ledger was moved to files of its own, one for each month', { rows: moved })
    },
    settleCounts,
    sizeBytes: (sizeOf) =>
      monthsIn(folder).reduce(
        (sum, month) => sum + sizeOf(fileOf(folder, month)) + sizeOf(`${fileOf(folder, month)}-wal`),
        0,
      ),
    async close() {
      counters.close()
      await reader.close()
      months.close()
    },
  }
}

const throwIt = (_month: string, error: unknown): never => {
  throw error
}
