import type { LimitCheck } from '../kv/kv.ts'
import type { RateLimit } from '../store/store.ts'

const MINUTE_MS = 60_000

/** What a token's or project's limits ask of the counters for one request. `tokensFor`: how many it reserves under that limit. */
export function limitChecks(
  ownerId: string,
  { concurrentRequests, requestsPerMinute, tokensPerMinute }: RateLimit,
  tokensFor: (limit: number) => number,
): LimitCheck[] {
  const checks: LimitCheck[] = []
  if (concurrentRequests !== null) {
    checks.push({
      kind: 'concurrency',
      key: `${ownerId}:running`,
      limit: concurrentRequests,
      what: 'concurrent_requests',
    })
  }
  if (requestsPerMinute !== null) checks.push(requestsCheck(ownerId, requestsPerMinute, MINUTE_MS))
  if (tokensPerMinute !== null) {
    checks.push({
      kind: 'rate',
      key: `${ownerId}:tokens`,
      limit: tokensPerMinute,
      what: 'tokens',
      windowMs: MINUTE_MS,
      amount: tokensFor(tokensPerMinute),
    })
  }
  return checks
}

export const requestsCheck = (ownerId: string, limit: number, windowMs: number): LimitCheck => ({
  kind: 'rate',
  key: `${ownerId}:requests`,
  limit,
  what: 'requests',
  windowMs,
  amount: 1,
})
