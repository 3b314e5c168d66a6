import { describe, expect, it } from '@jest/globals'
import { createLive } from '../../src/routing/create-live.ts'
import type { Lane, Live } from '../../src/routing/live.ts'
import type { BreakerPolicy, Strategy } from '../../src/routing/types.ts'
import { seeded } from '../helpers/seeded.ts'

/*
 * The real live state, a small model of the loop that asks it, and a clock of its own: thousands of requests in a second.
 */

type Fake = {
  name: string
  weight?: number
  price?: number | null
  /** How it takes a try that comes at this time: after so many milliseconds it answers, fails, or (`limited`) says 429. */
  answer(at: number): { ms: number; how: 'answered' | 'failed' | 'limited' }
}

type Request = { at: number; attempts: { name: string; at: number }[]; served: string | null }
type Options = {
  strategy: Strategy
  targets: Fake[]
  requests: number
  everyMs: number
  maxRetries?: number
  policy?: Partial<BreakerPolicy>
}

const POLICY: BreakerPolicy = { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 }
const BACKOFF_MS = 500

function simulate({ strategy, targets, requests, everyMs, maxRetries = 2, policy = {} }: Options) {
  const clock = { now: 0 }
  const random = seeded(11)
  const live = createLive({
    now: () => clock.now,
    random,
    breaker: () => ({ ...POLICY, ...policy }),
    keys: () => ({ strategy: 'weighted', cooldownOn429: true }),
  })
  const due: { at: number; run(): void }[] = []
  const later = (ms: number, run: () => void) => {
    const at = clock.now + ms
    let i = due.length
    while (i > 0 && due[i - 1]!.at > at) i--
    due.splice(i, 0, { at, run })
  }
  const seen: Request[] = []
  let arrived = 0
  while (arrived < requests || due.length > 0) {
    const arrives = arrived < requests ? arrived * everyMs : Number.POSITIVE_INFINITY
    if (due.length > 0 && due[0]!.at <= arrives) {
      const next = due.shift()!
      clock.now = next.at
      next.run()
    } else {
      clock.now = arrives
      arrived++
      seen.push(runRequest({ live, strategy, targets, maxRetries, clock, later }))
    }
  }
  return { seen, live }
}

type Loop = {
  live: Live
  strategy: Strategy
  targets: Fake[]
  maxRetries: number
  clock: { now: number }
  later(ms: number, run: () => void): void
}

const laneOf = ({ name }: Fake): Lane => ({ provider: name, keyId: 'shared', model: 'gpt-4o' })

/** Tries again on the same target, then on the next; where nothing is fit, the first is tried once all the same. */
function runRequest({ live, strategy, targets, maxRetries, clock, later }: Loop): Request {
  const request: Request = { at: clock.now, attempts: [], served: null }
  const weighted = targets.map((fake) => ({ weight: fake.weight ?? 1, fake }))
  const order = live.order(
    strategy,
    'route',
    weighted,
    ({ fake }) => laneOf(fake),
    ({ fake }) => fake.price ?? null,
  )
  const none = !order.some(({ fake }) => live.admits(laneOf(fake)))
  const go = (index: number, tried: number): void => {
    const fake = order[index]?.fake
    if (!fake) return
    if (!live.admits(laneOf(fake)) && !(none && index === 0 && tried === 0)) return go(index + 1, 0)
    request.attempts.push({ name: fake.name, at: clock.now })
    const one = live.begin(laneOf(fake))
    const { ms, how } = fake.answer(clock.now)
    later(ms, () => {
      if (how === 'answered') {
        one.firstEvent()
        request.served = fake.name
      }
      one.end(how)
      if (how === 'limited') {
        live.benchKey(fake.name, 'shared', clock.now + 5_000, 'limited')
        go(index + 1, 0)
      } else if (how === 'failed') {
        if (tried < maxRetries) later(BACKOFF_MS, () => go(index, tried + 1))
        else go(index + 1, 0)
      }
    })
  }
  go(0, 0)
  return request
}

const good = (name: string, ms = 200): Fake => ({ name, answer: () => ({ ms, how: 'answered' }) })
const share = (seen: Request[], name: string) => seen.filter(({ served }) => served === name).length / seen.length
const attemptsAt = (seen: Request[], name: string) =>
  seen.flatMap((one) => one.attempts.filter((try_) => try_.name === name))

describe('in an outage', () => {
  const MINUTE = 60_000
  const dead = (until: number, ms: number): Fake => ({
    name: 'dead',
    answer: (at) => (at < until ? { ms, how: 'failed' } : { ms: 200, how: 'answered' }),
  })

  it.each([
    ['refuses at once', 5, 20],
    ['fails after a second', 1_000, 50],
    ['is silent for twenty seconds', 20_000, 100],
    ['refuses at once, with few requests', 5, 2_000],
  ])('a target that %s is reached by less than 1.5 tries a request, and every request is served', (_, ms, everyMs) => {
    const { seen } = simulate({
      strategy: 'fallback',
      targets: [dead(Number.POSITIVE_INFINITY, ms), good('spare')],
      requests: 3_000,
      everyMs,
    })
    expect(attemptsAt(seen, 'dead').length / seen.length).toBeLessThan(1.5)
    expect(share(seen, 'spare')).toBe(1)
  })

  it.each(['fallback', 'weighted', 'round_robin', 'least_latency', 'least_busy', 'cheapest'] as const)(
    'by %s the dead target gets no more than a handful of tries and its probes',
    (strategy) => {
      const { seen } = simulate({
        strategy,
        targets: [dead(Number.POSITIVE_INFINITY, 5), good('spare'), good('other', 300)],
        requests: 12_000,
        everyMs: 10,
      })
      // Two minutes: what it takes to open, with the tries under way meanwhile, and one probe at the most every 15 s, then every 25 s.
      expect(attemptsAt(seen, 'dead').length).toBeLessThan(60 + 10)
      expect(seen.every(({ served }) => served !== null)).toBe(true)
    },
  )

  it.each([
    ['refuses at once', 5],
    ['fails after a second', 1_000],
    ['is silent for an hour', 3_600_000],
  ])('that lasts a minute, a target that %s serves again within 30 s', (_, ms) => {
    for (let startMs = 0; startMs < 30_000; startMs += 1_700) {
      const down: Fake = {
        name: 'dead',
        answer: (at) => (at >= startMs && at < startMs + MINUTE ? { ms, how: 'failed' } : { ms: 200, how: 'answered' }),
      }
      const { seen } = simulate({
        strategy: 'fallback',
        targets: [down, good('spare')],
        requests: 1_300,
        everyMs: 100,
        maxRetries: 0,
      })
      const back = seen.find(({ at, served }) => at >= startMs + MINUTE && served === 'dead')!
      expect(back.at - (startMs + MINUTE)).toBeLessThanOrEqual(30_000)
      const after = seen.filter(({ at }) => at > back.at + 1_000)
      expect(share(after, 'dead')).toBe(1)
    }
  })

  it('of all targets the first is tried all the same, and serves as soon as it is back', () => {
    const { seen } = simulate({ strategy: 'fallback', targets: [dead(MINUTE, 5)], requests: 1_300, everyMs: 100 })
    expect(seen.filter(({ at }) => at >= MINUTE).every(({ served }) => served === 'dead')).toBe(true)
  })

  it('in parts (one request in ten fails) the target is not given up', () => {
    const random = seeded(5)
    const flaky: Fake = { name: 'flaky', answer: () => ({ ms: 50, how: random() < 0.1 ? 'failed' : 'answered' }) }
    const { seen } = simulate({ strategy: 'fallback', targets: [flaky, good('spare')], requests: 5_000, everyMs: 20 })
    expect(share(seen, 'flaky')).toBeGreaterThan(0.99)
    expect(seen.every(({ served }) => served !== null)).toBe(true)
  })

  it('that is none but a limit, a target that says 429 is left alone until its key is fit', () => {
    const limited: Fake = {
      name: 'limited',
      answer: (at) => (at < MINUTE ? { ms: 20, how: 'limited' } : { ms: 20, how: 'answered' }),
    }
    const { seen } = simulate({
      strategy: 'fallback',
      targets: [limited, good('spare')],
      requests: 1_200,
      everyMs: 100,
    })
    // Benched for five seconds each time.
    expect(
      attemptsAt(
        seen.filter(({ at }) => at < MINUTE),
        'limited',
      ).length,
    ).toBeLessThanOrEqual(13)
    expect(
      share(
        seen.filter(({ at }) => at > MINUTE + 5_000),
        'limited',
      ),
    ).toBe(1)
  })
})

describe('strategies', () => {
  it('weighted: each target has its share, within 2 %', () => {
    const targets = [
      { ...good('a'), weight: 6 },
      { ...good('b'), weight: 3 },
      { ...good('c'), weight: 1 },
    ]
    const { seen } = simulate({ strategy: 'weighted', targets, requests: 20_000, everyMs: 1 })
    for (const [name, wanted] of [
      ['a', 0.6],
      ['b', 0.3],
      ['c', 0.1],
    ] as const)
      expect(Math.abs(share(seen, name) - wanted)).toBeLessThan(0.02)
  })

  it('weighted: the share of one that is out goes to the others by their weights', () => {
    const dead: Fake = { name: 'a', weight: 6, answer: () => ({ ms: 5, how: 'failed' }) }
    const targets = [dead, { ...good('b'), weight: 3 }, { ...good('c'), weight: 1 }]
    const { seen } = simulate({ strategy: 'weighted', targets, requests: 20_000, everyMs: 2 })
    expect(Math.abs(share(seen, 'b') - 0.75)).toBeLessThan(0.02)
  })

  it('round_robin: the turns go round exactly', () => {
    const { seen } = simulate({
      strategy: 'round_robin',
      targets: ['a', 'b', 'c'].map((n) => good(n)),
      requests: 9_000,
      everyMs: 1,
    })
    for (const name of ['a', 'b', 'c']) expect(share(seen, name)).toBe(1 / 3)
  })

  it('least_latency: finds the fastest, follows when another becomes it, and starves none', () => {
    const changing = (name: string, before: number, after: number): Fake => ({
      name,
      answer: (at) => ({ ms: at < 100_000 ? before : after, how: 'answered' }),
    })
    const targets = [changing('a', 900, 200), changing('b', 300, 1_500), changing('c', 600, 600)]
    const { seen } = simulate({ strategy: 'least_latency', targets, requests: 10_000, everyMs: 20 })
    expect(
      share(
        seen.filter(({ at }) => at > 2_000 && at < 100_000),
        'b',
      ),
    ).toBeGreaterThan(0.9)
    expect(
      share(
        seen.filter(({ at }) => at > 115_000),
        'a',
      ),
    ).toBeGreaterThan(0.9)
    for (const { name } of targets) expect(share(seen, name)).toBeGreaterThan(0.02)
  })

  it('least_latency: one that fails half of the time counts for twice as slow', () => {
    const random = seeded(9)
    const flaky: Fake = { name: 'flaky', answer: () => ({ ms: 250, how: random() < 0.45 ? 'failed' : 'answered' }) }
    const { seen } = simulate({
      strategy: 'least_latency',
      targets: [flaky, good('sound', 300)],
      requests: 5_000,
      everyMs: 20,
    })
    expect(share(seen, 'sound')).toBeGreaterThan(0.8)
  })

  it('least_busy: the slower a target, the fewer it is given', () => {
    const { seen } = simulate({
      strategy: 'least_busy',
      targets: [good('slow', 900), good('fast', 100)],
      requests: 5_000,
      everyMs: 10,
    })
    expect(Math.abs(share(seen, 'fast') - 0.9)).toBeLessThan(0.05)
  })

  it('least_busy: idle targets share by chance, not by their place', () => {
    const { seen } = simulate({
      strategy: 'least_busy',
      targets: [good('a', 5), good('b', 5)],
      requests: 5_000,
      everyMs: 10,
    })
    expect(Math.abs(share(seen, 'a') - 0.5)).toBeLessThan(0.03)
  })

  it('cheapest: the lowest price first, one without a price last', () => {
    const targets = [
      { ...good('unknown'), price: null },
      { ...good('dear'), price: 9 },
      { ...good('cheap'), price: 0.1 },
    ]
    const { seen } = simulate({ strategy: 'cheapest', targets, requests: 100, everyMs: 10 })
    expect(share(seen, 'cheap')).toBe(1)
    const failing: Fake[] = targets.map((one) =>
      one.name === 'unknown' ? one : { ...one, answer: () => ({ ms: 1, how: 'failed' as const }) },
    )
    const { seen: rest } = simulate({ strategy: 'cheapest', targets: failing, requests: 1, everyMs: 10, maxRetries: 0 })
    expect(rest[0]!.attempts.map(({ name }) => name)).toEqual(['cheap', 'dear', 'unknown'])
  })
})
