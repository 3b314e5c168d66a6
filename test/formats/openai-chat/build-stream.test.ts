import { describe, expect, it } from '@jest/globals'
import type { AnswerFacts, Json } from '../../../src/formats/dialect.ts'
import type { HubEvent, HubPart } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { toToolName } from '../../../src/formats/tool-names.ts'
import { assembleChat } from '../assemble.ts'
import { answerFacts, dataIn, hubRequest, jsonIn, streamOf, used } from '../samples.ts'

const START: HubEvent = { type: 'start', id: 'chatcmpl-1', model: 'm', created: 7 }
const FINISH: HubEvent = { type: 'finish', choice: 0, reason: 'stop' }
const DONE: HubEvent = { type: 'done' }
const text = (said: string, choice = 0): HubEvent => ({ type: 'text', choice, text: said })
const tell = (events: HubEvent[], facts?: AnswerFacts) => streamOf(openaiChat, [START, ...events, FINISH, DONE], facts)
const deltas = (events: HubEvent[]) =>
  jsonIn(tell(events)).map((chunk) => (chunk.choices as { delta: Json }[])[0]?.delta)
const message = (events: HubEvent[], facts?: AnswerFacts) =>
  (assembleChat(jsonIn(tell(events, facts))).choices as { message: Json }[])[0]!.message

describe('a stream for a client of chats', () => {
  it('is the role, what is said, the reason, the usage, [DONE]', () => {
    const frame = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 7, model: 'm' }
    const choice = (delta: Json, finish_reason: string | null = null) => ({ index: 0, delta, finish_reason })
    expect(dataIn(tell([text('A'), { type: 'usage', usage: used(2, 1) }]))).toEqual([
      { ...frame, choices: [choice({ role: 'assistant', content: '' })] },
      { ...frame, choices: [choice({ content: 'A' })] },
      { ...frame, choices: [choice({}, 'stop')] },
      {
        ...frame,
        choices: [],
        usage: expect.objectContaining({ prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 }),
      },
      '[DONE]',
    ])
  })

  it('tells usage only to those who asked for it', () => {
    const facts = answerFacts({ request: hubRequest({ streamUsage: false }) })
    expect(tell([text('A'), { type: 'usage', usage: used(2, 1) }], facts)).not.toContain('usage')
  })

  it('says null for content where none comes first, as OpenAI does', () => {
    expect(deltas([{ type: 'tool_call', choice: 0, call: 0, id: 'a', name: 'look' }])[0]).toEqual({
      role: 'assistant',
      content: null,
    })
  })

  it('has id, model and time also where the provider tells none', () => {
    expect(dataIn(streamOf(openaiChat, [text('A'), DONE]))[0]).toMatchObject({
      id: 'chatcmpl-1700000000',
      created: 1_700_000_000,
      model: 'asked-model',
    })
    const nameless: HubEvent = { type: 'start', id: '', model: '', created: null }
    expect(dataIn(streamOf(openaiChat, [nameless, text('A')]))[0]).toMatchObject({
      id: 'chatcmpl-1700000000',
      model: 'asked-model',
    })
  })

  it('has a role and a reason for each choice', () => {
    const stream = streamOf(openaiChat, [
      START,
      text('A'),
      text('B', 1),
      { ...FINISH, reason: 'length' },
      { ...FINISH, choice: 1 },
      DONE,
    ])
    expect(assembleChat(jsonIn(stream)).choices).toEqual([
      { index: 0, message: { role: 'assistant', content: 'A' }, finish_reason: 'length' },
      { index: 1, message: { role: 'assistant', content: 'B' }, finish_reason: 'stop' },
    ])
  })

  it('ends what began, and begins what ended, so that clients have a whole answer', () => {
    for (const events of [[START, text('A'), DONE], [START, DONE], [DONE], [START, FINISH, DONE]])
      expect(assembleChat(jsonIn(streamOf(openaiChat, events as HubEvent[]))).choices).toMatchObject([
        { finish_reason: 'stop' },
      ])
  })

  it('says one reason only', () => {
    const stream = streamOf(openaiChat, [START, FINISH, { ...FINISH, reason: 'length' }, DONE])
    expect(stream.match(/"finish_reason":"/g)).toHaveLength(1)
  })

  it('calls tools, by the client’s own names, with ids that are new in the conversation', () => {
    const known: HubPart = { type: 'tool_call', id: 'call_0', name: 'look', arguments: '' }
    const request = hubRequest({
      messages: [{ role: 'assistant', parts: [known] }],
      tools: [{ name: 'a.b', parameters: null }],
    })
    const events: HubEvent[] = [
      { type: 'tool_call', choice: 0, call: 0, id: 'call_0', name: 'look' },
      { type: 'arguments', choice: 0, call: 0, json: '{"a":' },
      { type: 'arguments', choice: 0, call: 0, json: '1}' },
      { type: 'tool_call', choice: 0, call: 1, id: 'call_1', name: toToolName('a.b') },
    ]
    expect(message(events, answerFacts({ request })).tool_calls).toEqual([
      { index: 0, id: 'call_0_2', type: 'function', function: { name: 'look', arguments: '{"a":1}' } },
      // Without arguments an empty object: clients parse it.
      { index: 1, id: 'call_1', type: 'function', function: { name: 'a.b', arguments: '{}' } },
    ])
  })

  it('thinks, refuses, cites, tells how sure the model was', () => {
    const events: HubEvent[] = [
      { type: 'reasoning', choice: 0, text: 'H' },
      { type: 'reasoning', choice: 0, text: 'm' },
      text('Hello'),
      { type: 'citation', choice: 0, citation: { url: 'https://e.com', start: 0, end: 5 } },
      { type: 'citation', choice: 0, citation: { url: 'https://f.com' } },
      { type: 'logprobs', choice: 0, logprobs: [{ token: 'A', logprob: -1, top: [] }] },
      { type: 'refusal', choice: 0, text: 'No' },
    ]
    const answer = assembleChat(jsonIn(tell(events)))
    const citation = (url: string, start_index: number, index: number) => ({
      type: 'url_citation',
      url_citation: { url, title: '', start_index, end_index: 5 },
      index,
    })
    expect(answer.choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Hello',
          reasoning_content: 'Hm',
          refusal: 'No',
          annotations: [citation('https://e.com', 0, 0), citation('https://f.com', 5, 1)],
        },
        logprobs: { content: [{ token: 'A', logprob: -1, bytes: [65], top_logprobs: [] }], refusal: null },
        finish_reason: 'stop',
      },
    ])
  })

  it('keeps seals for the next request, whether the client put the pieces together or not', () => {
    const events: HubEvent[] = [
      { type: 'reasoning', choice: 0, text: 'abc' },
      { type: 'signature', choice: 0, signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', choice: 0, text: 'def' },
      { type: 'signature', choice: 0, signature: 'T', sealedIn: 'anthropic-messages' },
      { type: 'redacted', choice: 0, data: 'R', sealedIn: 'anthropic-messages' },
      { type: 'tool_call', choice: 0, call: 0, id: 'call_1', name: 'look', signature: 'C', sealedIn: 'gemini' },
    ]
    const back = openaiChat.parseRequest({ model: 'm', messages: [message(events)] }, { model: null, stream: null })
    expect(back.messages[0]!.parts).toEqual([
      { type: 'reasoning', text: 'abc', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: 'def', signature: 'T', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: '', redacted: 'R', sealedIn: 'anthropic-messages' },
      { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{}', signature: 'C', sealedIn: 'gemini' },
    ])
  })

  it('gives entries of lists an index, without which Python’s SDK does not put them together', () => {
    const lists = deltas([
      { type: 'redacted', choice: 0, data: 'R' },
      { type: 'signature', choice: 0, signature: 'S' },
      text('A'),
      { type: 'citation', choice: 0, citation: {} },
    ]).flatMap((delta) => [...((delta?.reasoning_details ?? []) as Json[]), ...((delta?.annotations ?? []) as Json[])])
    expect(lists.map(({ index }) => index)).toEqual([0, 1, 0])
  })

  it('is kept alive by comments', () => {
    expect(streamOf(openaiChat, [START, { type: 'ping' }])).toBe(': ping\n\n')
  })

  it('ends with an error as it is, without [DONE] and without anything behind', () => {
    const error = { kind: 'overloaded' as const, message: 'Busy', code: null, param: null, retryAfterMs: null }
    const stream = streamOf(openaiChat, [START, text('A'), { type: 'error', error }, text('B'), FINISH, DONE])
    expect(dataIn(stream).slice(2)).toEqual([
      { error: { message: 'Busy', type: 'overloaded_error', param: null, code: 'overloaded' } },
    ])
  })

  it('says nothing behind its end', () => {
    expect(streamOf(openaiChat, [START, FINISH, DONE, text('A'), DONE]).endsWith('data: [DONE]\n\n')).toBe(true)
  })
})
