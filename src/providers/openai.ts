import { likeOpenAi, type Provider, speaksChat, speaksResponses } from './provider.ts'

/** Source: platform.openai.com/docs/api-reference. */
export const openai = {
  ...likeOpenAi,
  name: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  speaks: [speaksChat, speaksResponses],
} as const satisfies Provider
