import type { RateLimit } from '../providers/rate-limits.ts'
import type { TryEnd } from './live.ts'

/** The share that the newest value has in a moving average. */
const SHARE = 0.25

/** Providers tell when all of a limit is back; some of it comes back earlier, and only a request can tell. */
const MAX_USED_UP_MS = 15_000

type Limits = { requests: RateLimit | null; tokens: RateLimit | null }

/** What was measured of a lane. Averages are null before the first value. */
export class Figures {
  inFlight = 0
  firstEventMs: number | null = null
  /** Of the tries that the provider is answerable for, 0 to 1. */
  errorRate: number | null = null
  isFailing = false
  #limits: Limits = { requests: null, tokens: null }
  #readNewest: (() => Limits) | null = null
  #toldAt = 0

  heardAfter(ms: number): void {
    this.firstEventMs = averaged(this.firstEventMs, Math.max(0, ms))
  }

  ended(how: TryEnd): void {
    if (how !== 'answered' && how !== 'failed') return
    this.isFailing = how === 'failed'
    this.errorRate = averaged(this.errorRate, this.isFailing ? 1 : 0)
  }

  /** `read`: what the newest answer tells. It is called when somebody wants to know, which is not at every request. */
  limitsTold(read: () => Limits, now: number): void {
    this.#readNewest = read
    this.#toldAt = now
  }

  /** Null: not told, or told of a span of time that is over. */
  remaining(what: keyof Limits, now: number): number | null {
    const limit = this.#newestLimits()[what]
    return limit === null || (limit.resetAt !== null && limit.resetAt <= now) ? null : limit.remaining
  }

  /** When there is something left again, null while there is. Who tells no time for it is not believed to have nothing for ever. */
  usedUpUntil(now: number): number | null {
    const { requests, tokens } = this.#newestLimits()
    const times = [requests, tokens].flatMap((limit) =>
      limit !== null && limit.remaining <= 0 && limit.resetAt !== null && limit.resetAt > now ? limit.resetAt : [],
    )
    if (times.length === 0) return null
    const until = Math.min(Math.max(...times), this.#toldAt + MAX_USED_UP_MS)
    return until > now ? until : null
  }

  /** What an answer does not tell again stays as it was told. */
  #newestLimits(): Limits {
    if (this.#readNewest !== null) {
      const { requests, tokens } = this.#readNewest()
      this.#limits = { requests: requests ?? this.#limits.requests, tokens: tokens ?? this.#limits.tokens }
      this.#readNewest = null
    }
    return this.#limits
  }
}

const averaged = (before: number | null, value: number) => (before === null ? value : before + SHARE * (value - before))
