import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import { type AnswerFacts, type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubEvent, HubFinish, HubPart } from '../../../src/formats/hub.ts'
import { toToolName } from '../../../src/formats/tool-names.ts'
import { assembleMessage } from '../assemble.ts'
import { answerFacts, hubRequest, jsonIn, streamOf, used } from '../samples.ts'

const START: HubEvent = { type: 'start', id: 'msg_1', model: 'm', created: 7 }
const DONE: HubEvent = { type: 'done' }
const text = (said: string): HubEvent => ({ type: 'text', choice: 0, text: said })
const think = (said: string): HubEvent => ({ type: 'reasoning', choice: 0, text: said })
const finish = (reason: HubFinish = 'stop'): HubEvent => ({ type: 'finish', choice: 0, reason })
const call = (number: number, id = `id_${number}`): HubEvent => ({
  type: 'tool_call',
  choice: 0,
  call: number,
  id,
  name: 'look',
})
const args = (number: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call: number, json })
const stream = (events: HubEvent[], facts?: AnswerFacts) => streamOf(anthropicMessages, [START, ...events, DONE], facts)
const message = (events: HubEvent[], facts?: AnswerFacts) => assembleMessage(jsonIn(stream(events, facts)))
const content = (events: HubEvent[], facts?: AnswerFacts) => message(events, facts).content
const tool = (number: number, input: Json = {}) => ({ type: 'tool_use', id: `id_${number}`, name: 'look', input })

describe('a stream for a client of messages', () => {
  it('is the message, its blocks, why it stopped and what was used, the end; each event by its name', () => {
    const told = stream([text('A'), finish(), { type: 'usage', usage: used(12, 3, { cachedTokens: 10 }) }])
    expect(
      told
        .split('\n\n')
        .filter(Boolean)
        .map((event) => event.split('\n')[0]),
    ).toEqual(jsonIn(told).map(({ type }) => `event: ${type}`))
    const usage = (input: number, output: number, cached: number) => ({
      input_tokens: input,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cached,
      output_tokens: output,
    })
    const frame = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] }
    expect(jsonIn(told)).toEqual([
      { type: 'message_start', message: { ...frame, stop_reason: null, stop_sequence: null, usage: usage(0, 0, 0) } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: usage(2, 3, 10) },
      { type: 'message_stop' },
    ])
  })

  it('is whole with nothing in it', () => {
    expect(message([])).toMatchObject({ content: [], stop_reason: 'end_turn' })
    expect(assembleMessage(jsonIn(streamOf(anthropicMessages, [text('A'), DONE])))).toMatchObject({
      id: 'msg_1700000000',
      model: 'asked-model',
      content: [{ type: 'text', text: 'A' }],
    })
  })

  it('has a block for each kind of thing that is said, in its order', () => {
    const events: HubEvent[] = [
      think('H'),
      think('m'),
      { type: 'signature', choice: 0, signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'redacted', choice: 0, data: 'R', sealedIn: 'anthropic-messages' },
      text('A'),
      text(''),
      text('B'),
      { type: 'citation', choice: 0, citation: { url: 'https://e.com', title: 'E' } },
      call(0),
      args(0, '{"a":'),
      args(0, '1}'),
      call(1),
      text('C'),
      { type: 'refusal', choice: 0, text: 'No' },
      think('Z'),
      finish('tool_calls'),
    ]
    const citation = {
      type: 'web_search_result_location',
      url: 'https://e.com',
      title: 'E',
      cited_text: '',
      encrypted_index: '',
    }
    expect(message(events)).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'S' },
        { type: 'redacted_thinking', data: 'R' },
        { type: 'text', text: 'AB', citations: [citation] },
        tool(0, { a: 1 }),
        tool(1),
        { type: 'text', text: 'CNo' },
        { type: 'thinking', thinking: 'Z', signature: '' },
      ],
      stop_reason: 'tool_use',
    })
  })

  it('keeps seals apart by who made them, with and without text', () => {
    const events: HubEvent[] = [
      { type: 'signature', choice: 0, signature: 'S', sealedIn: 'gemini' },
      think('A'),
      { type: 'signature', choice: 0, signature: 'T' },
      { type: 'redacted', choice: 0, data: 'R', sealedIn: 'openai-responses' },
    ]
    expect(content(events)).toEqual([
      { type: 'thinking', thinking: '', signature: 'gemini:S' },
      { type: 'thinking', thinking: 'A', signature: 'T' },
      { type: 'redacted_thinking', data: 'openai-responses:R' },
    ])
  })

  it('says at what it stopped', () => {
    const stopped: HubEvent = { type: 'finish', choice: 0, reason: 'stop_sequence', stopSequence: 'END' }
    expect(message([text('A'), stopped])).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' })
  })

  it('is the first of several answers', () => {
    expect(
      content([text('A'), { type: 'text', choice: 1, text: 'B' }, { ...finish('length'), choice: 1 } as HubEvent]),
    ).toEqual([{ type: 'text', text: 'A' }])
  })

  it('calls tools by the client’s own names, with ids that are new in the conversation', () => {
    const known: HubPart = { type: 'tool_call', id: 'id_0', name: 'a.b', arguments: '' }
    const request = hubRequest({
      tools: [{ name: 'a.b', parameters: null }],
      messages: [{ role: 'assistant', parts: [known] }],
    })
    const opened: HubEvent = { ...call(0), name: toToolName('a.b') } as HubEvent
    expect(content([opened], answerFacts({ request }))).toMatchObject([{ id: 'id_0_2', name: 'a.b' }])
  })

  it('is kept alive by pings, once it has begun', () => {
    expect(streamOf(anthropicMessages, [{ type: 'ping' }])).toBe('')
    expect(streamOf(anthropicMessages, [START, { type: 'ping' }])).toMatch(/event: ping\ndata: {"type":"ping"}\n\n$/)
  })

  it('ends with an error as it is, and nothing behind', () => {
    const error = { kind: 'overloaded' as const, message: 'Busy', code: null, param: null, retryAfterMs: null }
    const told = streamOf(anthropicMessages, [START, text('A'), { type: 'error', error }, text('B'), finish(), DONE])
    expect(jsonIn(told).at(-1)).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'Busy' } })
  })

  it('says nothing behind its end', () => {
    expect(jsonIn(stream([finish(), DONE, text('A')])).at(-1)).toEqual({ type: 'message_stop' })
  })
})

describe('calls that come mixed, for a client of messages', () => {
  it('come one after the other', () => {
    expect(
      content([call(0), call(1), args(0, '{"a"'), args(1, '{"b"'), args(0, ':1}'), args(1, ':2}'), finish()]),
    ).toEqual([tool(0, { a: 1 }), tool(1, { b: 2 })])
  })

  it('come in pieces as soon as the call before is whole', () => {
    const told = streamOf(anthropicMessages, [START, call(0), args(0, '{"a":"}\\"{"}'), call(1), args(1, '{"b"')])
    expect(jsonIn(told).at(-1)).toMatchObject({ index: 1, delta: { partial_json: '{"b"' } })
  })

  it('come in pieces as soon as the call before turns out whole', () => {
    const told = streamOf(anthropicMessages, [START, call(0), call(1), args(1, '{"b"'), args(0, '{}'), args(1, ':2')])
    expect(jsonIn(told).slice(-3)).toMatchObject([
      { type: 'content_block_start', index: 1 },
      { index: 1, delta: { partial_json: '{"b"' } },
      { index: 1, delta: { partial_json: ':2' } },
    ])
  })

  it('come at the end where calls before have no arguments', () => {
    expect(content([call(0), call(1), call(2), args(2, '{}'), finish()])).toEqual([tool(0), tool(1), tool(2)])
  })

  it('are no answer where one goes on behind its end', () => {
    expect(() => stream([call(0), args(0, '{}'), call(1), args(0, '{}')])).toThrow(UnreadableAnswer)
    expect(content([call(0), args(0, '{}'), call(1), args(0, ' \n'), finish()])).toEqual([tool(0), tool(1)])
  })

  it('are no answer where too much would have to wait', () => {
    const piece = 'x'.repeat(10_000)
    expect(() => stream([call(0), call(1), ...Array.from({ length: 200 }, () => args(1, piece))])).toThrow(
      UnreadableAnswer,
    )
  })
})
