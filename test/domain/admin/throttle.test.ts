import { describe, expect, it } from '@jest/globals'
import { createThrottle, type Tried } from '../../../src/domain/throttle.ts'
import { NOON } from '../given.ts'

const MINUTE_MS = 60_000

function given(maxKeys?: number) {
  let time = NOON
  const throttle = createThrottle({ now: () => time, ...(maxKeys !== undefined && { maxKeys }) })
  const ann: Tried = { person: 'ann', address: '10.0.0.1' }
  let address = 0
  return {
    throttle,
    ann,
    pass: (ms: number) => {
      time += ms
    },
    /** A wrong guess, each from an address of its own; how long one has to wait instead. */
    fail: (tried: Tried = { person: 'ann', address: `10.1.${address >> 8}.${address++ & 255}` }) =>
      throttle.begin(tried).waitMs,
    wait: (tried: Tried = ann) => {
      const begun = throttle.begin(tried)
      if ('attempt' in begun) begun.attempt.undo()
      return begun.waitMs
    },
  }
}

describe('guessing a password', () => {
  it('costs nothing three times, then a second, then twice as long each time up to 15 minutes', () => {
    const { fail, wait, pass } = given()
    const waits: number[] = []
    for (let i = 0; i < 16; i++) {
      expect(fail()).toBe(0)
      waits.push(wait())
      pass(wait())
    }
    const s = 1000
    expect(waits.slice(0, 8)).toEqual([0, 0, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s])
    expect(waits.slice(-3)).toEqual([15 * MINUTE_MS, 15 * MINUTE_MS, 15 * MINUTE_MS])
  })

  it('is no quicker with many guesses at once: they count as they begin', () => {
    const { throttle } = given()
    const begun = Array.from({ length: 50 }, (_, i) => throttle.begin({ person: 'ann', address: `10.0.0.${i}` }))
    expect(begun.filter((one) => 'attempt' in one)).toHaveLength(3)
  })

  it('is no quicker under another spelling of the name, nor from the next address of the same network', () => {
    const { fail, wait } = given()
    for (const person of ['ann', 'ANN', 'Ａnn']) fail({ person, address: null })
    expect(wait({ person: 'aNN', address: '10.9.9.9' })).toBe(1000)
    for (let i = 0; i < 10; i++) fail({ person: `p${i}`, address: `2001:db8:0:1::${i.toString(16)}` })
    expect(wait({ person: 'x', address: '2001:db8:0:1:ffff:ffff:ffff:ffff' })).toBe(1000)
    expect(wait({ person: 'x', address: '2001:db8::2:0:0:0:9' })).toBe(0)
    for (let i = 0; i < 10; i++) fail({ person: `q${i}`, address: '::ffff:10.0.0.9' })
    expect(wait({ person: 'x', address: '10.0.0.9' })).toBe(1000)
  })

  it('from one address at many names is slowed down after ten', () => {
    const { fail, wait } = given()
    for (let i = 0; i < 10; i++) expect(fail({ person: `p${i}`, address: '10.0.0.1' })).toBe(0)
    expect(wait({ person: 'another', address: '10.0.0.1' })).toBe(1000)
    expect(wait({ person: 'another', address: '10.0.0.2' })).toBe(0)
  })

  it('is forgiven with success for that name, and for the address only what was no failure', () => {
    const { throttle, fail, wait, pass } = given()
    for (let i = 0; i < 9; i++) fail({ person: `p${i}`, address: '10.0.0.1' })
    for (let i = 0; i < 3; i++) fail()
    pass(1000)
    const begun = throttle.begin({ person: 'ann', address: '10.0.0.1' })
    if (!('attempt' in begun)) throw new Error('not let in')
    begun.attempt.succeed()
    for (let i = 0; i < 3; i++) expect(fail()).toBe(0)
    expect(wait({ person: 'x', address: '10.0.0.1' })).toBe(0)
    fail({ person: 'x', address: '10.0.0.1' })
    expect(wait({ person: 'x', address: '10.0.0.1' })).toBe(1000)
  })

  it('that was none leaves all as it was, also among others that are under way', () => {
    const { throttle, ann, fail, wait, pass } = given()
    for (let i = 0; i < 3; i++) fail()
    pass(1000)
    for (let i = 0; i < 20; i++) expect(wait()).toBe(0)
    const [mine, other] = [
      throttle.begin({ person: 'bob', address: null }),
      throttle.begin({ person: 'bob', address: null }),
    ]
    if (!('attempt' in mine) || !('attempt' in other)) throw new Error('not let in')
    mine.attempt.undo()
    fail({ person: 'bob', address: '10.3.0.1' })
    fail({ person: 'bob', address: '10.3.0.2' })
    expect(wait({ ...ann, person: 'bob' })).toBe(1000)
  })

  it('is forgotten with time, one failure each half hour', () => {
    const { fail, wait, pass } = given()
    for (let i = 0; i < 4; i++) {
      pass(wait())
      fail()
    }
    expect(wait()).toBe(2000)
    pass(30 * MINUTE_MS)
    expect(fail()).toBe(0)
    expect(wait()).toBe(2000)
    pass(24 * 60 * MINUTE_MS)
    for (let i = 0; i < 3; i++) expect(fail()).toBe(0)
  })

  it('locks nobody out for longer than the delay when the clock is put back', () => {
    const { fail, wait, pass } = given()
    for (let i = 0; i < 3; i++) fail()
    pass(-365 * 24 * 60 * MINUTE_MS)
    expect(wait()).toBe(1000)
    pass(1000)
    expect(wait()).toBe(0)
  })

  it('at a million names takes bounded memory: the oldest are forgotten', () => {
    const { fail, wait } = given(100)
    for (let i = 0; i < 3; i++) fail()
    expect(wait()).toBe(1000)
    for (let i = 0; i < 10_000; i++) fail({ person: `p${i}`, address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` })
    expect(wait()).toBe(0)
  })
})
