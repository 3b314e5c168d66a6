import type { Config } from '../config/config.ts'

/*
 * What an operator says of routes: in YAML and in the database with the same fields. Pure data; who reads, checks and stores it lives
 * elsewhere.
 */

export const STRATEGIES = ['fallback', 'weighted', 'round_robin', 'least_latency', 'least_busy', 'cheapest'] as const
export type Strategy = (typeof STRATEGIES)[number]

export const RECOVERIES = ['off', 'restart', 'continue'] as const
export type Recovery = (typeof RECOVERIES)[number]

export type Timeouts = Config['timeouts']

/** A step of a route. `model` null: as the caller asked for it. `timeouts`: only what differs. */
export type RouteTarget = {
  provider: string
  model: string | null
  weight: number
  timeouts: Partial<Timeouts> | null
}

/** `pattern`: a name, or one with `*`. What is null holds as it does for all requests. */
export type Route = {
  pattern: string
  origin: 'file' | 'database'
  /** Of one in the database. */
  id: string | null
  strategy: Strategy
  targets: RouteTarget[]
  timeouts: Partial<Timeouts> | null
  maxRetries: number | null
  recovery: Recovery | null
  /** A provider's refusal on grounds of content is passed on unless this is true. */
  routesAroundRefusals: boolean
}

/** `gt` and so on of a number. */
export type Comparison = Partial<Record<'gt' | 'gte' | 'lt' | 'lte', number>>

export const FEATURES = ['tools', 'images', 'audio', 'files', 'json_schema', 'reasoning'] as const
export type Feature = (typeof FEATURES)[number]

/** All of what is said must hold; what is not said holds always. Names of models and endpoints may have `*`. */
export type Condition = {
  model?: string
  endpoint?: string
  project?: string
  token?: string
  stream?: boolean
  promptTokens?: Comparison
  has?: Feature[]
  /** Of the token. */
  metadata?: Record<string, string>
  /** Names in lower case. */
  headers?: Record<string, string>
}

/** Sends what it fits to a route, or to a provider (with a model, or the one asked for). */
export type Rule = {
  name: string
  when: Condition
  route: string | null
  provider: string | null
  model: string | null
  /** The first that fits wins; of neighbours that fit and have weights one by chance. */
  weight: number | null
}

export type BreakerPolicy = { failures: number; windowMs: number; cooldownMs: number; halfOpenRequests: number }
export type StreamPolicy = { recovery: Recovery; keepaliveMs: number }
export type KeyPolicy = { strategy: 'weighted' | 'least_busy'; cooldownOn429: boolean }

/** `network`: refused, reset, cut before an answer began. Statuses as they are, `5xx` for all from 500. */
export type RetryOn = { statuses: ReadonlySet<number>; all5xx: boolean; network: boolean }

/** All of it, as it holds at one moment: swapped whole, never changed. */
export type Routing = {
  routes: readonly Route[]
  rules: readonly Rule[]
  retry: Config['retry'] & { on: RetryOn }
  timeouts: Timeouts
  breaker: BreakerPolicy
  stream: StreamPolicy
  keys: KeyPolicy
}
