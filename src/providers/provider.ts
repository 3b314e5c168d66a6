import type { DialectName } from '../formats/dialect.ts'
import type { ModelFacts } from '../formats/model-facts.ts'
import { type ModelListing, openAiModels } from './model-listing.ts'
import { openAiRateLimits, type RateLimitNames } from './rate-limits.ts'

/** What the gateway must know of a provider. */
export type Provider = {
  name: string
  /** Public address with its version, without a trailing slash; operators may change it (`<PROVIDER>_BASE_URL`). Null: they must say it. */
  baseUrl: string | null
  /** Request headers that carry the key, in lower case; whatever a client sends under these names is replaced. */
  authHeaders(key: string): Record<string, string>
  /** The ways of speaking to a model that it understands by itself: such requests pass untouched, others are translated into the first. */
  speaks: readonly Speech[]
  /**
   * Where all other requests of OpenAI's API go, below the base URL: `/embeddings` for `/v1/embeddings`; there may be a query behind it.
   * `model`: as the provider knows it, null where it is not known yet. Null: it has no such thing.
   */
  pathOf(below: string, model: string | null): string | null
  /** Takes `stream_options.include_usage` in streamed chats. Those that refuse it, or report usage anyway, say false. */
  takesStreamOptions: boolean
  /** How it is asked for its models. Null: what it would list is not what requests may name; the operator says what it has. */
  modelListing: ModelListing | null
  /** A cheap GET that succeeds with a good key alone, for health checks. */
  probe: Probe
  /** How it calls the limits that it tells of with every answer. Null: it tells of none. */
  rateLimits: RateLimitNames | null
  /** What it refuses although the models that it serves would take it. */
  facts?: Partial<ModelFacts>
  /** Serves without a key, once the operator has said where it is. */
  needsNoKey?: boolean
  /** Passes on to others, and knows their models as `provider/model`. */
  isAggregator?: boolean
  /** What is different with the operator's own settings. */
  adapt?(settings: Settings): Partial<Provider>
}

/** What an operator says of a provider; null: nothing. */
export type Settings = { baseUrl: string | null; apiVersion: string | null }

/** Where it stands below the base URL, and what is sent besides or in place of the usual. */
export type Probe = {
  path: string
  authHeaders?(key: string): Record<string, string>
  headers?: Record<string, string>
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

/** What those have in common who copy OpenAI's API; each says what it does otherwise. */
export const likeOpenAi = {
  authHeaders: bearer,
  speaks: [speaksChat],
  pathOf: samePath,
  takesStreamOptions: true,
  modelListing: openAiModels,
  probe: { path: '/models' },
  rateLimits: openAiRateLimits,
} satisfies Omit<Provider, 'name' | 'baseUrl'>
