import { describe, expect, it } from '@jest/globals'
import { Breaker, PROBE_LIMIT_MS, type Watched } from '../../src/routing/breaker.ts'
import type { BreakerPolicy } from '../../src/routing/types.ts'

const POLICY: BreakerPolicy = { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 }

function setUp(policy: Partial<BreakerPolicy> = {}) {
  const changes: string[] = []
  const current = { ...POLICY, ...policy }
  const breaker = new Breaker(
    () => current,
    (state) => changes.push(state),
  )
  const fail = (now: number) => breaker.failed(breaker.begin(now), now)
  const answer = (now: number) => breaker.answered(breaker.begin(now), now)
  const open = (now: number) => {
    for (let i = 0; i < current.failures; i++) fail(now)
  }
  return { breaker, changes, fail, answer, open, current }
}

describe('a closed breaker', () => {
  it('opens at the fifth failure in a row, not at the fourth', () => {
    const { breaker, fail } = setUp()
    for (let i = 0; i < 4; i++) fail(i)
    expect([breaker.state(4), breaker.admits(4), breaker.retryAt(4)]).toEqual(['closed', true, null])
    fail(4)
    expect([breaker.state(4), breaker.admits(4), breaker.retryAt(4)]).toEqual(['open', false, 15_004])
  })

  it('opens at five failures in the window when most fail, and not while most are answered', () => {
    const most = setUp()
    for (let i = 0; i < 5; i++) {
      most.fail(i)
      if (i % 2 === 0 && i < 4) most.answer(i)
    }
    expect(most.breaker.state(5)).toBe('open')

    const few = setUp()
    for (let i = 0; i < 100; i++) {
      few.fail(i)
      few.answer(i)
    }
    expect(few.breaker.state(100)).toBe('closed')
  })

  it('forgets what is older than its window', () => {
    const { breaker, fail, answer } = setUp()
    for (let i = 0; i < 4; i++) fail(0)
    answer(1)
    fail(31_000)
    expect(breaker.state(31_000)).toBe('closed')
  })

  it('takes a new policy at once', () => {
    const { breaker, fail, current } = setUp()
    fail(0)
    current.failures = 2
    fail(1)
    expect(breaker.state(1)).toBe('open')
  })

  it('does not count what says nothing of the provider', () => {
    const { breaker } = setUp()
    for (let i = 0; i < 50; i++) breaker.forget(breaker.begin(i))
    expect(breaker.state(50)).toBe('closed')
  })
})

describe('an open breaker', () => {
  it('lets one probe through after the cooldown, and no second beside it', () => {
    const { breaker, open, changes } = setUp()
    open(0)
    expect(breaker.admits(14_999)).toBe(false)
    expect([breaker.state(15_000), breaker.admits(15_000)]).toEqual(['half_open', true])
    const probe = breaker.begin(15_000)
    expect([breaker.state(15_001), breaker.admits(15_001)]).toEqual(['half_open', false])
    breaker.answered(probe, 15_100)
    expect([breaker.state(15_100), breaker.admits(15_100)]).toEqual(['closed', true])
    expect(changes).toEqual(['open', 'half_open', 'closed'])
  })

  it('lets as many probes through as the policy says', () => {
    const { breaker, open } = setUp({ halfOpenRequests: 3 })
    open(0)
    for (let i = 0; i < 3; i++) {
      expect(breaker.admits(15_000)).toBe(true)
      breaker.begin(15_000)
    }
    expect(breaker.admits(15_000)).toBe(false)
  })

  it('gives the place of a probe that was cancelled to the next', () => {
    const { breaker, open } = setUp()
    open(0)
    breaker.forget(breaker.begin(15_000))
    expect(breaker.admits(15_001)).toBe(true)
  })

  it('waits longer from one failed probe to the next, but never so long that a provider that is back waits 30 s', () => {
    const { breaker, open } = setUp()
    open(0)
    const gaps: number[] = []
    let now = 0
    for (let i = 0; i < 6; i++) {
      const at = breaker.retryAt(now)!
      gaps.push(at - now)
      now = at
      breaker.failed(breaker.begin(now), now)
    }
    expect(gaps).toEqual([15_000, 25_000, 25_000, 25_000, 25_000, 25_000])
  })

  it('grows a short cooldown eightfold at the most, and begins anew after an answer that came whole', () => {
    const { breaker, open, answer } = setUp({ cooldownMs: 1_000 })
    open(0)
    let now = 0
    const gaps: number[] = []
    for (let i = 0; i < 6; i++) {
      const at = breaker.retryAt(now)!
      gaps.push(at - now)
      now = at
      breaker.failed(breaker.begin(now), now)
    }
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    now = breaker.retryAt(now)!
    answer(now)
    open(now)
    expect(breaker.retryAt(now)).toBe(now + 1_000)
  })

  it('is not blocked by a probe that never ends', () => {
    const { breaker, open } = setUp()
    open(0)
    breaker.begin(15_000)
    expect(breaker.retryAt(15_001)).toBe(15_000 + PROBE_LIMIT_MS)
    expect(breaker.state(15_000 + PROBE_LIMIT_MS)).toBe('open')
    // Counted from when the silent one began.
    expect(breaker.retryAt(39_999)).toBe(40_000)
    expect(breaker.admits(40_000)).toBe(true)
  })

  it('closes when a probe that it had given up is answered after all', () => {
    const { breaker, open } = setUp()
    open(0)
    const slow = breaker.begin(15_000)
    expect(breaker.admits(26_000)).toBe(false)
    breaker.answered(slow, 27_000)
    expect(breaker.state(27_000)).toBe('closed')
  })

  it('closes at the first event of a long answer; if that breaks off, it opens again at once', () => {
    const { breaker, open } = setUp()
    open(0)
    const probe = breaker.begin(15_000)
    breaker.heard(probe)
    expect(breaker.state(15_100)).toBe('closed')
    breaker.failed(probe, 15_200)
    expect(breaker.state(15_200)).toBe('open')
  })

  it('hears nothing from tries that began before it opened', () => {
    const { breaker, open } = setUp()
    const before: Watched[] = Array.from({ length: 10 }, () => breaker.begin(0))
    open(1)
    breaker.answered(before[0]!, 2)
    expect(breaker.state(2)).toBe('open')
    const probe = breaker.begin(15_001)
    for (const one of before.slice(1)) breaker.failed(one, 15_002)
    expect(breaker.state(15_002)).toBe('half_open')
    breaker.answered(probe, 15_003)
    expect(breaker.state(15_003)).toBe('closed')
  })

  it('closes when a request that went all the same is answered, and takes no offence when it is not', () => {
    const { breaker, open, fail, answer } = setUp()
    open(0)
    fail(1_000)
    expect(breaker.retryAt(1_000)).toBe(15_000)
    answer(2_000)
    expect(breaker.state(2_000)).toBe('closed')
  })

  it('does not sit out its cooldown when somebody has seen the provider alive', () => {
    const { breaker, open } = setUp()
    open(0)
    breaker.retryFrom(3_000)
    expect([breaker.state(3_000), breaker.admits(3_000)]).toEqual(['half_open', true])
  })
})
