import { beforeEach, describe, expect, it } from '@jest/globals'
import { createPace, type Pace } from '../../src/usage/pace.ts'

let now = 1_000_000_500
let pace: Pace
beforeEach(() => {
  now = 1_000_000_500
  pace = createPace(() => now)
})

describe('the pace of requests', () => {
  it('is the mean of the last ten full seconds, of all and of a project', () => {
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 30; i++) pace.count(i % 3 === 0 ? 'proj_a' : null)
      now += 1000
    }
    expect(pace.perSecond(null)).toBe(30)
    expect(pace.perSecond('proj_a')).toBe(10)
    expect(pace.perSecond('proj_b')).toBe(0)
  })

  it('does not count the second that is not over, and forgets what is older', () => {
    pace.count(null)
    expect(pace.perSecond(null)).toBe(0)
    now += 1000
    expect(pace.perSecond(null)).toBe(0.1)
    now += 9_000
    expect(pace.perSecond(null)).toBe(0.1)
    now += 1000
    expect(pace.perSecond(null)).toBe(0)
  })

  it('stays sane when the clock is put back', () => {
    for (let i = 0; i < 100; i++) pace.count('p')
    now -= 3_600_000
    pace.count('p')
    now += 1000
    expect(pace.perSecond('p')).toBe(0.1)
  })

  it('counts before 1970, too', () => {
    now = -500
    pace.count('p')
    now += 1000
    expect(pace.perSecond('p')).toBe(0.1)
  })

  it('keeps no project for longer', () => {
    for (let i = 0; i < 100_000; i++) {
      if (i % 1000 === 0) now += 1000
      pace.count(`proj_${i}`)
    }
    now += 1000
    expect(pace.perSecond('proj_5')).toBe(0)
    expect(pace.perSecond(null)).toBe(1000)
  })
})
