import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isRetryableStatus, type RetryPolicy, retryAfterMs, waitBeforeRetry } from '../../src/routing/retry.ts'

const policy: RetryPolicy = { maxRetries: 3, initialBackoffMs: 500, maxBackoffMs: 8_000, factor: 2, jitter: 0.1 }
/** Half: the middle of the jitter. */
const middle = () => 0.5

describe('a status', () => {
  it.each([408, 409, 429, 500, 502, 503, 504, 529])('of %d may be different the next time', (status) => {
    expect(isRetryableStatus(status)).toBe(true)
  })

  it.each([200, 201, 204, 301, 304, 400, 401, 402, 403, 404, 413, 422, 499])('of %d is an answer', (status) => {
    expect(isRetryableStatus(status)).toBe(false)
  })
})

describe('the wait before another try', () => {
  it('doubles from the first, up to the longest', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((tried) =>
      waitBeforeRetry({ ...policy, maxRetries: 9 }, tried, null, middle),
    )
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
  })

  it('is none once as many retries as allowed were made', () => {
    expect([1, 2, 3, 4, 5].map((tried) => waitBeforeRetry(policy, tried, 0, middle))).toEqual([0, 0, 0, null, null])
    expect(waitBeforeRetry({ ...policy, maxRetries: 0 }, 1, null, middle)).toBeNull()
  })

  it('is what the provider asks for, to the millisecond', () => {
    expect(waitBeforeRetry(policy, 1, 0, middle)).toBe(0)
    expect(waitBeforeRetry(policy, 1, 7_999.5, () => 0.99)).toBe(7_999.5)
    expect(waitBeforeRetry(policy, 1, 8_000, middle)).toBe(8_000)
  })

  it('is none when the provider asks for more than the longest', () => {
    expect(waitBeforeRetry(policy, 1, 8_001, middle)).toBeNull()
    expect(waitBeforeRetry(policy, 1, Number.POSITIVE_INFINITY, middle)).toBeNull()
  })

  it('strays from the plan by the jitter and no more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (tried, chance) => {
          const planned = waitBeforeRetry(policy, tried, null, middle)!
          const wait = waitBeforeRetry(policy, tried, null, () => chance)!
          expect(Math.abs(wait - planned)).toBeLessThanOrEqual(planned * policy.jitter + 1e-9)
        },
      ),
    )
    expect(waitBeforeRetry(policy, 1, null, () => 0)).toBeCloseTo(450)
    expect(waitBeforeRetry({ ...policy, jitter: 0 }, 1, null, () => 0.9)).toBe(500)
  })

  it('is finite and not negative, after however many tries', () => {
    const wait = waitBeforeRetry({ ...policy, maxRetries: 10_000, factor: 10 }, 9_999, null, () => 1)!
    expect(wait).toBeLessThanOrEqual(8_800)
    expect(waitBeforeRetry({ ...policy, jitter: 1 }, 1, null, () => 0)).toBe(0)
  })
})

describe('what a provider asks for', () => {
  const NOW = Date.UTC(2026, 10, 21, 12)

  it.each([
    ['nothing', null, null, null],
    ['milliseconds', '250', null, 250],
    ['fractions of a millisecond', '12.5', null, 12.5],
    ['seconds', null, '2', 2_000],
    ['fractions of a second', null, '0.5', 500],
    ['no wait at all', null, '0', 0],
    ['milliseconds and seconds: the finer', '250', '1', 250],
    ['milliseconds that make no sense', 'soon', '1', 1_000],
    ['negative milliseconds', '-5', '1', 1_000],
    ['a date to come', null, 'Sat, 21 Nov 2026 12:00:07 GMT', 7_000],
    ['a date gone by', null, 'Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['a word', null, 'later', null],
    ['an empty text', '', '', null],
  ])('as %s is understood', (_what, millis, seconds, expected) => {
    expect(retryAfterMs(millis, seconds, NOW)).toBe(expected)
  })

  it.each(['-5', '-1'])('as %s seconds makes no sense', (seconds) => {
    expect(retryAfterMs(null, seconds, NOW)).toBeNull()
  })

  it('is never negative', () => {
    fc.assert(
      fc.property(fc.option(fc.string()), fc.option(fc.string()), (millis, seconds) => {
        expect(retryAfterMs(millis, seconds, NOW) ?? 0).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
