import { likeOpenAi, type Provider } from './provider.ts'

/** Wants a key only if it was started with one. Source: docs.vllm.ai, OpenAI-Compatible Server. */
export const vllm = {
  ...likeOpenAi,
  name: 'vllm',
  baseUrl: null,
  rateLimits: null,
  needsNoKey: true,
} as const satisfies Provider
