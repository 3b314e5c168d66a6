import type { RetryOn, Route, Routing, Rule } from '../routing/types.ts'
import type { Config } from './config.ts'
import type { Values } from './schema.ts'

/** All that decides where a request goes and when it is tried again. Retries and time limits are the configuration's own. */
export function toRouting(
  values: Values,
  { retry, timeouts }: Pick<Config, 'retry' | 'timeouts'>,
  routes: Route[],
  rules: Rule[],
): Routing {
  return {
    routes,
    rules,
    retry: { ...retry, on: toRetryOn(values.RETRY_ON) },
    timeouts,
    breaker: {
      failures: values.BREAKER_FAILURES,
      windowMs: Math.round(values.BREAKER_WINDOW_SECONDS * 1000),
      cooldownMs: Math.round(values.BREAKER_COOLDOWN_SECONDS * 1000),
      halfOpenRequests: values.BREAKER_HALF_OPEN_REQUESTS,
    },
    stream: { recovery: values.STREAM_RECOVERY, keepaliveMs: values.STREAM_KEEPALIVE_MS },
    keys: { strategy: values.KEYS_STRATEGY, cooldownOn429: values.KEYS_COOLDOWN_ON_429 },
  }
}

const toRetryOn = (reasons: readonly string[]): RetryOn => ({
  statuses: new Set(reasons.filter((reason) => /^\d+$/.test(reason)).map(Number)),
  all5xx: reasons.includes('5xx'),
  network: reasons.includes('network'),
})
