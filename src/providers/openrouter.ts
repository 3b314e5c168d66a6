import { speaksMessages } from './anthropic.ts'
import { bearer, likeOpenAi, type Provider, speaksChat } from './provider.ts'
import type { RateLimitNames } from './rate-limits.ts'

/** Of free models alone; the reset in milliseconds since the epoch. Source: openrouter.ai/docs/api-reference/limits. */
const rateLimits: RateLimitNames = {
  requests: { limit: 'x-ratelimit-limit', remaining: 'x-ratelimit-remaining', reset: 'x-ratelimit-reset' },
  tokens: null,
}

/**
 * Sources: openrouter.ai/docs/api-reference/overview; for messages, which it serves for every model, api-reference/anthropic-messages. Its
 * responses are in beta. Everybody may read its list of models, so the probe asks for the key itself.
 */
export const openrouter = {
  ...likeOpenAi,
  name: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  speaks: [speaksChat, { ...speaksMessages, authHeaders: bearer }],
  probe: { path: '/key' },
  rateLimits,
  isAggregator: true,
} as const satisfies Provider
