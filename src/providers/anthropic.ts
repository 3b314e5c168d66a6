import { bearer, type Provider, samePath } from './provider.ts'

/** Sources: platform.claude.com/docs/en/api/messages; for everything but messages its OpenAI-compatible layer, api/openai-sdk. */
export const anthropic: Provider = {
  name: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  authHeaders: bearer,
  speaks: [
    {
      dialect: 'anthropic-messages',
      path: () => '/messages',
      authHeaders: (key) => ({ 'x-api-key': key }),
      headers: { 'anthropic-version': '2023-06-01' },
    },
  ],
  pathOf: samePath,
  takesStreamOptions: true,
}
