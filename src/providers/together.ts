import { likeOpenAi, type Provider } from './provider.ts'
import type { RateLimitNames } from './rate-limits.ts'

/** Source: docs.together.ai/docs/rate-limits. */
const rateLimits: RateLimitNames = {
  requests: { limit: 'x-ratelimit-limit', remaining: 'x-ratelimit-remaining', reset: 'x-ratelimit-reset' },
  tokens: { limit: 'x-tokenlimit-limit', remaining: 'x-tokenlimit-remaining', reset: null },
}

/** Reports usage in the last chunk of every stream. Sources: docs.together.ai/docs/openai-api-compatibility, github.com/togethercomputer/openapi. */
export const together = {
  ...likeOpenAi,
  name: 'together',
  baseUrl: 'https://api.together.xyz/v1',
  takesStreamOptions: false,
  rateLimits,
} as const satisfies Provider
