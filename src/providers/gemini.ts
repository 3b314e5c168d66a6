import { bearer, type Provider } from './provider.ts'

/**
 * Sources: ai.google.dev/api/generate-content; for what is not translated (embeddings, images) its OpenAI-compatible layer,
 * ai.google.dev/gemini-api/docs/openai, which stands below the same version.
 */
export const gemini: Provider = {
  name: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  authHeaders: bearer,
  speaks: [
    {
      dialect: 'gemini',
      authHeaders: (key) => ({ 'x-goog-api-key': key }),
      path: (model, stream) =>
        `/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    },
  ],
  pathOf: (below) => `/openai${below}`,
  takesStreamOptions: true,
}
