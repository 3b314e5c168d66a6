import { geminiModels } from './model-listing.ts'
import { bearer, type Provider, type Speech } from './provider.ts'

const apiKey = (key: string) => ({ 'x-goog-api-key': key })

const speaksGemini: Speech = {
  dialect: 'gemini',
  authHeaders: apiKey,
  path: (model, stream) =>
    `/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
}

/**
 * Sources: ai.google.dev/api/generate-content; for what is not translated (embeddings, images) its OpenAI-compatible layer,
 * ai.google.dev/gemini-api/docs/openai, which stands below the same version. It tells of no limits until they are passed.
 */
export const gemini = {
  name: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  authHeaders: bearer,
  speaks: [speaksGemini],
  pathOf: (below) => `/openai${below}`,
  takesStreamOptions: true,
  modelListing: { ...geminiModels, authHeaders: apiKey },
  probe: { path: '/models?pageSize=1', authHeaders: apiKey },
  rateLimits: null,
} as const satisfies Provider

/** Whatever else speaks as Gemini does, and nothing as OpenAI does. */
export const likeGemini = { ...gemini, authHeaders: apiKey, pathOf: () => null } satisfies Provider
