import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Grant, Kv, LimitCheck, Refusal } from '../../src/kv/kv.ts'
import { createMemoryKv } from '../../src/kv/memory.ts'

const rate = (key: string, limit: number, amount = 1, what: 'requests' | 'tokens' = 'requests'): LimitCheck => ({
  kind: 'rate',
  key,
  limit,
  what,
  windowMs: 60_000,
  amount,
})
const running = (key: string, limit: number): LimitCheck => ({
  kind: 'concurrency',
  key,
  limit,
  what: 'concurrent_requests',
})

/** A store with a clock of its own. */
function given(maxKeys?: number) {
  const clock = { now: 0 }
  const kv = createMemoryKv(() => clock.now, maxKeys)
  const ask = (...checks: LimitCheck[]) => kv.acquire(checks) as Grant | Refusal
  const grant = (...checks: LimitCheck[]) => {
    const answer = ask(...checks)
    if (!answer.ok) throw new Error(`refused: ${answer.refused.key}`)
    return answer
  }
  return { kv, clock, ask, grant }
}

describe('a limit', () => {
  it('takes nothing at all when one of several checks refuses', () => {
    const { ask, grant } = given()
    grant(rate('project', 3, 3, 'tokens'))
    for (let i = 0; i < 5; i++) {
      expect(ask(running('a', 1), rate('token', 1), rate('project', 3, 1, 'tokens'))).toMatchObject({
        ok: false,
        refused: { key: 'project' },
      })
    }
    expect(ask(running('a', 1), rate('token', 1)).ok).toBe(true)
  })

  it('can be looked at without taking anything', async () => {
    const { kv, grant } = given()
    grant(running('a', 2), rate('a', 5))
    const look = () => kv.peek([running('a', 2), rate('a', 5), rate('nobody', 7)])
    for (let i = 0; i < 3; i++) expect((await look()).map(({ remaining }) => remaining)).toEqual([1, 4, 7])
  })

  it('gives a slot back once, however often it is released', () => {
    const { kv, ask, grant } = given()
    const first = grant(running('a', 2))
    const second = grant(running('a', 2))
    kv.release(first)
    kv.release(first)
    kv.release(first, { tokens: 5 })
    grant(running('a', 2))
    expect(ask(running('a', 2)).ok).toBe(false)
    kv.release(second)
    expect(ask(running('a', 2)).ok).toBe(true)
  })

  it('corrects reserved tokens to those used, and requests not at all', () => {
    const { kv, grant } = given()
    const held = grant(rate('r', 10), rate('t', 100, 80, 'tokens'))
    expect(held.states).toMatchObject([{ remaining: 9 }, { remaining: 20 }])
    kv.release(held, { tokens: 30 })
    expect(grant(rate('r', 10), rate('t', 100, 0, 'tokens')).states).toMatchObject([
      { remaining: 8 },
      { remaining: 70 },
    ])
  })

  it('keeps what was reserved when nobody knows what was used', () => {
    const { kv, grant } = given()
    kv.release(grant(rate('t', 100, 80, 'tokens')))
    expect(grant(rate('t', 100, 0, 'tokens')).states[0]!.remaining).toBe(20)
  })

  it('never says that less than nothing remains when an answer used more than it reserved', () => {
    const { kv, clock, ask, grant } = given()
    kv.release(grant(rate('t', 100, 10, 'tokens')), { tokens: 5_000 })
    expect(ask(rate('t', 100, 1, 'tokens'))).toMatchObject({
      ok: false,
      states: [{ remaining: 0 }],
      retryAfterMs: 61_000,
    })
    clock.now = 61_000
    expect(ask(rate('t', 100, 100, 'tokens')).ok).toBe(true)
  })

  it('says that a request which fits into no window never will', () => {
    expect(given().ask(rate('t', 100, 101, 'tokens'))).toMatchObject({ ok: false, retryAfterMs: null })
  })

  it('lets a refused caller in after the wait it named, whatever came before', () => {
    const asked = fc.array(fc.record({ waitMs: fc.nat(20_000), amount: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(asked, (steps) => {
        const { clock, ask } = given()
        for (const { waitMs, amount } of steps) {
          clock.now += waitMs
          const answer = ask(rate('t', 10, amount, 'tokens'))
          if (answer.ok) continue
          clock.now += answer.retryAfterMs!
          expect(ask(rate('t', 10, amount, 'tokens')).ok).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is kept for its own length of time, also where the same owner had another before', () => {
    const { clock, grant, ask } = given()
    grant({ kind: 'rate', key: 'tok:requests', limit: 100, what: 'requests', windowMs: 1_000, amount: 1 })
    for (let i = 0; i < 4; i++) grant(rate('tok:requests', 5))
    clock.now = 2_000
    for (let i = 0; i < 5; i++) ask(rate('tok:requests', 5))
    expect(ask(rate('tok:requests', 5)).ok).toBe(false)
    clock.now = 30_000
    expect(ask(rate('tok:requests', 5)).ok).toBe(false)
  })
})

describe('memory', () => {
  const fill = (ask: (...checks: LimitCheck[]) => unknown, from: number, to: number) => {
    for (let i = from; i < to; i++) ask(rate(`k${i}`, 5))
  }

  it('is bounded: past the most keys new ones are refused for a second, and known ones go on', () => {
    const { ask } = given(10)
    fill(ask, 0, 10)
    expect(ask(rate('new', 5))).toMatchObject({ ok: false, retryAfterMs: 1_000 })
    expect(ask(rate('k3', 5)).ok).toBe(true)
  })

  it('drops keys that are idle to make room for new ones', () => {
    const { clock, ask } = given(10)
    fill(ask, 0, 10)
    clock.now = 61_000
    fill(ask, 10, 20)
    expect(ask(rate('k19', 5))).toMatchObject({ ok: true, states: [{ remaining: 3 }] })
  })

  it('keeps keys that are busy, for as long as they are', () => {
    const { kv, clock, ask, grant } = given(1_500)
    const held = grant(running('busy', 1))
    for (let round = 0; round < 5; round++) {
      clock.now += 61_000
      fill(ask, round * 1_400, round * 1_400 + 1_400)
      expect(ask(running('busy', 1)).ok).toBe(false)
    }
    kv.release(held)
    expect(ask(running('busy', 1)).ok).toBe(true)
  })

  it('never forgets a slot that was taken in the same breath as the room was made', () => {
    for (let size = 1_018; size < 1_030; size++) {
      const { kv, ask, clock } = given(100_000)
      fill(ask, 0, size)
      clock.now = 61_000
      const held = ask(running('a', 1), rate('b', 5), rate('c', 5, 3, 'tokens'))
      expect(held.ok).toBe(true)
      expect([size, ask(running('a', 1)).ok]).toEqual([size, false])
      kv.release(held as Grant)
      expect([size, ask(running('a', 1)).ok]).toEqual([size, true])
    }
  })

  it('does not forget a request under way whose tokens are known only at its end', () => {
    const { kv, grant, clock, ask } = given(100_000)
    const held = grant(rate('upload', 100, 0, 'tokens'))
    fill(ask, 0, 1_023)
    clock.now = 1
    fill(ask, 2_000, 2_010)
    kv.release(held, { tokens: 90 })
    expect(grant(rate('upload', 100, 0, 'tokens')).states[0]!.remaining).toBe(10)
  })
})

it('never lets more run at a time than a limit says, in any order of coming and going', () => {
  const move = fc.record({ key: fc.constantFrom('a', 'b'), end: fc.boolean(), index: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(move, { maxLength: 100 }), fc.integer({ min: 1, max: 4 }), (moves, limit) => {
      const kv: Kv = createMemoryKv(() => 0)
      const held: Record<string, Grant[]> = { a: [], b: [] }
      for (const { key, end, index } of moves) {
        const mine = held[key]!
        if (end) {
          const [one] = mine.splice(index, 1)
          if (one) kv.release(one)
          continue
        }
        const answer = kv.acquire([running(key, limit)]) as Grant | Refusal
        expect(answer.ok).toBe(mine.length < limit)
        if (answer.ok) mine.push(answer)
      }
    }),
  )
})
