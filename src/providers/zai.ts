import { likeOpenAi, type Provider } from './provider.ts'

/**
 * Reports usage in the last chunk of every stream. Sources: docs.z.ai/api-reference, guides/capabilities/thinking-mode. Its Anthropic-compatible address (/api/anthropic) is not
 * below this one: it can be had as a provider of one's own.
 */
export const zai = {
  ...likeOpenAi,
  name: 'zai',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  takesStreamOptions: false,
  rateLimits: null,
  facts: { takesThinking: true },
} as const satisfies Provider
