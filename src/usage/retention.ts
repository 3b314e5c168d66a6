import type { Logger } from '../logger.ts'
import type { LedgerStore } from '../store/store.ts'

const DAY_MS = 86_400_000
const EVERY_MS = 3_600_000

type Options = {
  ledger: Pick<LedgerStore, 'retention'>
  /** Null: rows are kept for ever. */
  days: number | null
  log: Pick<Logger, 'info' | 'error'>
  now(): number
  everyMs?: number
}

/** Deletes the months that have ended so many days ago: now, and every hour from now on. A month goes as a whole. */
export function keepRequests({ ledger, days, log, now, everyMs = EVERY_MS }: Options): { close(): Promise<void> } {
  if (days === null) return { async close() {} }
  const clean = async () => {
    try {
      const gone = await ledger.retention(now() - days * DAY_MS)
      if (gone.length > 0) log.info('old requests were deleted', { files: gone.join(', '), request_log_days: days })
    } catch (cause) {
      log.error('old requests could not be deleted; tried again in an hour', { cause })
    }
  }
  let cleaning = clean()
  const timer = setInterval(() => {
    cleaning = cleaning.then(clean)
  }, everyMs).unref()
  return {
    async close() {
      clearInterval(timer)
      await cleaning
    },
  }
}
