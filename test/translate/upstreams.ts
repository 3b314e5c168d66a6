import { sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

/* Providers that speak other dialects than OpenAI's, as they are scripted in these tests. */

export const message = (fields: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-6',
  content: [{ type: 'text', text: 'Hello from Claude' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, cache_creation_input_tokens: 3, cache_read_input_tokens: 7, output_tokens: 5 },
  ...fields,
})

/** The events of a streamed message with these words. */
export const messageEvents = (words: string[]): object[] => [
  {
    type: 'message_start',
    message: message({
      content: [],
      stop_reason: null,
      usage: { input_tokens: 10, cache_read_input_tokens: 7, cache_creation_input_tokens: 3, output_tokens: 1 },
    }),
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  ...words.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
]

export const frame = (event: object) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`

/** Answers in Anthropic's dialect, streamed where that is asked for. */
export const startAnthropic = (
  answer: object = message(),
  events = messageEvents(['Hello ', 'from ', 'Claude']),
): Promise<Upstream> =>
  startUpstream((_req, res, seen) => {
    if (!(JSON.parse(String(seen.body)) as { stream?: boolean }).stream)
      return sendJson(res, 200, answer, { 'request-id': 'req_upstream' })
    res.writeHead(200, sseHead)
    for (const event of events) res.write(frame(event))
    res.end()
  })
