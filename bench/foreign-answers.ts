/** `path`: what stands in the paths of this API. `events`: one write each; the first and `chunks` with text, and those that end it. */
export type ForeignAnswer = { path: string; json: string; events: string[] }

/** What the scripted provider says in Anthropic's and in Google's dialect. */
export const foreignAnswers = (chunks: number, text: string): ForeignAnswer[] => [
  { path: '/messages', json: JSON.stringify(message(text)), events: messageEvents(chunks) },
  { path: 'enerateContent', json: JSON.stringify(generated(text, true)), events: generatedEvents(chunks) },
]

const USAGE = { input_tokens: 210, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 160 }

const message = (text: string | null) => ({
  id: 'msg_01benchBenchBenchBenchBench',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: text === null ? [] : [{ type: 'text', text }],
  stop_reason: text === null ? null : 'end_turn',
  stop_sequence: null,
  usage: USAGE,
})

function messageEvents(chunks: number): string[] {
  const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  const texts = Array.from({ length: chunks }, (_, index) =>
    event({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: ` token${index}` },
    } as { type: string }),
  )
  const first = [
    { type: 'message_start', message: message(null) },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ]
  const last = [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: USAGE },
    { type: 'message_stop' },
  ]
  return [first.map(event).join('') + texts[0], ...texts.slice(1), ...last.map(event)]
}

const generated = (text: string, isLast: boolean) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, ...(isLast && { finishReason: 'STOP' }), index: 0 }],
  usageMetadata: { promptTokenCount: 210, candidatesTokenCount: 160, totalTokenCount: 370 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'benchBenchBenchBench',
})

const generatedEvents = (chunks: number): string[] =>
  Array.from(
    { length: chunks },
    (_, index) => `data: ${JSON.stringify(generated(` token${index}`, index === chunks - 1))}\r\n\r\n`,
  )
