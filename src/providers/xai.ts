import { likeOpenAi, type Provider, speaksChat, speaksResponses } from './provider.ts'

/** Sources: docs.x.ai/docs/api-reference, developers/model-capabilities/text/comparison; recorded answers of both. */
export const xai = {
  ...likeOpenAi,
  name: 'xai',
  baseUrl: 'https://api.x.ai/v1',
  speaks: [speaksChat, speaksResponses],
} as const satisfies Provider
