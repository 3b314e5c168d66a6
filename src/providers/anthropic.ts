import { bearer, type Provider } from './provider.ts'

/** Through Anthropic's own OpenAI-compatible layer. Source: platform.claude.com/docs/en/api/openai-sdk. */
export const anthropic: Provider = {
  name: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  authHeaders: bearer,
  takesStreamOptions: true,
}
