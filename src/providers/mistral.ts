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
  // As users were told: github.com/mistralai/platform-docs-public/issues/7, OpenHands/OpenHands-CLI/issues/83; docs.mistral.ai/api for the rest.
  facts: {
    refuses: ['user', 'metadata', 'serviceTier', 'logprobs', 'logitBias'],
    seedName: 'random_seed',
    mostTemperature: 1.5,
    // docs.mistral.ai/api, `AssistantMessage.prefix`.
    continues: 'prefix',
  },
} as const satisfies Provider
