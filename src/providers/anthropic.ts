import { anthropicModels } from './model-listing.ts'
import { bearer, type Provider, type Speech, samePath } from './provider.ts'
import type { RateLimitNames } from './rate-limits.ts'

const apiKey = (key: string) => ({ 'x-api-key': key })
const version = { 'anthropic-version': '2023-06-01' }

export const speaksMessages: Speech = {
  dialect: 'anthropic-messages',
  path: () => '/messages',
  authHeaders: apiKey,
  headers: version,
}

const limitNames = (what: string) => ({
  limit: `anthropic-ratelimit-${what}-limit`,
  remaining: `anthropic-ratelimit-${what}-remaining`,
  reset: `anthropic-ratelimit-${what}-reset`,
})
/** `tokens` is the tightest of its limits of tokens. Source: platform.claude.com/docs/en/api/rate-limits. */
const rateLimits: RateLimitNames = { requests: limitNames('requests'), tokens: limitNames('tokens') }

/** Sources: platform.claude.com/docs/en/api/messages; for everything but messages its OpenAI-compatible layer, api/openai-sdk. */
export const anthropic = {
  name: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  authHeaders: bearer,
  speaks: [speaksMessages],
  pathOf: samePath,
  takesStreamOptions: true,
  modelListing: { ...anthropicModels, authHeaders: apiKey, headers: version },
  probe: { path: '/models?limit=1', authHeaders: apiKey, headers: version },
  rateLimits,
} as const satisfies Provider

/** Whatever else speaks as Anthropic does, and nothing as OpenAI does. */
export const likeAnthropic = { ...anthropic, authHeaders: apiKey, pathOf: () => null } satisfies Provider
