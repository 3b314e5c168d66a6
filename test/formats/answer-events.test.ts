import { describe, expect, it } from '@jest/globals'
import { eventsOf } from '../../src/formats/answer-events.ts'
import type { HubAnswer } from '../../src/formats/hub.ts'
import { answerTold } from '../../src/formats/told-answer.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'

const answer: HubAnswer = {
  id: 'id-1',
  model: 'm',
  created: 7,
  candidates: [
    {
      parts: [
        { type: 'reasoning', text: 'Hm', signature: 'seal', sealedIn: 'gemini' },
        { type: 'reasoning', text: '', redacted: 'sealed', sealedIn: 'anthropic-messages' },
        { type: 'text', text: 'I look.' },
        { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aW1n' } },
        { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'UklGRg==' } },
        { type: 'tool_call', id: 'a', name: 'look', arguments: '{"at":1}', signature: 'seal', sealedIn: 'gemini' },
        { type: 'tool_call', id: 'b', name: 'wait', arguments: '' },
      ],
      finish: 'tool_calls',
    },
    { parts: [{ type: 'refusal', text: 'No.' }], finish: 'stop_sequence', stopSequence: 'END' },
  ],
  usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 2, source: 'reported' },
}

describe('a whole answer, told as a stream', () => {
  it('says the same', () => {
    expect(answerTold(eventsOf(answer))).toEqual(answer)
  })

  it('cites behind the text, tells how sure the model was, and ends', () => {
    const citation = { url: 'https://example.com', start: 0, end: 2 }
    const logprobs = [{ token: 'Hi', logprob: -0.1, top: [] }]
    const parts = [{ type: 'text' as const, text: 'Hi', citations: [citation] }]
    expect(eventsOf({ ...answer, usage: null, candidates: [{ parts, finish: 'stop', logprobs }] }).slice(1)).toEqual([
      { type: 'text', choice: 0, text: 'Hi' },
      { type: 'citation', choice: 0, citation },
      { type: 'logprobs', choice: 0, logprobs },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'done' },
    ])
  })
})
