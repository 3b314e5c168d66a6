import { describe, expect, it } from '@jest/globals'
import { anthropic } from '../../src/providers/anthropic.ts'
import { createLive } from '../../src/routing/create-live.ts'
import type { Lane, TryEnd } from '../../src/routing/live.ts'
import { pickKey } from '../../src/routing/pick-key.ts'
import type { BreakerPolicy, KeyPolicy } from '../../src/routing/types.ts'
import { seeded } from '../helpers/seeded.ts'

const BREAKER: BreakerPolicy = { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 }
const T0 = Date.UTC(2026, 9, 1)
const lane = (over: Partial<Lane> = {}): Lane => ({ provider: 'openai', keyId: 'shared', model: 'gpt-4o', ...over })

function setUp({ keys = {}, ...bounds }: { keys?: Partial<KeyPolicy>; maxLanes?: number; maxRoutes?: number } = {}) {
  const clock = { now: T0 }
  const changes: string[] = []
  const live = createLive({
    now: () => clock.now,
    random: seeded(7),
    breaker: () => BREAKER,
    keys: () => ({ strategy: 'weighted', cooldownOn429: true, ...keys }),
    rateLimitNames: (provider) => (provider === 'anthropic' ? anthropic.rateLimits : undefined) ?? openAiNames,
    onChange: ({ provider, keyId, model }, state) => changes.push(`${provider} ${keyId} ${model} ${state}`),
    ...bounds,
  })
  const ends = (how: TryEnd, times = 1, of = lane()) => {
    for (let i = 0; i < times; i++) live.begin(of).end(how)
  }
  const order = (lanes: Lane[], strategy: 'fallback' | 'round_robin' = 'fallback', route = 'r') =>
    live
      .order(
        strategy,
        route,
        lanes.map((one) => ({ weight: 1, one })),
        ({ one }) => one,
        () => null,
      )
      .map(({ one }) => one)
  return { live, clock, changes, ends, order }
}

const openAiNames = {
  requests: {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
}

describe('a lane', () => {
  it('fails by itself: another key, model or provider is not held liable', () => {
    const { live, ends } = setUp()
    ends('failed', 5)
    expect(live.admits(lane())).toBe(false)
    expect(live.admits(lane({ keyId: 'key_b' }))).toBe(true)
    expect(live.admits(lane({ model: 'gpt-4o-mini' }))).toBe(true)
    expect(live.admits(lane({ provider: 'azure-openai' }))).toBe(true)
  })

  it('is one lane however the model is spelled', () => {
    const { live, ends } = setUp()
    ends('failed', 5, lane({ model: 'openai/GPT-4o' }))
    expect(live.admits(lane())).toBe(false)
  })

  it.each(['limited', 'refused', 'cancelled'] as const)('is never closed to requests by tries that are %s', (how) => {
    const { live, ends } = setUp()
    ends(how, 100)
    expect(live.admits(lane())).toBe(true)
    expect(live.snapshot()[0]).toMatchObject({ breaker: 'closed', errorRate: null })
  })

  it('tells of its breaker each time it changes', () => {
    const { clock, changes, ends } = setUp()
    ends('failed', 5)
    clock.now += 15_000
    ends('answered')
    expect(changes).toEqual(['open', 'half_open', 'closed'].map((state) => `openai shared gpt-4o ${state}`))
  })

  it('counts a try once, however often it ends', () => {
    const { live } = setUp()
    const one = live.begin(lane())
    for (let i = 0; i < 9; i++) one.end('failed')
    expect(live.admits(lane())).toBe(true)
    expect(live.inFlight('openai', 'shared')).toBe(0)
  })

  it('shows what is under way, the time to a first event and the share of errors as moving averages', () => {
    const { live, clock } = setUp()
    const first = live.begin(lane())
    const second = live.begin(lane({ model: 'gpt-4o-mini' }))
    clock.now += 400
    first.firstEvent()
    clock.now += 5_000
    first.firstEvent()
    expect(live.inFlight('openai', 'shared')).toBe(2)
    first.end('answered')
    expect(live.snapshot()).toEqual([
      {
        ...lane(),
        breaker: 'closed',
        retryAt: null,
        inFlight: 0,
        firstEventMs: 400,
        errorRate: 0,
        isFailing: false,
        remainingRequests: null,
        remainingTokens: null,
        benchedUntil: null,
      },
      expect.objectContaining({ model: 'gpt-4o-mini', inFlight: 1, firstEventMs: null, errorRate: null }),
    ])
    second.end('failed')
    expect(live.snapshot()[1]).toMatchObject({ inFlight: 0, errorRate: 1 })
    expect(live.inFlight('openai', 'shared')).toBe(0)
  })

  it('is not made known by questions about it', () => {
    const { live, order } = setUp()
    live.admits(lane())
    order([lane(), lane({ keyId: 'key_b' })])
    expect(live.snapshot()).toEqual([])
  })

  it('is one of so many: the longest unused are forgotten, and tries under way end all the same', () => {
    const { live } = setUp({ maxLanes: 10 })
    const tries = Array.from({ length: 1_000 }, (_, i) => live.begin(lane({ model: `model-${i}`, keyId: `key_${i}` })))
    expect(live.snapshot()).toHaveLength(10)
    for (const one of tries) one.end('answered')
    expect(live.inFlight('openai', 'key_0')).toBe(0)
    expect(live.snapshot()).toHaveLength(10)
  })
})

describe('what a provider tells of its limits', () => {
  it('is shown until it is over (OpenAI)', () => {
    const { live, clock } = setUp()
    live.noteHeaders(lane(), [
      'X-RateLimit-Remaining-Requests',
      '12',
      'x-ratelimit-reset-requests',
      '6m0s',
      'x-ratelimit-remaining-tokens',
      '900',
      'x-ratelimit-reset-tokens',
      '1s',
    ])
    expect(live.snapshot()[0]).toMatchObject({ remainingRequests: 12, remainingTokens: 900 })
    clock.now += 1_000
    expect(live.snapshot()[0]).toMatchObject({ remainingRequests: 12, remainingTokens: null })
  })

  it('puts the lane behind the others while nothing is left (Anthropic)', () => {
    const { live, clock, order } = setUp()
    const [used, other] = [lane({ provider: 'anthropic', model: 'claude-opus-4-8' }), lane()]
    live.noteHeaders(used, [
      'anthropic-ratelimit-requests-remaining',
      '0',
      'anthropic-ratelimit-requests-reset',
      new Date(T0 + 10_000).toISOString(),
    ])
    expect(order([used, other])).toEqual([other, used])
    clock.now += 10_000
    expect(order([used, other])).toEqual([used, other])
  })

  it('puts it there for a quarter of a minute at the most: some of a limit is back before all of it is', () => {
    const { live, clock, order } = setUp()
    const [used, other] = [lane({ keyId: 'a' }), lane({ keyId: 'b' })]
    live.noteHeaders(used, ['x-ratelimit-remaining-tokens', '0', 'x-ratelimit-reset-tokens', '6m0s'])
    clock.now += 14_999
    expect(order([used, other])).toEqual([other, used])
    clock.now += 1
    expect(order([used, other])).toEqual([used, other])
  })

  it('is passed over where it makes no sense', () => {
    const { live, order } = setUp()
    live.noteHeaders(lane(), [
      'x-ratelimit-remaining-requests',
      '-1',
      'x-ratelimit-remaining-tokens',
      'many',
      'date',
      'x',
    ])
    live.noteHeaders(lane({ keyId: 'key_b' }), ['x-ratelimit-remaining-requests', '0'])
    expect(order([lane({ keyId: 'key_b' }), lane()])[0]).toEqual(lane({ keyId: 'key_b' }))
  })
})

describe('targets that are not fit', () => {
  it('stand behind the others, the soonest to return first, and none is left out', () => {
    const { live, ends, order } = setUp()
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((keyId) => lane({ keyId })) as [Lane, Lane, Lane, Lane]
    ends('failed', 5, a)
    live.benchKey('openai', 'b', T0 + 2_000, 'limited')
    live.benchKey('openai', 'c', T0 + 60_000, 'refused')
    expect(order([a, b, c, d])).toEqual([d, b, a, c])
  })

  it('take their turn again when they are back, as probes first', () => {
    const { live, clock, ends, order } = setUp()
    const [a, b] = [lane({ keyId: 'a' }), lane({ keyId: 'b' })]
    ends('failed', 5, a)
    clock.now += 15_000
    expect(order([a, b])).toEqual([a, b])
    const probe = live.begin(a)
    expect(order([a, b])).toEqual([b, a])
    probe.firstEvent()
    expect(order([a, b])).toEqual([a, b])
  })

  it('are not made of keys that were limited, where the operator wants no rest for these', () => {
    const { live } = setUp({ keys: { cooldownOn429: false } })
    live.benchKey('openai', 'shared', T0 + 60_000, 'limited')
    expect(live.benchedUntil('openai', 'shared')).toBeNull()
    live.benchKey('openai', 'shared', T0 + 60_000, 'refused')
    expect(live.benchedUntil('openai', 'shared')).toBe(T0 + 60_000)
    expect(live.benches()).toEqual([{ provider: 'openai', keyId: 'shared', untilMs: T0 + 60_000, why: 'refused' }])
  })
})

describe('the turns of routes', () => {
  it('are counted for each route, of so many routes at the most', () => {
    const { order } = setUp({ maxRoutes: 2 })
    const lanes = [lane({ keyId: 'a' }), lane({ keyId: 'b' })]
    const first = (route: string) => order(lanes, 'round_robin', route)[0]!.keyId
    expect([first('x'), first('x'), first('x'), first('y')]).toEqual(['a', 'b', 'a', 'a'])
    first('z')
    // Forgotten, and begun anew.
    expect(first('x')).toBe('a')
  })
})

describe('a probe of the provider', () => {
  it('that fails time and again opens the breakers of its key', () => {
    const { live, ends } = setUp()
    ends('answered')
    ends('answered', 1, lane({ keyId: 'key_b' }))
    for (let i = 0; i < 5; i++) live.noteProbe('openai', 'shared', false)
    expect(live.admits(lane())).toBe(false)
    expect(live.admits(lane({ keyId: 'key_b' }))).toBe(true)
  })

  it('that succeeds after one that failed ends the wait, and leaves it to a request to close the breaker', () => {
    const { live, clock, ends } = setUp()
    ends('failed', 5)
    live.noteProbe('openai', 'shared', false)
    clock.now += 1_000
    live.noteProbe('openai', 'shared', true)
    expect(live.snapshot()[0]!.breaker).toBe('half_open')
    expect(live.admits(lane())).toBe(true)
  })

  it('that always succeeds does not spare a model that fails its cooldown', () => {
    const { live, ends } = setUp()
    ends('failed', 5)
    live.noteProbe('openai', 'shared', true)
    expect(live.admits(lane())).toBe(false)
  })
})

describe('keys of a provider', () => {
  const keys = (weights: number[]) => weights.map((weight, i) => ({ id: `key_${i}`, provider: 'openai', weight }))
  const ids = (list: { id: string }[]) => list.map(({ id }) => id)

  it('are drawn in proportion to their weights', () => {
    const { live } = setUp()
    const random = seeded(3)
    const first = [0, 0, 0]
    for (let i = 0; i < 30_000; i++)
      first[
        Number(pickKey(live, { strategy: 'weighted', cooldownOn429: true }, keys([6, 3, 1]), random)[0]!.id.at(-1))
      ]!++
    for (const [i, share] of [0.6, 0.3, 0.1].entries()) expect(Math.abs(first[i]! / 30_000 - share)).toBeLessThan(0.02)
  })

  it('are taken by how busy they are for their weight, where the operator wants it so', () => {
    const { live } = setUp()
    const policy = { strategy: 'least_busy', cooldownOn429: true } as const
    live.begin(lane({ keyId: 'key_0' }))
    live.begin(lane({ keyId: 'key_1', model: 'gpt-4.1' }))
    live.begin(lane({ keyId: 'key_1' }))
    expect(ids(pickKey(live, policy, keys([1, 1, 1])))).toEqual(['key_2', 'key_0', 'key_1'])
    expect(ids(pickKey(live, policy, keys([1, 10, 1])))[0]).toBe('key_1')
  })

  it('that rest come last, the soonest to return first; a weight of nothing is the last resort among the fit', () => {
    const { live } = setUp()
    live.benchKey('openai', 'key_0', T0 + 9_000, 'limited')
    live.benchKey('openai', 'key_1', T0 + 3_000, 'limited')
    for (let i = 0; i < 50; i++)
      expect(ids(pickKey(live, { strategy: 'weighted', cooldownOn429: true }, keys([5, 5, 0, 1])))).toEqual([
        'key_3',
        'key_2',
        'key_1',
        'key_0',
      ])
  })
})
