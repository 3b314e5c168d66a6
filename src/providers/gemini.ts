import { bearer, type Provider } from './provider.ts'

/** Through Google's own OpenAI-compatible layer. Source: ai.google.dev/gemini-api/docs/openai. */
export const gemini: Provider = {
  name: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  authHeaders: bearer,
  takesStreamOptions: true,
}
