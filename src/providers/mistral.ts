import { bearer, type Provider, samePath, speaksChat } from './provider.ts'

/** Reports usage in the last chunk of every stream and refuses unknown fields. Source: docs.mistral.ai/api. */
export const mistral: Provider = {
  name: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  authHeaders: bearer,
  speaks: [speaksChat],
  pathOf: samePath,
  takesStreamOptions: false,
}
