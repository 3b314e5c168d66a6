import { likeOpenAi, type Provider } from './provider.ts'

/** Chat is what all its versions have; responses and messages came later. Source: docs.ollama.com/api/openai-compatibility. */
export const ollama = {
  ...likeOpenAi,
  name: 'ollama',
  baseUrl: null,
  rateLimits: null,
  needsNoKey: true,
} as const satisfies Provider
