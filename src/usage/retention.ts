import type { Logger } from '../logger.ts'
import type { BodyStore, LedgerStore } from '../store/store.ts'

const DAY_MS = 86_400_000
const EVERY_MS = 3_600_000

type Options = {
  store: { ledger: Pick<LedgerStore, 'retention'>; bodies: Pick<BodyStore, 'retention'> }
  /** Of the ledger's rows, and of bodies. Null: they are kept for ever. */
  days: number | null
  bodyDays: number | null
  log: Pick<Logger, 'info' | 'error'>
  now(): number
  everyMs?: number
}

/**
 * Deletes what is old: now, and every hour from now on. Requests go by the month as a whole, when it has ended so many days ago;
 * bodies so many days after their request. Those that are there go on growing old when no new ones are kept.
 */
export function keepRequests({ store, days, bodyDays, log, now, everyMs = EVERY_MS }: Options): {
  close(): Promise<void>
} {
  if (days === null && bodyDays === null) return { async close() {} }
  let closed = false
  const cleanRequests = async () => {
    if (days === null) return
    const gone = await store.ledger.retention(now() - days * DAY_MS)
    if (gone.length > 0) log.info('old requests were deleted', { files: gone.join(', '), request_log_days: days })
  }
  const cleanBodies = async () => {
    if (bodyDays === null) return
    const before = now() - bodyDays * DAY_MS
    const months: string[] = []
    let requests = 0
    for (let more = true; more && !closed; ) {
      const gone = await store.bodies.retention(before)
      months.push(...gone.months)
      requests += gone.requests
      more = gone.more
    }
    if (months.length + requests > 0)
      log.info('old bodies were deleted', { files: months.join(', '), requests, body_log_days: bodyDays })
  }
  const clean = async () => {
    await cleanRequests().catch((cause) =>
      log.error('old requests could not be deleted; tried again in an hour', { cause }),
    )
    await cleanBodies().catch((cause) =>
      log.error('old bodies could not be deleted; tried again in an hour', { cause }),
    )
  }
  let cleaning = clean()
  const timer = setInterval(() => {
    cleaning = cleaning.then(clean)
  }, everyMs).unref()
  return {
    async close() {
      closed = true
      clearInterval(timer)
      await cleaning
    },
  }
}
