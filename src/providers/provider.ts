import type { DialectName } from '../formats/dialect.ts'

/** What the gateway must know of a provider. */
export type Provider = {
  name: string
  /** Public address with its version, without a trailing slash; operators may change it (`<PROVIDER>_BASE_URL`). Null: they must say it. */
  baseUrl: string | null
  /** Request headers that carry the key. */
  authHeaders(key: string): Record<string, string>
  /** The ways of speaking to a model that it understands by itself: such requests pass untouched, others are translated into the first. */
  speaks: readonly Speech[]
  /** Where all other requests of OpenAI's API go, below the base URL: `/embeddings` for `/v1/embeddings`. Null: it has no such thing. */
  pathOf(below: string, model: string | null): string | null
  /** Takes `stream_options.include_usage` in streamed chats. Those that refuse it, or report usage anyway, say false. */
  takesStreamOptions: boolean
  /** Passes on to others, and knows their models as `provider/model`. */
  isAggregator?: boolean
}

/** How a provider is spoken to in a dialect: where, below its base URL with a query if there is one, and what else it wants to be told. */
export type Speech = {
  dialect: DialectName
  path(model: string, stream: boolean): string
  /** Where the key stands elsewhere than in other requests. */
  authHeaders?(key: string): Record<string, string>
  /** For requests that are translated; a client who speaks the dialect says these himself. */
  headers?: Record<string, string>
}

/** `Authorization: Bearer <key>`, as OpenAI and all who copy it want it. */
export const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

export const speaksChat: Speech = { dialect: 'openai-chat', path: () => '/chat/completions' }
export const speaksResponses: Speech = { dialect: 'openai-responses', path: () => '/responses' }

/** Below the base URL as below `/v1`. */
export const samePath = (below: string) => below
