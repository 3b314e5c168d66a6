import type { DialectName } from '../../../src/formats/dialect.ts'
import type { Call } from './script.ts'

/** What a client asks, in no SDK's words. */
export type Ask = {
  model: string
  system?: string
  messages: Message[]
  /** Without them, calls end the conversation. */
  tools?: Tool[]
  /** The name of a tool that must be called, or `required`, `none`. */
  toolChoice?: string
  parallel?: false
  /** Of the answer: an object, closed, with all of its properties required. */
  schema?: Record<string, unknown>
  thinks?: true
  maxTokens?: number
  temperature?: number
  stop?: string[]
}

export type Message =
  | { role: 'user'; text: string; image?: Picture; pdf?: Picture }
  /** An answer of an earlier conversation. */
  | { role: 'assistant'; text: string }

/** `data`: base64. */
export type Picture = { mediaType: string; data: string }

export type Tool = {
  name: string
  description: string
  parameters: Record<string, unknown>
  /** What it gives back for these arguments. */
  run(args: Record<string, unknown>): Result
}
export type Result = { text: string; image?: Picture }

/** One answer, as the SDK showed it. */
export type Shown = {
  text: string
  thought: string
  calls: Call[]
  finish: 'stop' | 'length' | 'tools' | 'filter' | string
  /** The input with its cache, the output with what was thought. */
  usage: { input: number; cached: number; output: number }
  /** `x-llm-proxy-dropped`; undefined where the SDK hides headers. */
  dropped?: string | null
}

/** What an SDK raised. `status` undefined: no HTTP error. */
export type Raised = { name: string; status?: number; message: string; retryAfter?: string | null }

export type Mode = 'whole' | 'streamed'

/** `onPiece`: something of the answer has been shown. */
export type Hooks = { signal?: AbortSignal; onPiece?: () => void }

/** An official SDK, used as its users use it. */
export type Client = {
  name: string
  dialect: DialectName
  /** In the books. */
  endpoint(model: string, mode: Mode): string
  /** Providers that it speaks to natively, and elsewhere. */
  avoids: readonly string[]
  /** What its errors are called, by their status. */
  errorName(status: number): string
  /** How it asks for an answer that keeps to a schema, of models that it does not know to take one. */
  schemas: 'field' | 'tool'
  /** What it cannot ask for, or does not show. */
  lacks: readonly Lack[]
  connect(at: { url: string; token: string }): Speaker
}

export type Lack = 'thoughts' | 'stop' | 'pictures in results' | 'temperature' | 'parallel'

export type Speaker = {
  /** Asks, runs the tools that are called, goes on with their results, and so on: all answers, in order. Rejects with the SDK's error. */
  converse(ask: Ask, mode: Mode, hooks?: Hooks): Promise<Shown[]>
  raised(error: unknown): Raised
}

/** As the SDKs that Stainless makes call them. */
export const errorClass = (status: number): string =>
  ({
    400: 'BadRequestError',
    401: 'AuthenticationError',
    403: 'PermissionDeniedError',
    404: 'NotFoundError',
    422: 'UnprocessableEntityError',
    429: 'RateLimitError',
  })[status] ?? (status >= 500 ? 'InternalServerError' : 'APIError')

/** Newer ones think as they see fit. */
export const isThinkerByItself = (model: string) => /claude-(?:opus|sonnet)-4-[678]/.test(model)

/** A client that calls tools does not do so for ever. */
export const MOST_TURNS = 6

/** What is asked when the first answer is there: a tool that must be called is called once. */
export const laterAsk = (ask: Ask, turn: number): Ask =>
  turn === 0 ? ask : { ...ask, toolChoice: undefined, parallel: undefined }

export const runTool = (tools: Tool[] | undefined, { name, args }: Call): Result => {
  const tool = tools?.find((one) => one.name === name)
  if (!tool) throw new Error(`There is no tool ${name}.`)
  return tool.run(args)
}

/** Jest runs tests in a realm of their own, and SDKs do not know the errors of another one. */
export const ownFetch: typeof fetch = (url, init) =>
  fetch(url, init).catch((error: Error) => {
    throw Object.assign(new Error(error.message, { cause: error.cause }), { name: error.name })
  })
