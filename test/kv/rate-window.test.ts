import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RateWindow } from '../../src/kv/rate-window.ts'

type Step = { waitMs: number; amount: number }
/** What a naive list of time stamps says: everything ever granted. */
type Granted = { at: number; amount: number }

/** Of everything granted so far, what lies in the `lengthMs` up to `now`. */
const within = (granted: Granted[], now: number, lengthMs: number) =>
  granted.filter(({ at }) => at > now - lengthMs && at <= now).reduce((sum, { amount }) => sum + amount, 0)

const history = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.nat(30), fc.nat(2_000), fc.nat(200_000)),
    amount: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 80 },
)
/** Some that sixty divides, and some that it does not. */
const length = fc.constantFrom(60, 600, 6_000, 60_000, 1_000, 7_777, 50)
const most = fc.integer({ min: 1, max: 30 })
const endOf = (steps: Step[]) => steps.reduce((sum, { waitMs }) => sum + waitMs, 0)
/** A thousandth of a millisecond, for sums of fractions. */
const HAIR = 0.001

/** Plays a history against a limit, as the memory store does. */
function play(windowMs: number, limit: number, steps: Step[], from = 0) {
  const window = new RateWindow(windowMs)
  const granted: Granted[] = []
  const refused: Granted[] = []
  let now = from
  for (const { waitMs, amount } of steps) {
    now += waitMs
    const one = { at: now, amount }
    if (window.total(now) + amount > limit) {
      refused.push(one)
    } else {
      window.add(amount, now)
      granted.push(one)
    }
  }
  return { window, granted, refused }
}

describe('a window of time', () => {
  it('never holds more than its limit, wherever it is laid', () => {
    fc.assert(
      fc.property(length, most, fc.nat(1_000_000), history, (windowMs, limit, from, steps) => {
        const { granted } = play(windowMs, limit, steps, from)
        for (const { at } of granted) expect(within(granted, at, windowMs)).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses only what does not fit into a window that is one slot longer', () => {
    fc.assert(
      fc.property(length, most, history, (windowMs, limit, steps) => {
        const { granted, refused } = play(windowMs, limit, steps)
        for (const { at, amount } of refused) {
          const before = granted.filter((one) => one.at <= at)
          expect(within(before, at, (windowMs * 61) / 60 + HAIR) + amount).toBeGreaterThan(limit)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('names a wait after which the amount fits, and not before', () => {
    fc.assert(
      fc.property(length, most, history, fc.nat(70_000), (windowMs, limit, steps, later) => {
        const now = endOf(steps) + later
        for (const amount of [1, Math.ceil(limit / 2), limit]) {
          const waitMs = play(windowMs, limit, steps).window.waitMs(amount, limit, now)!
          expect(waitMs).toBeLessThanOrEqual((windowMs * 61) / 60 + HAIR)
          // Reading a window moves it on: each question is asked of one of its own.
          const roomAt = (at: number) => limit - play(windowMs, limit, steps).window.total(at)
          expect(roomAt(now + waitMs + HAIR)).toBeGreaterThanOrEqual(amount)
          if (waitMs > HAIR) expect(roomAt(now + waitMs - HAIR)).toBeLessThan(amount)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('names no wait for more than its limit', () => {
    expect(new RateWindow(60_000).waitMs(11, 10, 5)).toBeNull()
    expect(new RateWindow(60_000).waitMs(10, 10, 5)).toBe(0)
  })

  it('is empty when its reset says so, and not before', () => {
    fc.assert(
      fc.property(length, most, history, fc.nat(70_000), (windowMs, limit, steps, later) => {
        const now = endOf(steps) + later
        const { window } = play(windowMs, limit, steps)
        const isEmpty = window.total(now) === 0
        const resetMs = window.resetMs(now)
        expect(resetMs === 0).toBe(isEmpty)
        if (!isEmpty) expect(play(windowMs, limit, steps).window.total(now + resetMs - HAIR)).toBeGreaterThan(0)
        expect(window.total(now + resetMs + HAIR)).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('keeps its count while time stands still', () => {
    const window = new RateWindow(60_000)
    for (let i = 0; i < 1_000; i++) window.add(1, 123_456)
    expect(window.total(123_456)).toBe(1_000)
  })

  it('takes a clock that runs backwards for one that stands still', () => {
    const window = new RateWindow(60_000)
    window.add(5, 100_000)
    window.add(5, 20_000)
    expect([window.total(0), window.total(100_000), window.total(159_000), window.total(161_000)]).toEqual([
      10, 10, 10, 0,
    ])
  })

  it.each([61_000, 10 ** 9, 2 ** 40, 2 ** 52])('is empty and whole after a gap of %d ms', (gap) => {
    const window = new RateWindow(60_000)
    window.add(7, 59_999)
    expect(window.total(59_999 + gap)).toBe(0)
    window.add(3, 59_999 + gap)
    expect(window.total(59_999 + gap)).toBe(3)
  })
})

describe('a correction', () => {
  it('leaves what the naive list would hold, had the true amount been asked for', () => {
    const settled = fc.record({ waitMs: fc.nat(3_000), reserved: fc.nat(50), used: fc.nat(90), after: fc.nat(80_000) })
    fc.assert(
      fc.property(fc.array(settled, { minLength: 1, maxLength: 40 }), (requests) => {
        const window = new RateWindow(60_000)
        const events: { at: number; run(): void }[] = []
        const truth: Granted[] = []
        let start = 0
        for (const { waitMs, reserved, used, after } of requests) {
          start += waitMs
          const at = start
          const held = { slot: 0 }
          truth.push({ at, amount: used })
          events.push({
            at,
            run: () => {
              held.slot = window.add(reserved, at)
            },
          })
          events.push({ at: at + after, run: () => window.correct(held.slot, used - reserved, at + after) })
        }
        events.sort((a, b) => a.at - b.at)
        for (const { run } of events) run()
        const now = events.at(-1)!.at
        const total = window.total(now)
        expect(total).toBeGreaterThanOrEqual(within(truth, now, 60_000))
        expect(total).toBeLessThanOrEqual(within(truth, now, 61_000 + HAIR))
        expect(window.total(now + 61_000)).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('of a slot that has left the window changes nothing', () => {
    const window = new RateWindow(60_000)
    const slot = window.add(5, 0)
    window.add(2, 61_000)
    window.correct(slot, 100, 61_000)
    expect(window.total(61_000)).toBe(2)
  })
})
