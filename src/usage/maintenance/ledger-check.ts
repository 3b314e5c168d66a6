import type { Logger } from '../../logger.ts'
import type { Metrics } from '../../metrics.ts'
import type { Drift, VerifyQuery } from '../../store/store.ts'
import { ledgerAlert } from '../alerts/alert.ts'
import type { Alerts } from '../alerts/alerts.ts'

export type LedgerCheck = {
  /** What the last one found; null before the first. */
  last(): { at: number; drift: number } | null
  /** Waits for none: the job is ended by whoever runs it. */
  close(): void
}

type Options = {
  /** Compares rows, rollups and counters, off this thread. */
  verify(query: VerifyQuery): Promise<Drift[]>
  /** Budgets that hold back less than nothing. */
  reservedBelowZero(): Drift[]
  alerts: Pick<Alerts, 'tell'>
  metrics: Pick<Metrics, 'ledgerChecked'>
  log: Pick<Logger, 'error' | 'info'>
  now(): number
  /** Null: never. */
  everyMs: number | null
  /** A request that is older than this has ended, one way or the other. */
  graceMs: number
}

const DAY_MS = 86_400_000
const MAX_LOGGED = 5

/**
 * Does the ledger add up? The days since the last look are compared every few minutes, everything at first and then once a day. What
 * does not add up is told, in log, metric and alert, and left as it is: `llm-proxy ledger verify --repair` mends it.
 */
export function checkLedger(options: Options): LedgerCheck {
  const { verify, reservedBelowZero, alerts, metrics, log, now, everyMs, graceMs } = options
  let last: { at: number; drift: number } | null = null
  let fullAt = Number.NEGATIVE_INFINITY
  let isRunning = false
  let isClosed = false

  const check = async () => {
    const at = now()
    // A clock that was set back must not put the next full look off.
    const isFull = last === null || at - fullAt >= DAY_MS || at < fullAt
    const drift = [
      ...(await verify({ openedBefore: at - graceMs, ...(!isFull && { since: last!.at }) })),
      ...reservedBelowZero(),
    ]
    if (isFull) fullAt = at
    metrics.ledgerChecked(at, drift.length)
    if (drift.length > 0) {
      for (const one of drift.slice(0, MAX_LOGGED)) log.error('the ledger does not add up', one)
      for (const [, [first, ...more]] of Map.groupBy(drift, ({ month, table }) => `${month} ${table}`))
        alerts.tell(ledgerAlert(first!, 1 + more.length, at))
    } else if (last !== null && last.drift > 0) log.info('the ledger adds up again')
    last = { at, drift: drift.length }
  }

  const timer =
    everyMs === null
      ? undefined
      : setInterval(() => {
          if (isRunning) return
          isRunning = true
          check()
            .catch((cause) => {
              if (!isClosed) log.error('the ledger could not be checked; tried again later', { cause })
            })
            .finally(() => {
              isRunning = false
            })
        }, everyMs).unref()

  return {
    last: () => last,
    close() {
      isClosed = true
      clearInterval(timer)
    },
  }
}
