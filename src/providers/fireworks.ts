import { likeOpenAi, type Provider } from './provider.ts'

/**
 * Reports usage in the last chunk of every stream. Sources: docs.fireworks.ai/tools-sdks/openai-compatibility ("Token usage for streaming
 * responses"), guides/quotas_usage/rate-limits.
 */
export const fireworks = {
  ...likeOpenAi,
  name: 'fireworks',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  takesStreamOptions: false,
} as const satisfies Provider
