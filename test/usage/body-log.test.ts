import { describe, expect, it, jest } from '@jest/globals'
import { createMetrics } from '../../src/metrics.ts'
import { type RawBodies, StoreError } from '../../src/store/store.ts'
import { createBodyLog } from '../../src/usage/body-log.ts'
import { eventually } from '../helpers/http.ts'
import { aBodies, aText } from '../store/samples.ts'

const KEEPS = { request: true, response: true, maxBytes: 65_536 }

type Said = { message: string; requests: unknown; cause: unknown }

/** A log of bodies over a store that does as it is told; each write waits until it is let go. */
function given(bounds: { maxWaiting?: number; maxWaitingBytes?: number } = {}) {
  const metrics = createMetrics()
  const said: Said[] = []
  const batches: RawBodies[][] = []
  const open: ((outcome: number | Error) => void)[] = []
  const store = {
    append: (batch: RawBodies[]) =>
      new Promise<number>((resolve, reject) => {
        batches.push(batch)
        open.push((outcome) => (typeof outcome === 'number' ? resolve(outcome) : reject(outcome)))
      }),
  }
  const log = {
    warn: (message: string, fields: Record<string, unknown> = {}) =>
      void said.push({ message, requests: fields.requests, cause: fields.cause }),
  }
  return {
    bodies: createBodyLog({ keeps: KEEPS, store, metrics, log, ...bounds }),
    said,
    batches,
    /** Ends the next write, when it comes. */
    async write(outcome?: Error | number): Promise<void> {
      const end = await eventually(() => open.shift(), 'a write')
      end(outcome ?? batches.at(-1)!.length)
    },
    async counted(result: string): Promise<number> {
      const { values } = await metrics.registry.getSingleMetric('llmproxy_body_log_total')!.get()
      return values.find(({ labels }) => labels.result === result)?.value ?? 0
    },
  }
}

describe('bodies on their way to the disk', () => {
  it('are written in batches: one while the next one gathers', async () => {
    const { bodies, batches, write, counted } = given()
    const all = Array.from({ length: 5 }, () => aBodies())
    bodies.record(all[0]!)
    bodies.record(all[1]!)
    await eventually(() => batches.length === 1, 'the first batch')
    for (const one of all.slice(2)) bodies.record(one)
    expect(batches).toEqual([all.slice(0, 2)])
    await write()
    await eventually(() => batches.length === 2, 'the second batch')
    expect(batches[1]).toEqual(all.slice(2))
    const flushed = bodies.flush()
    await write()
    await flushed
    expect(await counted('kept')).toBe(5)
  })

  it('are dropped beyond a number, and beyond their bytes, and counted; who records never waits', async () => {
    const some = given({ maxWaiting: 3 })
    for (let i = 0; i < 10; i++) some.bodies.record(aBodies())
    await some.write()
    expect([some.batches[0]!.length, await some.counted('queue_full')]).toEqual([3, 7])

    const large = given({ maxWaitingBytes: 100_000 })
    const body = { ...aBodies().request!, body: aText('x'.repeat(30_000)) }
    for (let i = 0; i < 5; i++) large.bodies.record(aBodies({ request: body, response: null }))
    await large.write()
    expect([large.batches[0]!.length, await large.counted('queue_full')]).toEqual([3, 2])
    // What left makes room.
    large.bodies.record(aBodies())
    await large.write()
    expect(large.batches[1]).toHaveLength(1)
  })

  it('that cannot be written are counted and told, and the next ones are tried', async () => {
    const { bodies, write, said, counted } = given()
    bodies.record(aBodies())
    const full = new StoreError('full', 'The disk is full.')
    await write(full)
    await eventually(() => said.length === 1, 'the warning')
    expect(said).toEqual([{ message: 'bodies of requests were not kept', requests: 1, cause: full }])
    bodies.record(aBodies())
    bodies.record(aBodies())
    const flushed = bodies.flush()
    // One of the two could not be read.
    await write(1)
    await flushed
    expect([await counted('failed'), await counted('kept')]).toEqual([2, 1])
  })

  it('are told of once a minute when they are lost, however many', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] })
    try {
      const { bodies, said } = given({ maxWaiting: 0 })
      for (let i = 0; i < 100; i++) bodies.record(aBodies())
      expect(said.map(({ requests }) => requests)).toEqual([1])
      jest.advanceTimersByTime(60_000)
      expect(said.map(({ requests, cause }) => [requests, cause])).toEqual([
        [1, 'queue_full'],
        [99, 'queue_full'],
      ])
      jest.advanceTimersByTime(300_000)
      expect(said).toHaveLength(2)
      bodies.record(aBodies())
      expect(said.map(({ requests }) => requests)).toEqual([1, 99, 1])
    } finally {
      jest.useRealTimers()
    }
  })

  it('are flushed with all that was recorded before, what is being written among it', async () => {
    const { bodies, batches, write } = given()
    bodies.record(aBodies())
    await eventually(() => batches.length === 1, 'the first batch')
    bodies.record(aBodies())
    let done = false
    const flushed = bodies.flush().then(() => {
      done = true
    })
    await write()
    await eventually(() => batches.length === 2, 'the second batch')
    expect(done).toBe(false)
    await write()
    await flushed
  })

  it('are written at the end of the process, what was lost is told, and nothing more is taken', async () => {
    const { bodies, batches, said, write } = given({ maxWaiting: 1 })
    bodies.record(aBodies())
    bodies.record(aBodies())
    bodies.record(aBodies())
    const closed = bodies.close()
    await write()
    await closed
    expect(batches).toHaveLength(1)
    expect(said.map(({ requests }) => requests)).toEqual([1, 1])
    bodies.record(aBodies())
    await bodies.flush()
    expect(batches).toHaveLength(1)
  })
})
