import { bearer, type Provider } from './provider.ts'

/** Source: openrouter.ai/docs/api-reference/overview. */
export const openrouter: Provider = {
  name: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  authHeaders: bearer,
  takesStreamOptions: true,
  isAggregator: true,
}
