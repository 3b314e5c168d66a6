import type { Config } from '../config/config.ts'
import type { Routing } from './types.ts'
export const temporaryRouting = (config: Config): Routing => ({
  routes: [],
  rules: [],
  breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 },
  stream: { recovery: 'off', keepaliveMs: 15_000 },
  keys: { strategy: 'weighted', cooldownOn429: true },
  ...(config as { routing?: Routing }).routing,
  retry: { ...config.retry, on: { statuses: new Set([408, 409, 429]), all5xx: true, network: true } },
  timeouts: config.timeouts,
})
