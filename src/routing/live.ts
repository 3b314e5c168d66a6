import type { Strategy } from './types.ts'

/** What fails and recovers together. `keyId`: of a project's key, or `shared`. */
export type Lane = { provider: string; keyId: string; model: string }

/** How a try ended. `limited`: 429; `refused`: our key; `cancelled`: the client left, nobody's fault. */
export type TryEnd = 'answered' | 'failed' | 'limited' | 'refused' | 'cancelled'

/** A try under way; `end` exactly once. */
export type Try = { firstEvent(): void; end(how: TryEnd): void }

/** What is known of the providers at this moment, in this process. Nothing in it waits. */
export type Live = {
  /** Whether the breaker lets a request through now; one that is half open lets as many as its policy says, until they `end`. */
  admits(lane: Lane): boolean
  begin(lane: Lane): Try
  /** The provider told its limits with this answer. Flat list of names and values. */
  noteHeaders(lane: Lane, headers: readonly string[]): void
  /** A key that is limited or refused rests, or one that somebody lets rest. `untilMs`: on the clock of `now()`. */
  benchKey(provider: string, keyId: string, untilMs: number, why: RestReason): void
  /** Somebody says that it may work again, whatever it rested for. False: it did not rest. */
  unbenchKey(provider: string, keyId: string): boolean
  /** Null: it is fit. */
  benchedUntil(provider: string, keyId: string): number | null
  inFlight(provider: string, keyId: string): number
  /** The order in which to try them. `lanes[i]`: of `targets[i]`; `price`: of a million tokens, null where nobody knows. */
  order<T extends { weight: number }>(
    strategy: Strategy,
    routeKey: string,
    targets: readonly T[],
    laneOf: (target: T) => Lane,
    priceOf: (target: T) => number | null,
  ): T[]
  /** The provider was asked for something cheap, besides all requests: whether it is alive. */
  noteProbe(provider: string, keyId: string, alive: boolean): void
  /** The keys that rest. */
  benches(): KeyBench[]
  snapshot(): LaneState[]
}

export type RestReason = 'limited' | 'refused' | 'by_hand'
export type KeyBench = { provider: string; keyId: string; untilMs: number; why: RestReason }

export type LaneState = Lane & {
  breaker: 'closed' | 'open' | 'half_open'
  /** When it will let one through again; null while it is closed. */
  retryAt: number | null
  inFlight: number
  /** Moving averages; null before the first. */
  firstEventMs: number | null
  errorRate: number | null
  /** Whether the last try failed, of those that the provider is answerable for. */
  isFailing: boolean
  /** What is left of the provider's own limits, where it tells. */
  remainingRequests: number | null
  remainingTokens: number | null
  benchedUntil: number | null
}
