import { describe, expect, it } from '@jest/globals'
import type { Grant } from '../../../src/kv/kv.ts'
import { createMemoryKv } from '../../../src/kv/memory.ts'
import { admit } from '../../../src/proxy/admit.ts'
import type { Exchange } from '../../../src/proxy/exchange.ts'
import type { RequestBody } from '../../../src/proxy/read-request.ts'
import type { RateLimit } from '../../../src/store/store.ts'
import type { Ledger } from '../../../src/usage/ledger.ts'
import { caller } from './caller.ts'

const json = (body: object, padding = 0): RequestBody => {
  const text = JSON.stringify(body)
  return {
    kind: 'json',
    bytes: Buffer.from(text + ' '.repeat(padding - (padding ? text.length : 0))),
    value: body as Record<string, unknown>,
    problem: null,
  }
}
const limit = (fields: Partial<RateLimit>): RateLimit => ({
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrentRequests: null,
  ...fields,
})

/** A gateway where a take is answered as it is told. */
function given(taken: boolean | Error = true) {
  const clock = { now: 0 }
  const kv = createMemoryKv(() => clock.now)
  const ledger = {
    take: async () => {
      if (taken instanceof Error) throw taken
      return taken
    },
  } as unknown as Ledger
  const ask = async (
    body: RequestBody,
    rateLimit: RateLimit | null,
    more: { project?: RateLimit; maxRequests?: number; usual?: { requests: number; windowSeconds: number } } = {},
  ) => {
    const exchange = { body, grant: null as Grant | null, taken: false, admitted: false }
    const asking = caller({
      token: { rateLimit, maxRequests: more.maxRequests ?? null },
      project: { rateLimit: more.project ?? null },
    })
    await admit({ kv, ledger } as never, more.usual ?? null, exchange as Exchange, asking, null as never)
    return { ...exchange, grant: exchange.grant! }
  }
  return { ask, clock }
}
/** What of a thousand tokens is left once this request is under way. */
const leftOf1000 = async (body: RequestBody) => {
  const { grant } = await given().ask(body, limit({ tokensPerMinute: 1_000 }))
  return grant.states[0]!.remaining
}

describe('before a request leaves, tokens are reserved', () => {
  it.each([
    ['a quarter of its bytes and its longest answer', json({ max_tokens: 100 }, 400), 800],
    ['max_completion_tokens, where it says that', json({ max_completion_tokens: 200 }, 400), 700],
    ['max_output_tokens, as responses say', json({ max_output_tokens: 300 }, 400), 600],
    ['each of several answers', json({ max_tokens: 100, n: 3 }, 400), 600],
    ['one answer, when n makes no sense', json({ max_tokens: 100, n: -3 }, 400), 800],
    ['no answer, when it allows none', json({ max_tokens: 0 }, 400), 900],
    ['all that is left, where it names no bound', json({}, 400), 0],
    ['all that is left, where its bound is none', json({ max_tokens: 'many' }, 400), 0],
    [
      'nothing for an upload',
      { kind: 'stream', stream: null as never, contentLength: null } satisfies RequestBody,
      1_000,
    ],
    ['nothing without a body', { kind: 'none' } satisfies RequestBody, 1_000],
  ])('%s', async (_what, body, left) => {
    expect(await leftOf1000(body)).toBe(left)
  })

  it('the largest, where it names several bounds: a provider may pass over the one that it does not know', async () => {
    expect(await leftOf1000(json({ max_output_tokens: 1, max_tokens: 500 }, 400))).toBe(400)
  })

  it('a usual answer, where it names no bound and the limit has room', async () => {
    const { grant } = await given().ask(json({}, 400), limit({ tokensPerMinute: 100_000 }))
    expect(grant.states[0]!.remaining).toBe(100_000 - 100 - 1_024)
  })

  it('and a request that may need more than a minute has is refused for good', async () => {
    for (const body of [json({ max_tokens: 901 }, 400), json({}, 4_004), json({ max_tokens: 300, n: 4 }, 400)]) {
      await expect(given().ask(body, limit({ tokensPerMinute: 1_000 }))).rejects.toMatchObject({
        code: 'rate_limit_exceeded',
        headers: { 'x-should-retry': 'false' },
      })
    }
  })
})

describe('a refusal', () => {
  it('says which limit it was, and when to come back', async () => {
    const { ask, clock } = given()
    const twice = limit({ requestsPerMinute: 1 })
    await ask(json({}), twice)
    clock.now = 30_500
    await expect(ask(json({}), twice)).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
      message: expect.stringContaining('1 requests per 60 s. Try again in 31 s.'),
      details: { limit: 'requests', value: 1, retry_after_seconds: 31 },
      headers: { 'retry-after': '31', 'retry-after-ms': '30500', 'x-ratelimit-remaining-requests': '0' },
    })
  })

  it('for too many at a time asks to come back in a second', async () => {
    const { ask } = given()
    const one = limit({ concurrentRequests: 1 })
    await ask(json({}), one)
    await expect(ask(json({}), one)).rejects.toMatchObject({
      headers: { 'retry-after': '1' },
      message: expect.stringContaining('1 requests at a time'),
    })
  })

  it('for a wait that SDKs would cut short tells them not to try', async () => {
    const { ask } = given()
    const usual = { requests: 1, windowSeconds: 3_600 }
    await ask(json({}), null, { usual })
    await expect(ask(json({}), null, { usual })).rejects.toMatchObject({
      headers: { 'retry-after': '3660', 'x-should-retry': 'false' },
    })
  })

  it('by the project costs the token nothing', async () => {
    const { ask } = given()
    const project = limit({ requestsPerMinute: 1 })
    const token = limit({ requestsPerMinute: 2, concurrentRequests: 1 })
    await ask(json({}), null, { project })
    for (let i = 0; i < 5; i++)
      await expect(ask(json({}), token, { project })).rejects.toMatchObject({ details: { value: 1 } })
    expect((await ask(json({}), token)).grant.states).toMatchObject([{ remaining: 0 }, { remaining: 1 }])
  })
})

describe('the limit for tokens without one of their own', () => {
  const usual = { requests: 2, windowSeconds: 10 }

  it('holds for them, in its own window', async () => {
    const { ask, clock } = given()
    await ask(json({}), null, { usual })
    await ask(json({}), limit({ concurrentRequests: 9 }), { usual })
    await expect(ask(json({}), null, { usual })).rejects.toMatchObject({ details: { value: 2 } })
    clock.now = 10_500
    await ask(json({}), null, { usual })
  })

  it('does not hold for a token that has one', async () => {
    const { ask } = given()
    for (let i = 0; i < 5; i++) await ask(json({}), limit({ requestsPerMinute: 5 }), { usual })
    await expect(ask(json({}), limit({ requestsPerMinute: 5 }), { usual })).rejects.toMatchObject({
      details: { value: 5 },
    })
  })

  it('does not lend its window to a limit that the token is given later', async () => {
    const { ask, clock } = given()
    await ask(json({}), null, { usual: { requests: 100, windowSeconds: 1 } })
    clock.now = 5_000
    for (let i = 0; i < 3; i++) await ask(json({}), limit({ requestsPerMinute: 3 }))
    clock.now = 10_000
    await expect(ask(json({}), limit({ requestsPerMinute: 3 }))).rejects.toMatchObject({ code: 'rate_limit_exceeded' })
  })
})

describe('a quota', () => {
  it('that is used up gives its slot back', async () => {
    const { ask } = given(false)
    for (let i = 0; i < 3; i++) {
      await expect(ask(json({}), limit({ concurrentRequests: 1 }), { maxRequests: 7 })).rejects.toMatchObject({
        code: 'insufficient_quota',
        details: { max_requests: 7 },
      })
    }
  })

  it('that cannot be counted refuses, and gives its slot back', async () => {
    const { ask } = given(new Error('disk'))
    for (let i = 0; i < 3; i++) {
      await expect(ask(json({}), limit({ concurrentRequests: 1 }), { maxRequests: 7 })).rejects.toMatchObject({
        code: 'storage_unavailable',
        status: 503,
      })
    }
  })
})
