/** What the gateway knows of an endpoint of OpenAI's API; every other path is passed through just the same, without metering. */
export type Endpoint = {
  path: string
  /** How a streamed answer ends, so that a cut one is never taken for a whole one. */
  terminator: 'done' | 'response_event' | 'typed' | 'none'
  /** Streams report usage only when `stream_options.include_usage` asks for it. */
  usageOnRequest: boolean
  /** Answers are text, so that tokens can be estimated when the provider does not report them. */
  text: 'chat' | 'completion' | 'response' | 'input_only' | null
}

/** Sources: the OpenAI API specification 2.3.0 and recorded traffic. */
const ENDPOINTS: Endpoint[] = [
  { path: '/v1/chat/completions', terminator: 'done', usageOnRequest: true, text: 'chat' },
  { path: '/v1/completions', terminator: 'done', usageOnRequest: true, text: 'completion' },
  { path: '/v1/responses', terminator: 'response_event', usageOnRequest: false, text: 'response' },
  { path: '/v1/responses/compact', terminator: 'none', usageOnRequest: false, text: 'response' },
  { path: '/v1/embeddings', terminator: 'none', usageOnRequest: false, text: 'input_only' },
  { path: '/v1/images/generations', terminator: 'typed', usageOnRequest: false, text: null },
  { path: '/v1/images/edits', terminator: 'typed', usageOnRequest: false, text: null },
  { path: '/v1/images/variations', terminator: 'none', usageOnRequest: false, text: null },
  { path: '/v1/audio/speech', terminator: 'typed', usageOnRequest: false, text: null },
  { path: '/v1/audio/transcriptions', terminator: 'typed', usageOnRequest: false, text: null },
  { path: '/v1/audio/translations', terminator: 'none', usageOnRequest: false, text: null },
]

const byPath = new Map(ENDPOINTS.map((endpoint) => [endpoint.path, endpoint]))

/** Null: an endpoint whose answers are not metered (files, batches, models, unknown ones). */
export const meteredEndpoint = (method: string, path: string): Endpoint | null =>
  method === 'POST' ? (byPath.get(path) ?? null) : null
