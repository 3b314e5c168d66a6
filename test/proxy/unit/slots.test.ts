import { describe, expect, it } from '@jest/globals'
import type { GatewayError } from '../../../src/errors.ts'
import { createSlots, type Release, type SlotLimits } from '../../../src/proxy/slots.ts'

const HOUR = 3_600_000

function given(limits: Partial<SlotLimits> | null) {
  const waiting: number[] = []
  const slots = createSlots({
    limitsOf: () => limits && { maxConcurrent: 1, maxQueued: 10, queueTimeoutMs: HOUR, ...limits },
    onWaiting: (_provider, count) => waiting.push(count),
  })
  /** In the order in which they got a slot, or were refused. */
  const order: string[] = []
  const ask = (name: string, projectId = name) => {
    const client: { cancel: (() => void) | null } = { cancel: null }
    const asked = Promise.resolve(slots.acquire('openai', projectId, client)).then(
      (release) => {
        order.push(name)
        return release
      },
      (error: GatewayError) => {
        order.push(`${name}: ${error.code}`)
        return error
      },
    )
    return { client, slot: asked as Promise<Release>, error: asked as unknown as Promise<GatewayError> }
  }
  return { slots, waiting, order, ask }
}

describe('slots of a provider', () => {
  it('cost nothing where there is no limit: the same function for everybody, at once', () => {
    const { slots } = given(null)
    const release = slots.acquire('openai', 'a', { cancel: null })
    expect(release).toBe(slots.acquire('openai', 'b', { cancel: null }))
    expect(release).toBeInstanceOf(Function)
  })

  it('are given at once while there are some, and in turn then: one a project, each project in its order', async () => {
    const { ask, order, waiting } = given({ maxConcurrent: 2 })
    const held = [await ask('first').slot, await ask('second').slot]
    const line = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => ask(name, name[0]!))
    expect(waiting).toEqual([1, 2, 3, 4, 5, 6])
    held[0]!()
    const turns = ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']
    for (const name of turns) {
      const index = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].indexOf(name)
      ;(await line[index]!.slot)()
    }
    expect(order).toEqual(['first', 'second', ...turns])
    expect(waiting.at(-1)).toBe(0)
  })

  it('are not given twice by giving one back twice', async () => {
    const { ask, order } = given({})
    const release = await ask('a').slot
    const next = ask('b')
    const last = ask('c')
    release()
    release()
    const releaseB = await next.slot
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual(['a', 'b'])
    releaseB()
    await last.slot
  })

  it('are not given to whoever came late while others wait', async () => {
    const { ask, order } = given({ maxConcurrent: 1 })
    const release = await ask('a').slot
    const waiting = ask('b')
    release()
    const late = ask('c')
    ;(await waiting.slot)()
    await late.slot
    expect(order).toEqual(['a', 'b', 'c'])
  })

  it('are refused to who finds the line full, with the time to come back', async () => {
    const { ask } = given({ maxQueued: 1 })
    await ask('a').slot
    ask('b', 'one')
    const error = await ask('c', 'two').error
    expect(error).toMatchObject({ code: 'overloaded', status: 503, headers: { 'retry-after': '1' } })
  })

  it('with no line at all are refused at once', async () => {
    const { ask } = given({ maxQueued: 0 })
    const release = await ask('a').slot
    expect((await ask('b').error).code).toBe('overloaded')
    release()
    await ask('c').slot
  })

  it('a project that fills the line makes room for one that has nobody in it', async () => {
    const { ask, order } = given({ maxQueued: 3 })
    const release = await ask('a0', 'a').slot
    const hog = ['a1', 'a2', 'a3'].map((name) => ask(name, 'a'))
    const other = ask('b1', 'b')
    expect((await hog[2]!.error).code).toBe('overloaded')
    // Even now: two against one.
    expect((await ask('b2', 'b').error).code).toBe('overloaded')
    release()
    ;(await hog[0]!.slot)()
    ;(await other.slot)()
    ;(await hog[1]!.slot)()
    expect(order).toEqual(['a0', 'a3: overloaded', 'b2: overloaded', 'a1', 'b1', 'a2'])
  })

  it('are waited for no longer than the time limit', async () => {
    const { ask, waiting } = given({ queueTimeoutMs: 1 })
    await ask('a').slot
    expect((await ask('b').error).code).toBe('overloaded')
    expect(waiting).toEqual([1, 0])
  })

  it('a client who leaves makes room in the line at once', async () => {
    const { ask, order, waiting } = given({ maxQueued: 1 })
    const release = await ask('a').slot
    const left = ask('b')
    left.client.cancel!()
    expect((await left.error).code).toBe('client_closed')
    expect(waiting.at(-1)).toBe(0)
    const next = ask('c')
    release()
    await next.slot
    // Leaving again, or too late, does no harm.
    left.client.cancel!()
    next.client.cancel!()
    expect(order).toEqual(['a', 'b: client_closed', 'c'])
  })

  it('hold through a thousand requests that end, leave and run out of time in any order: never more at once than the limit', async () => {
    const { slots } = given({ maxConcurrent: 7, maxQueued: 50, queueTimeoutMs: 2 })
    let running = 0
    let most = 0
    let served = 0
    let seed = 42
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed / 2 ** 31
    }
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const one = async (index: number) => {
      for (let turns = Math.floor(random() * 40); turns > 0; turns--) await turn()
      const client: { cancel: (() => void) | null } = { cancel: null }
      const slot = slots.acquire('openai', `p${index % 5}`, client)
      if (random() < 0.2) client.cancel?.()
      try {
        const release = await slot
        most = Math.max(most, ++running)
        await turn()
        running--
        served++
        release()
      } catch (error) {
        expect((error as GatewayError).code).toMatch(/^(?:overloaded|client_closed)$/)
      }
    }
    await Promise.all(Array.from({ length: 1000 }, (_, index) => one(index)))
    expect(most).toBe(7)
    expect(served).toBeGreaterThan(200)
    // All have been given back.
    const all = Array.from({ length: 7 }, () => slots.acquire('openai', 'p', { cancel: null }))
    expect(all.every((slot) => typeof slot === 'function')).toBe(true)
  })
})
