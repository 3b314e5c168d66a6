import type { HubAnswer, HubError, HubEvent, HubField, HubMedia, HubRequest } from './hub.ts'
import type { ModelFacts } from './model-facts.ts'

export type Json = Record<string, unknown>

export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini'

/** What a client's answer is written for. */
export type AnswerFacts = {
  /** As the client asked for it. */
  model: string
  /** Seconds since the epoch, for dialects that tell a time where the provider tells none. */
  now: number
  /** The client's own request: some dialects repeat parts of it. */
  request: HubRequest
  /** Told of every part that the client's dialect has no place for, as often as one comes. */
  lose(what: AnswerLoss): void
}

export type AnswerLoss = `answer.${HubMedia['type']}`

/** What an address says besides the body: in some dialects the model and the wish for a stream stand there. */
export type RequestPlace = { model: string | null; stream: boolean | null }

/** Reads and writes one way of speaking to models. Pure: no clock, no network, no state between requests. */
export type Dialect = {
  name: DialectName
  /** How it calls the hub's fields, for telling what was dropped. */
  fieldNames: Record<HubField, string>
  /** Throws `invalid_request` with the `param` at fault. */
  parseRequest(body: Json, place: RequestPlace): HubRequest
  /** `lose` is told of every field (as the hub calls it) or part that this dialect, or this model, cannot carry. */
  buildRequest(request: HubRequest, facts: ModelFacts, lose: (what: HubField | `part:${string}`) => void): Json
  /** Throws `UnreadableAnswer` for what is no answer of this dialect. */
  parseAnswer(body: Json): HubAnswer
  buildAnswer(answer: HubAnswer, facts: AnswerFacts): Json
  createStreamParser(): StreamParser
  /** `begun`: the client has the beginning of the stream from elsewhere, and this is to go on with it. */
  createStreamBuilder(facts: AnswerFacts, begun?: BegunBlock): StreamBuilder
  /** `body`: parsed where it was JSON, else its text. */
  parseError(status: number, body: unknown): HubError
  buildError(error: HubError, status: number): Json
}

/** In dialects that number the blocks of an answer: the last one (-1: none yet), and what it is while it is open. */
export type BegunBlock = { index: number; open: 'text' | 'thinking' | null }

/** Fed with whole events of an SSE stream. */
export type StreamParser = {
  /** `name`: of its `event:` line. Throws `UnreadableAnswer`. */
  push(data: Json | '[DONE]', name: string | null): HubEvent[]
  /** The connection has ended. `done` is among the events only where the format ends by ending, and was at its end. */
  end(): HubEvent[]
}

/** Gives the text of SSE events, '' where there is nothing to send for this one. */
export type StreamBuilder = {
  /** Throws `UnreadableAnswer` for what cannot be told in this dialect. */
  push(event: HubEvent): string
}

/** A provider sent what its format does not know. `message` is for the log. */
export class UnreadableAnswer extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnreadableAnswer'
  }
}
