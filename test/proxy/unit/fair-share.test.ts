import { describe, expect, it } from '@jest/globals'
import { createFairShare } from '../../../src/proxy/fair-share.ts'

function given(places: number) {
  let at = 0
  const share = createFairShare({ places, now: () => at })
  /** How many of `count` requests of the project are let in. */
  const enter = (projectId: string, count: number) => {
    let entered = 0
    for (let i = 0; i < count; i++) {
      try {
        share.enter(projectId)
        entered++
      } catch (error) {
        expect(error).toMatchObject({ code: 'overloaded', headers: { 'retry-after': '1' } })
      }
    }
    return entered
  }
  const leave = (projectId: string, count = 1) => {
    for (let i = 0; i < count; i++) share.leave(projectId)
  }
  const pass = (ms: number) => {
    at += ms
  }
  return { enter, leave, pass }
}

describe('the places for requests at once', () => {
  it('may all be one project’s while nobody else wants any', () => {
    const { enter } = given(100)
    expect(enter('a', 150)).toBe(100)
  })

  it('go to a project that was refused as soon as others leave, not to the one that has more than its share', () => {
    const { enter, leave } = given(100)
    enter('a', 100)
    expect(enter('b', 1)).toBe(0)
    leave('a')
    expect(enter('a', 1)).toBe(0)
    expect(enter('b', 1)).toBe(1)
  })

  it('come to be shared evenly between two who want all of them', () => {
    const { enter, leave } = given(100)
    const held = { a: enter('a', 100), b: 0 }
    for (let round = 0; round < 200; round++) {
      for (const project of ['a', 'b'] as const) {
        if (held[project] > 0) {
          leave(project)
          held[project]--
        }
      }
      for (const project of ['a', 'b'] as const) held[project] += enter(project, 100)
    }
    expect(held.a + held.b).toBe(100)
    expect(Math.abs(held.a - held.b)).toBeLessThanOrEqual(2)
  })

  it('are free for all while four fifths are not taken', () => {
    const { enter } = given(100)
    expect(enter('b', 1)).toBe(1)
    expect(enter('a', 100)).toBe(79)
    expect(enter('b', 100)).toBe(20)
  })

  it('are one project’s again ten seconds after the other gave up', () => {
    const { enter, leave, pass } = given(10)
    enter('a', 10)
    enter('b', 1)
    leave('a')
    expect(enter('a', 1)).toBe(0)
    pass(10_001)
    expect(enter('a', 1)).toBe(1)
  })

  it('are never given back more often than taken', () => {
    const { enter, leave } = given(10)
    enter('a', 1)
    leave('a')
    expect(() => leave('a')).toThrow('a holds no place')
  })
})
