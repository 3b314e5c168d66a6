import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Store } from '../store/store.ts'
import { type Actor, recordDenial, type Subject } from './audit.ts'

const WINDOW_MS = 60_000
const MAX_DENIALS = 30

type Parts = {
  store: Pick<Store, 'audit'>
  metrics: Pick<Metrics, 'auditSuppressed'>
  log: Pick<Logger, 'error'>
  now(): number
}

/** Writes down who was not let in. Never rejects: the refusal is what is owed. */
export type RecordDenied = (
  actor: Actor,
  subject: Subject,
  reason: string,
  asked: Record<string, string>,
) => Promise<void>

/** Rows of the audit log for those who are not let in: so many a minute, then counted alone. */
export function createDenials({ store, metrics, log, now }: Parts): RecordDenied {
  let windowStart = 0
  let denials = 0
  return async (actor, subject, reason, asked) => {
    const since = now() - windowStart
    // Negative: the clock was put back.
    if (since >= WINDOW_MS || since < 0) {
      windowStart = now()
      denials = 0
    }
    if (++denials > MAX_DENIALS) return metrics.auditSuppressed()
    await recordDenial({ store, now }, actor, subject, reason, asked).catch((cause) =>
      log.error('somebody was not let in, which could not be written to the audit log', {
        action: subject.action,
        cause,
      }),
    )
  }
}
