import { LRUCache } from 'lru-cache'
import { familyName } from '../formats/model-facts.ts'
import { openAiRateLimits, type RateLimitNames, readRateLimits } from '../providers/rate-limits.ts'
import { redact } from '../redact.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { Figures } from './figures.ts'
import { KeyBenches } from './key-bench.ts'
import type { Lane, LaneState, Live, Try, TryEnd } from './live.ts'
import { orderTargets, type Standing } from './order.ts'
import type { BreakerPolicy, KeyPolicy } from './types.ts'

/** Callers choose the names of models: there are as many lanes as fit, and the longest unused go. */
const MAX_LANES = 2_000
const MAX_NAME = 200
const MAX_ROUTES = 1_000

type Options = {
  /** Milliseconds since the epoch. */
  now(): number
  /** At least 0, below 1. */
  random(): number
  /** As they hold at the moment. */
  breaker(): BreakerPolicy
  keys(): KeyPolicy
  /** How a provider calls the limits that it tells of; OpenAI's way where left out. */
  rateLimitNames?(provider: string): RateLimitNames | null
  onChange?(lane: Lane, state: BreakerState): void
  maxLanes?: number
  maxRoutes?: number
}

type Entry = { lane: Lane; breaker: Breaker; figures: Figures }

const UNTRIED = { inFlight: 0, firstEventMs: null, errorRate: null }

export function createLive(options: Options): Live {
  const { now, random, breaker, keys, rateLimitNames = () => openAiRateLimits, onChange = () => {} } = options
  const entries = new LRUCache<string, Entry>({ max: options.maxLanes ?? MAX_LANES })
  const turns = new LRUCache<string, number>({ max: options.maxRoutes ?? MAX_ROUTES })
  const benches = new KeyBenches()
  /** As long as tries of a key are under way. */
  const runningByKey = new Map<string, number>()
  /** Keys of providers whose last probe failed. */
  const silent = new LRUCache<string, true>({ max: MAX_ROUTES })

  /** Only a try makes a lane known: asking does not. */
  const find = (lane: Lane): Entry | undefined => entries.get(nameOf(lane))

  function findOrAdd(lane: Lane): Entry {
    const name = nameOf(lane)
    const found = entries.get(name)
    if (found) return found
    const { provider, keyId, model } = lane
    // It is shown: a token pasted into the wrong place must not be.
    const own = { provider, keyId, model: redact(model).slice(0, MAX_NAME) }
    const entry = { lane: own, breaker: new Breaker(breaker, (state) => onChange(own, state)), figures: new Figures() }
    entries.set(name, entry)
    return entry
  }

  function begin(lane: Lane): Try {
    const startedAt = now()
    const { breaker, figures } = findOrAdd(lane)
    const { provider, keyId } = lane
    const keyName = `${provider}\n${keyId}`
    const watched = breaker.begin(startedAt)
    figures.inFlight++
    runningByKey.set(keyName, (runningByKey.get(keyName) ?? 0) + 1)
    let heard = false
    let ended = false
    return {
      firstEvent() {
        if (heard || ended) return
        heard = true
        figures.heardAfter(now() - startedAt)
        breaker.heard(watched)
      },
      end(how: TryEnd) {
        if (ended) return
        ended = true
        figures.inFlight--
        figures.ended(how)
        const left = runningByKey.get(keyName)! - 1
        if (left === 0) runningByKey.delete(keyName)
        else runningByKey.set(keyName, left)
        if (how === 'answered') {
          breaker.answered(watched, now())
          benches.served(provider, keyId, startedAt)
        } else if (how === 'failed') breaker.failed(watched, now())
        else breaker.forget(watched)
      },
    }
  }

  /** A lane is fit when neither breaker, nor bench, nor a limit that is used up stands in its way. */
  function standingOf(lane: Lane): Standing {
    const time = now()
    const { breaker, figures } = find(lane) ?? {}
    const times = [
      breaker === undefined || breaker.admits(time) ? null : breaker.retryAt(time),
      benches.until(lane.provider, lane.keyId, time),
      figures?.usedUpUntil(time) ?? null,
    ].filter((until) => until !== null)
    const { inFlight, firstEventMs, errorRate } = figures ?? UNTRIED
    return { returnsAt: times.length === 0 ? null : Math.max(...times), inFlight, firstEventMs, errorRate }
  }

  return {
    begin,
    admits: (lane) => find(lane)?.breaker.admits(now()) ?? true,
    noteHeaders(lane, headers) {
      const names = rateLimitNames(lane.provider)
      if (names === null) return
      const tells = (one: RateLimitNames['requests']) => one !== null && headerIn(headers, one.remaining) !== null
      if (!tells(names.requests) && !tells(names.tokens)) return
      const toldAt = now()
      findOrAdd(lane).figures.limitsTold(() => readRateLimits(names, (name) => headerIn(headers, name), toldAt), toldAt)
    },
    benchKey(provider, keyId, untilMs, why) {
      if (why === 'limited' && !keys().cooldownOn429) return
      benches.bench(provider, keyId, untilMs, why, now())
    },
    unbenchKey: (provider, keyId) => benches.release(provider, keyId, now()),
    benchedUntil: (provider, keyId) => benches.until(provider, keyId, now()),
    benches: () => benches.list(now()),
    inFlight: (provider, keyId) => runningByKey.get(`${provider}\n${keyId}`) ?? 0,
    order: (strategy, routeKey, targets, laneOf, priceOf) =>
      orderTargets(strategy, targets, {
        standingOf: (target) => standingOf(laneOf(target)),
        priceOf,
        nextTurn() {
          const turn = turns.get(routeKey) ?? 0
          turns.set(routeKey, (turn + 1) % Number.MAX_SAFE_INTEGER)
          return turn
        },
        random,
      }),
    noteProbe(provider, keyId, alive) {
      const name = `${provider}\n${keyId}`
      const isBack = alive && silent.has(name)
      if (alive) silent.delete(name)
      else silent.set(name, true)
      if (alive && !isBack) return
      for (const { lane, breaker } of entries.values()) {
        if (lane.provider !== provider || lane.keyId !== keyId) continue
        // What lists its models again may not answer yet: a request will tell.
        if (isBack) breaker.retryFrom(now())
        else breaker.failed(breaker.begin(now()), now())
      }
    },
    snapshot: () => [...entries.values()].map(stateOf).sort(byName),
  }

  function stateOf({ lane, breaker, figures }: Entry): LaneState {
    const time = now()
    return {
      ...lane,
      breaker: breaker.state(time),
      retryAt: breaker.retryAt(time),
      inFlight: figures.inFlight,
      firstEventMs: figures.firstEventMs,
      errorRate: figures.errorRate,
      isFailing: figures.isFailing,
      remainingRequests: figures.remaining('requests', time),
      remainingTokens: figures.remaining('tokens', time),
      benchedUntil: benches.until(lane.provider, lane.keyId, time),
    }
  }
}

/** However a model's name is spelled, it fails and recovers as one. */
const nameOf = ({ provider, keyId, model }: Lane) => `${provider}\n${keyId}\n${familyName(model).slice(0, MAX_NAME)}`

function headerIn(headers: readonly string[], wanted: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === wanted.length && headers[i]!.toLowerCase() === wanted) return headers[i + 1]!
  }
  return null
}

const byName = (a: LaneState, b: LaneState) =>
  compare(a.provider, b.provider) || compare(a.model, b.model) || compare(a.keyId, b.keyId)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
