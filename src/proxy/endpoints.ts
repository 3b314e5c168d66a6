import type { DialectName } from '../formats/dialect.ts'

/** What the gateway knows of an endpoint; every other path is passed through just the same, without metering. */
export type Endpoint = {
  path: string
  /** What is spoken here, where a model is spoken to; null where requests are passed to those who know them. */
  dialect: DialectName | null
  /** How a streamed answer ends, so that a cut one is never taken for a whole one. */
  terminator: 'done' | 'response_event' | 'typed' | 'none' | 'dialect'
  /** Streams report usage only when `stream_options.include_usage` asks for it. */
  usageOnRequest: boolean
  /** Answers are text, so that tokens can be estimated when the provider does not report them. */
  text: 'chat' | 'completion' | 'response' | 'input_only' | null
}

/** Sources: the OpenAI API specification 2.3.0 and recorded traffic; wire facts 1 for the others. */
const ENDPOINTS: Endpoint[] = [
  { path: '/v1/chat/completions', dialect: 'openai-chat', terminator: 'done', usageOnRequest: true, text: 'chat' },
  openai('/v1/completions', 'done', 'completion', true),
  {
    path: '/v1/responses',
    dialect: 'openai-responses',
    terminator: 'response_event',
    usageOnRequest: false,
    text: 'response',
  },
  openai('/v1/responses/compact', 'none', 'response'),
  openai('/v1/embeddings', 'none', 'input_only'),
  openai('/v1/images/generations', 'typed', null),
  openai('/v1/images/edits', 'typed', null),
  openai('/v1/images/variations', 'none', null),
  openai('/v1/audio/speech', 'typed', null),
  openai('/v1/audio/transcriptions', 'typed', null),
  openai('/v1/audio/translations', 'none', null),
  { path: '/v1/messages', dialect: 'anthropic-messages', terminator: 'dialect', usageOnRequest: false, text: 'chat' },
]

function openai(
  path: string,
  terminator: Endpoint['terminator'],
  text: Endpoint['text'],
  usageOnRequest = false,
): Endpoint {
  return { path, dialect: null, terminator, usageOnRequest, text }
}

const GENERATE: Endpoint = {
  path: '/v1beta/models/{model}:generateContent',
  dialect: 'gemini',
  terminator: 'dialect',
  usageOnRequest: false,
  text: 'chat',
}
const EMBED: Endpoint = openai('/v1beta/models/{model}:embedContent', 'none', 'input_only')

const byPath = new Map(ENDPOINTS.map((endpoint) => [endpoint.path, endpoint]))

/** Null: an endpoint whose answers are not metered (files, batches, models, unknown ones). `path`: without a mount. */
export function meteredEndpoint(method: string, path: string): Endpoint | null {
  if (method !== 'POST') return null
  const endpoint = byPath.get(path)
  if (endpoint) return endpoint
  const call = modelCall(path)
  if (call === null) return null
  if (call.action === 'generateContent' || call.action === 'streamGenerateContent') return GENERATE
  return call.action === 'embedContent' || call.action === 'batchEmbedContents' ? EMBED : null
}

/** `/v1beta/models/gemini-2.5-flash:generateContent`: an address that names the model and what it is to do. */
export function modelCall(path: string): { model: string; action: string } | null {
  const match = path.includes(':') ? MODEL_CALL.exec(path) : null
  return match && { model: match[1]!, action: match[2]! }
}

/** `s`: a name may hold whatever an escape can say. */
const MODEL_CALL =
  /^\/v1(?:beta|alpha)?\/models\/(.+):(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/s

/**
 * The model that an address names, whatever is wanted of it there and whatever the body says: `/v1beta/models/imagen-4:predict`,
 * `/v1beta/tunedModels/mine:generateContent`, Azure's `/deployments/mine/…`, and one model's own page.
 */
export function modelInPath({ api, endpoint }: { api: string; endpoint: string }): string | null {
  const match = (api.startsWith('/v1beta/') ? GEMINI_MODEL : OPENAI_MODEL).exec(api)
  return deploymentIn(endpoint) ?? modelCall(api)?.model ?? match?.[1] ?? null
}

/** In `/azure-openai/openai/deployments/mine/chat/completions`, with which `model` in the body means nothing. */
export const deploymentIn = (endpoint: string): string | null =>
  endpoint.includes('/deployments/') ? (DEPLOYMENT.exec(endpoint)?.[1] ?? null) : null

const DEPLOYMENT = /^\/[^/]+(?:\/(?:openai|v1))*\/deployments\/([^/]+)/s
const OPENAI_MODEL = /^\/v1\/models\/(.+)$/s
const GEMINI_MODEL = /^\/v1beta\/(?:models\/)?((?<=models\/).+?|(?:tunedModels|dynamic)\/[^/:]+.*?)(?::[A-Za-z]+)?$/s
