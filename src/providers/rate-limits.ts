/** How a provider calls what it tells of a limit, in lower case; a part that it does not tell is null. */
type Names = { limit: string; remaining: string; reset: string | null }

/** The headers with the limits of a key, by what is limited. */
export type RateLimitNames = { requests: Names | null; tokens: Names | null }

/** How much of a limit is left, and when (milliseconds since the epoch) it is whole again; null: not told. */
export type RateLimit = { limit: number | null; remaining: number; resetAt: number | null }

/** Sources: OpenAI's guide to rate limits; console.groq.com/docs/rate-limits; recorded answers of xAI (no reset) and Azure (whole seconds). */
export const openAiRateLimits: RateLimitNames = {
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

/** Null for what the answer does not tell. `header`: an answer's header by its lower-case name. `now`: milliseconds since the epoch. */
export function readRateLimits(
  names: RateLimitNames,
  header: (name: string) => string | null,
  now: number,
): { requests: RateLimit | null; tokens: RateLimit | null } {
  const read = (of: Names | null): RateLimit | null => {
    const remaining = of && count(header(of.remaining))
    if (of === null || remaining === null) return null
    const reset = of.reset === null ? null : header(of.reset)
    return { limit: count(header(of.limit)), remaining, resetAt: reset === null ? null : timeOfReset(reset, now) }
  }
  return { requests: read(names.requests), tokens: read(names.tokens) }
}

function count(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null
}

/** A number from here on is a time, not a wait: seconds since the epoch, or a thousand times as much. */
const FIRST_EPOCH_SECONDS = 1e9
const FIRST_EPOCH_MS = 1e12

/**
 * When that is, in milliseconds since the epoch. Every form in use: `6m0s`, `1.5s` and `12ms` (OpenAI, Groq), RFC 3339 (Anthropic), seconds
 * from now (Azure), seconds or milliseconds since the epoch (OpenRouter). Null for anything else.
 */
export function timeOfReset(text: string, now: number): number | null {
  const plain = text.trim()
  if (/^\d+(\.\d+)?$/.test(plain)) {
    const value = Number(plain)
    if (value >= FIRST_EPOCH_MS) return Math.round(value)
    return value >= FIRST_EPOCH_SECONDS ? Math.round(value * 1000) : Math.round(now + value * 1000)
  }
  if (/^\d{4}-\d\d-\d\dT/.test(plain)) {
    const time = Date.parse(plain)
    return Number.isNaN(time) ? null : time
  }
  const wait = durationMs(plain)
  return wait === null ? null : Math.round(now + wait)
}

const UNITS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/
const STEP = /(\d+(?:\.\d+)?)(ms|[dhms])/g

/** `1h2m3.5s` in milliseconds, null for what is no duration. */
export function durationMs(text: string): number | null {
  if (!DURATION.test(text)) return null
  let sum = 0
  for (const [, amount, unit] of text.matchAll(STEP)) sum += Number(amount) * UNITS[unit!]!
  return sum
}
