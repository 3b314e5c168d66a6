import { bearer, type Provider, samePath, speaksChat } from './provider.ts'

/** Reports usage in the last chunk of every stream. Source: docs.z.ai/api-reference. */
export const zai: Provider = {
  name: 'zai',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  authHeaders: bearer,
  speaks: [speaksChat],
  pathOf: samePath,
  takesStreamOptions: false,
}
