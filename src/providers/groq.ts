import { likeOpenAi, type Provider } from './provider.ts'

/** Sources: console.groq.com/docs/openai, docs/rate-limits. Its responses are in beta. */
export const groq = {
  ...likeOpenAi,
  name: 'groq',
  baseUrl: 'https://api.groq.com/openai/v1',
} as const satisfies Provider
