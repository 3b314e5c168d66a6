import type { RateLimit } from '../providers/rate-limits.ts'
import type { TryEnd } from './live.ts'

/** The share that the newest value has in a moving average. */
const SHARE = 0.25

type Limits = { requests: RateLimit | null; tokens: RateLimit | null }

/** What was measured of a lane. Averages are null before the first value. */
export class Figures {
  inFlight = 0
  firstEventMs: number | null = null
  /** Of the tries that the provider is answerable for, 0 to 1. */
  errorRate: number | null = null
  isFailing = false
  #limits: Limits = { requests: null, tokens: null }

  heardAfter(ms: number): void {
    this.firstEventMs = averaged(this.firstEventMs, Math.max(0, ms))
  }

  ended(how: TryEnd): void {
    if (how !== 'answered' && how !== 'failed') return
    this.isFailing = how === 'failed'
    this.errorRate = averaged(this.errorRate, this.isFailing ? 1 : 0)
  }

  /** What an answer does not tell again stays as it was told. */
  limitsTold({ requests, tokens }: Limits): void {
    this.#limits = { requests: requests ?? this.#limits.requests, tokens: tokens ?? this.#limits.tokens }
  }

  /** Null: not told, or told of a span of time that is over. */
  remaining(what: keyof Limits, now: number): number | null {
    const limit = this.#limits[what]
    return limit === null || (limit.resetAt !== null && limit.resetAt <= now) ? null : limit.remaining
  }

  /** When there is something left again, null while there is. Who tells no time for it is not believed to have nothing for ever. */
  usedUpUntil(now: number): number | null {
    const times = [this.#limits.requests, this.#limits.tokens].flatMap((limit) =>
      limit !== null && limit.remaining <= 0 && limit.resetAt !== null && limit.resetAt > now ? limit.resetAt : [],
    )
    return times.length === 0 ? null : Math.max(...times)
  }
}

const averaged = (before: number | null, value: number) => (before === null ? value : before + SHARE * (value - before))
