import { bearer, type Provider, samePath, speaksChat, speaksResponses } from './provider.ts'

/** Source: platform.openai.com/docs/api-reference. */
export const openai: Provider = {
  name: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  authHeaders: bearer,
  speaks: [speaksChat, speaksResponses],
  pathOf: samePath,
  takesStreamOptions: true,
}
