import type { Usage } from '../store/store.ts'
import type { Sealed } from './seals.ts'

/*
 * The hub: what a request, an answer and a stream mean, in no dialect's own words. A dialect reads its JSON into these and writes its
 * JSON from them; no dialect knows another. What the hub has no place for is named in `unknown`, so that its loss can be told.
 */

export type HubRequest = {
  /** As the target knows it. */
  model: string
  stream: boolean
  /** In the order of the conversation; instructions are messages too. */
  messages: HubMessage[]
  tools: HubTool[]
  /** Null: not said. */
  toolChoice: HubToolChoice | null
  parallelToolCalls: boolean | null
  /** Of all that is generated, reasoning included. */
  maxTokens: number | null
  temperature: number | null
  topP: number | null
  topK: number | null
  stop: string[]
  seed: number | null
  /** How many answers are asked for. */
  candidates: number | null
  presencePenalty: number | null
  frequencyPenalty: number | null
  /** So many alternatives for each token; 0: the chosen ones alone; null: none. */
  logprobs: number | null
  logitBias: Record<string, number> | null
  format: HubFormat | null
  reasoning: HubReasoning | null
  /** Who stands behind the request, for the provider's abuse checks. */
  user: string | null
  metadata: Record<string, string> | null
  /** In the words of most: `auto`, `default`, `flex`, `priority`. */
  serviceTier: string | null
  /** Usage was asked for in the stream; null where the dialect always has it. */
  streamUsage: boolean | null
  /** Fields that the hub has no place for, by their names in the client's dialect. */
  unknown: string[]
}

/** A field of the request that a dialect may be unable to carry. */
export type HubField = Exclude<keyof HubRequest, 'model' | 'stream' | 'messages' | 'unknown' | 'streamUsage'>

/** `developer` is how newer models of one dialect call `system`; everyone else takes it for the same. Tool results stand in `user`. */
export type HubRole = 'system' | 'developer' | 'user' | 'assistant'
export type HubMessage = {
  role: HubRole
  parts: HubPart[]
  /** A speaker's name. */
  name?: string
}

/** Where a prompt may be cached up to, and for how long. */
export type HubCache = { ttl: '5m' | '1h' | null }

export type HubSource =
  | { kind: 'base64'; mediaType: string; data: string }
  | { kind: 'url'; url: string; mediaType?: string }
  | { kind: 'file_id'; id: string }
  | { kind: 'text'; text: string }

export type HubPart = (
  | { type: 'text'; text: string; citations?: HubCitation[] }
  | { type: 'image'; source: HubSource; detail?: string }
  /** A document. */
  | { type: 'file'; source: HubSource; name?: string }
  | { type: 'audio'; source: HubSource & { kind: 'base64' } }
  | HubReasoningPart
  | { type: 'refusal'; text: string }
  | HubToolCall
  | HubToolResult
) & { cache?: HubCache }

/** What is shown or heard: in a question, and in the answer of a model that draws or speaks. */
export type HubMedia = Extract<HubPart, { type: 'image' | 'file' | 'audio' }>

/** What a model thought. `signature`: its provider's seal, without which the text is not taken back; `redacted`: the sealed text itself. */
export type HubReasoningPart = Sealed & {
  type: 'reasoning'
  text: string
  signature?: string
  redacted?: string
  id?: string
}
/** `arguments` is JSON text, as the model wrote it: it may be broken. `signature`: the provider's seal on the call. */
export type HubToolCall = Sealed & {
  type: 'tool_call'
  id: string
  name: string
  arguments: string
  signature?: string
}
/** `name`: of the tool, where the dialect says it. */
export type HubToolResult = { type: 'tool_result'; id: string; name?: string; parts: HubPart[]; isError?: boolean }

/** `start`, `end`: which characters of the candidate's whole text it stands behind. */
export type HubCitation = { url?: string; title?: string; text?: string; start?: number; end?: number }

export type HubTool = {
  name: string
  description?: string
  /** JSON Schema of an object; null: no arguments. */
  parameters: Record<string, unknown> | null
  strict?: boolean
  /** The group that it is in, where the client's dialect has groups; its name begins with the group's. */
  namespace?: string
  cache?: HubCache
}

export type HubToolChoice =
  | { type: 'auto' | 'none' | 'required' }
  /** One of these, or, when not `required`, an answer without any. */
  | { type: 'tools'; names: string[]; required: boolean }

export type HubFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'schema'; name: string; schema: Record<string, unknown>; strict?: boolean; description?: string }

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type HubEffort = (typeof EFFORTS)[number]

export type HubReasoning = {
  effort: HubEffort | null
  /** Of reasoning alone; null: not said. */
  budgetTokens: number | null
  /** The client wants to read it; null: not said. */
  shown: boolean | null
}

export type HubFinish =
  | 'stop'
  | 'stop_sequence'
  | 'length'
  /** The whole context is used up. */
  | 'context_length'
  | 'tool_calls'
  | 'content_filter'
  | 'refusal'
  /** The provider stopped half-way and would go on. */
  | 'pause'

export type HubCandidate = {
  parts: HubPart[]
  finish: HubFinish
  /** Which one, where the provider says. */
  stopSequence?: string
  logprobs?: HubLogprob[]
}
export type HubLogprob = { token: string; logprob: number; bytes?: number[]; top: Omit<HubLogprob, 'top'>[] }

export type HubAnswer = {
  id: string
  /** As the provider answers it. */
  model: string
  /** Seconds since the epoch; null where the dialect tells no time. */
  created: number | null
  candidates: HubCandidate[]
  /** Null: not reported. */
  usage: Usage | null
  /** In the words of most: `default`, `flex`, `priority`. */
  serviceTier?: string
}

/** One step of a streamed answer. `choice`: of which candidate; `call`: of which tool call, counted within the candidate from 0. */
export type HubEvent =
  | { type: 'start'; id: string; model: string; created: number | null }
  | { type: 'text'; choice: number; text: string }
  | { type: 'reasoning'; choice: number; text: string }
  /** Seals the reasoning before it. */
  | (Sealed & { type: 'signature'; choice: number; signature: string })
  | (Sealed & { type: 'redacted'; choice: number; data: string })
  | { type: 'refusal'; choice: number; text: string }
  | { type: 'media'; choice: number; media: HubMedia }
  | (Sealed & { type: 'tool_call'; choice: number; call: number; id: string; name: string; signature?: string })
  /** A piece of the arguments' JSON text. */
  | { type: 'arguments'; choice: number; call: number; json: string }
  | { type: 'citation'; choice: number; citation: HubCitation }
  | { type: 'logprobs'; choice: number; logprobs: HubLogprob[] }
  | { type: 'finish'; choice: number; reason: HubFinish; stopSequence?: string }
  /** All that is counted so far: the last one holds. `provisional`: the output is yet to be counted. */
  | { type: 'usage'; usage: Usage; provisional?: boolean }
  | { type: 'ping' }
  | { type: 'error'; error: HubError }
  /** The stream has come to the end that its format defines. */
  | { type: 'done' }

/** What went wrong at the provider, by its nature. */
export type HubErrorKind =
  | 'invalid_request'
  | 'authentication'
  | 'permission'
  | 'billing'
  | 'not_found'
  | 'too_large'
  | 'context_length'
  | 'rate_limit'
  | 'overloaded'
  | 'timeout'
  | 'server'

export type HubError = {
  kind: HubErrorKind
  message: string
  /** The provider's own word for it. */
  code: string | null
  param: string | null
  /** How long to wait, in milliseconds, where the body says so. */
  retryAfterMs: number | null
}
