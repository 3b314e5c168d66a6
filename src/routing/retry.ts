import type { Config } from '../config/config.ts'

export type RetryPolicy = Config['retry']

/** Statuses that the same request may well not get again. */
export const isRetryableStatus = (status: number) => status === 408 || status === 409 || status === 429 || status >= 500

/**
 * How long to wait before the next try, null for no other try. `tried`: tries so far. What the provider asks for (`retry-after`)
 * is honoured when it is within the longest wait; when it asks for more, the caller had better hear of it now. Pure.
 */
export function waitBeforeRetry(
  policy: RetryPolicy,
  tried: number,
  askedMs: number | null,
  random: () => number,
): number | null {
  if (tried > policy.maxRetries) return null
  if (askedMs !== null) return askedMs <= policy.maxBackoffMs ? askedMs : null
  const backoff = Math.min(policy.maxBackoffMs, policy.initialBackoffMs * policy.factor ** (tried - 1))
  return backoff * (1 + policy.jitter * (2 * random() - 1))
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date, in milliseconds; null when it is not there or makes no sense. */
export function retryAfterMs(retryAfterMillis: string | null, retryAfter: string | null, now: number): number | null {
  const millis = Number.parseFloat(retryAfterMillis ?? '')
  if (millis >= 0) return millis
  const seconds = Number.parseFloat(retryAfter ?? '')
  if (seconds >= 0) return seconds * 1000
  // `Date.parse` would take a negative number for a year.
  if (!Number.isNaN(seconds)) return null
  const date = Date.parse(retryAfter ?? '')
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
