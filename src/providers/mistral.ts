import { likeOpenAi, type Provider } from './provider.ts'
import type { RateLimitNames } from './rate-limits.ts'

/** By the minute, without a word on when it ends. Source: recorded answers, github.com/mistralai/client-ts/issues/169. */
const rateLimits: RateLimitNames = {
  requests: { limit: 'x-ratelimit-limit-req-minute', remaining: 'x-ratelimit-remaining-req-minute', reset: null },
  tokens: { limit: 'x-ratelimit-limit-tokens-minute', remaining: 'x-ratelimit-remaining-tokens-minute', reset: null },
}

/** Reports usage in the last chunk of every stream and refuses unknown fields. Source: docs.mistral.ai/api. */
export const mistral = {
  ...likeOpenAi,
  name: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  takesStreamOptions: false,
  rateLimits,
} as const satisfies Provider
