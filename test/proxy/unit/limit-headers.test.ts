import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { LimitState } from '../../../src/kv/kv.ts'
import { limitHeaders } from '../../../src/proxy/admit.ts'

const state = (what: LimitState['what'], limit: number, remaining: number, resetMs: number): LimitState => ({
  what,
  limit,
  remaining,
  resetMs,
})
const resetOf = (resetMs: number) => limitHeaders([state('requests', 1, 0, resetMs)])['x-ratelimit-reset-requests']

describe('the headers of a limit', () => {
  it('are none where there is no limit', () => {
    expect(limitHeaders([])).toEqual({})
    expect(limitHeaders([state('concurrent_requests', 5, 4, 0)])).toEqual({})
  })

  it('tell of requests and of tokens, each by the limit with less left', () => {
    const token = [
      state('concurrent_requests', 2, 1, 0),
      state('requests', 60, 59, 1_000),
      state('tokens', 1_000, 10, 60_000),
    ]
    const project = [state('requests', 100, 3, 2_000), state('tokens', 9_000, 10, 30_000)]
    expect(limitHeaders([...token, ...project])).toEqual({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '2s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '10',
      'x-ratelimit-reset-tokens': '1m0s',
    })
  })

  it.each([
    [0, '0ms'],
    [0.2, '1ms'],
    [12, '12ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_001, '2s'],
    [59_000, '59s'],
    [59_001, '1m0s'],
    [61_500, '1m2s'],
    [360_000, '6m0s'],
    [3_599_999, '60m0s'],
  ])('spell %d ms as OpenAI does: %s', (ms, expected) => {
    expect(resetOf(ms)).toBe(expected)
  })

  it('never promise a reset before its time', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 10_000_000, noNaN: true }), (ms) => {
        const [, minutes = '0', seconds, millis] = /^(?:(\d+)m)?(?:(\d+)s|(\d+)ms)$/.exec(resetOf(ms)!) ?? []
        const spelled = millis === undefined ? Number(minutes) * 60_000 + Number(seconds) * 1000 : Number(millis)
        expect(spelled).toBeGreaterThanOrEqual(ms)
        expect(spelled).toBeLessThan(ms + 1_001)
      }),
    )
  })
})
