import { bearer, type Provider, samePath, speaksChat } from './provider.ts'

/** Source: openrouter.ai/docs/api-reference/overview. */
export const openrouter: Provider = {
  name: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  authHeaders: bearer,
  speaks: [speaksChat],
  pathOf: samePath,
  takesStreamOptions: true,
  isAggregator: true,
}
