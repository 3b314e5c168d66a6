import type { Kind } from './export.ts'

const ENDPOINTS: [RegExp, Kind][] = [
  [/^\/v1\/embeddings(?:\/|$)/, 'embeddings'],
  [/^\/v1\/moderations(?:\/|$)/, 'moderations'],
  [/^\/v1\/images\//, 'images'],
  [/^\/v1\/audio\/speech(?:\/|$)/, 'audio_speeches'],
  [/^\/v1\/audio\//, 'audio_transcriptions'],
]

/** Which of OpenAI's usage documents tells of requests to this endpoint. What has none of its own is a completion there. */
export const kindOf = (endpoint: string): Kind =>
  ENDPOINTS.find(([pattern]) => pattern.test(endpoint))?.[1] ?? 'completions'

export const KINDS: readonly Kind[] = [...new Set<Kind>(['completions', ...ENDPOINTS.map(([, kind]) => kind)])]
