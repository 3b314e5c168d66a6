import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubFinish, HubPart } from '../../../src/formats/hub.ts'
import { toToolName } from '../../../src/formats/tool-names.ts'
import { answerFacts, hubAnswer, hubRequest, PLACE, say, used } from '../samples.ts'

const { parseAnswer, buildAnswer, parseRequest } = anthropicMessages
const body = (content: Json[], more: Json = {}): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 3 },
  ...more,
})
const candidate = (content: Json[], more?: Json) => parseAnswer(body(content, more)).candidates[0]!
const text = (said: string, more: Json = {}) => ({ type: 'text', text: said, ...more })

describe('an answer of a provider of messages', () => {
  it('is who and what', () => {
    expect(parseAnswer(body([text('Hi')]))).toEqual({
      id: 'msg_1',
      model: 'm',
      created: null,
      candidates: [{ parts: [say('Hi')], finish: 'stop' }],
      usage: used(5, 3),
    })
  })

  it.each<[string | null, HubFinish]>([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop_sequence'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'context_length'],
    ['tool_use', 'tool_calls'],
    ['pause_turn', 'pause'],
    ['refusal', 'refusal'],
    ['compaction', 'stop'],
    [null, 'stop'],
  ])('ends with %s as %s', (stop_reason, finish) => {
    expect(candidate([], { stop_reason }).finish).toBe(finish)
  })

  it('says at what it stopped, and why it refused', () => {
    expect(candidate([], { stop_reason: 'stop_sequence', stop_sequence: 'END' })).toMatchObject({ stopSequence: 'END' })
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'No' }
    expect(candidate([], { stop_reason: 'refusal', stop_details }).parts).toEqual([{ type: 'refusal', text: 'No' }])
    expect(candidate([], { stop_reason: 'refusal', stop_details: null }).parts).toEqual([])
  })

  it('thinks, says, calls, in its order', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm', signature: 'S' },
      { type: 'redacted_thinking', data: 'R' },
      text('A'),
      { type: 'tool_use', id: 'toolu_1', name: 'look', input: { a: 1 }, caller: { type: 'direct' } },
      { type: 'tool_use', id: 'toolu_2', name: 'bare', input: {} },
    ]
    expect(candidate(content).parts).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: '', redacted: 'R', sealedIn: 'anthropic-messages' },
      say('A'),
      { type: 'tool_call', id: 'toolu_1', name: 'look', arguments: '{"a":1}' },
      { type: 'tool_call', id: 'toolu_2', name: 'bare', arguments: '{}' },
    ])
  })

  it('cites for the text of a block, wherever it stands', () => {
    const citations = [
      { type: 'web_search_result_location', url: 'https://e.com', title: 'E', cited_text: 'C', encrypted_index: 'x' },
      { type: 'char_location', document_title: 'facts.txt', cited_text: 'D', start_char_index: 7 },
    ]
    expect(candidate([text('Hello '), text('World', { citations })]).parts[1]).toEqual({
      ...say('World'),
      citations: [
        { url: 'https://e.com', title: 'E', text: 'C', start: 6, end: 11 },
        { title: 'facts.txt', text: 'D', start: 6, end: 11 },
      ],
    })
  })

  it('says nothing of what the provider ran itself', () => {
    expect(candidate([{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }, text('A')]).parts).toEqual([
      say('A'),
    ])
  })

  it('counts the cache beside the input, and the thoughts inside the output', () => {
    const usage = {
      input_tokens: 2,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 },
      output_tokens: 7,
      output_tokens_details: { thinking_tokens: 5 },
      service_tier: 'standard',
    }
    const answer = parseAnswer(body([], { usage }))
    expect(answer.usage).toEqual(
      used(132, 7, {
        cachedTokens: 30,
        cacheWriteTokens: 100,
        reasoningTokens: 5,
        details: { cache_write_1h_tokens: 60 },
      }),
    )
    expect(answer.serviceTier).toBe('default')
  })

  it.each([{}, { content: 'A' }, { type: 'error', error: { message: 'No' } }])('is none: %j', (sent) => {
    expect(() => parseAnswer(sent)).toThrow(UnreadableAnswer)
  })
})

describe('an answer for a client of messages', () => {
  const content = (parts: HubPart[], facts = answerFacts()) => buildAnswer(hubAnswer(parts), facts).content

  it('is who and what', () => {
    const usage = used(132, 7, {
      cachedTokens: 30,
      cacheWriteTokens: 100,
      reasoningTokens: 5,
      details: { cache_write_1h_tokens: 60, web_searches: 2 },
    })
    expect(buildAnswer(hubAnswer([say('Hi')], { usage, serviceTier: 'default' }), answerFacts())).toEqual({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'some-model',
      content: [text('Hi')],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 2,
        cache_read_input_tokens: 30,
        cache_creation_input_tokens: 100,
        cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 },
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 5 },
        server_tool_use: { web_search_requests: 2 },
        service_tier: 'standard',
      },
    })
  })

  it('has an id as clients expect it, a model, and counts', () => {
    expect(buildAnswer(hubAnswer([], { id: 'chatcmpl-1', model: '' }), answerFacts())).toMatchObject({
      id: 'msg_chatcmpl-1',
      model: 'asked-model',
      usage: { input_tokens: 0, output_tokens: 0 },
    })
    expect(buildAnswer(hubAnswer([], { id: '' }), answerFacts()).id).toBe('msg_1700000000')
  })

  it.each<[HubFinish, string]>([
    ['stop', 'end_turn'],
    ['stop_sequence', 'stop_sequence'],
    ['length', 'max_tokens'],
    ['context_length', 'model_context_window_exceeded'],
    ['tool_calls', 'tool_use'],
    ['content_filter', 'refusal'],
    ['refusal', 'refusal'],
    ['pause', 'pause_turn'],
  ])('ends with %s as %s', (finish, stop_reason) => {
    const candidates = [{ parts: [], finish, stopSequence: 'END' }]
    expect(buildAnswer(hubAnswer([], { candidates }), answerFacts())).toMatchObject({
      stop_reason,
      stop_sequence: 'END',
    })
  })

  it('is the first of several, and empty where there is none', () => {
    const candidates = ['A', 'B'].map((said) => ({ parts: [say(said)], finish: 'stop' as const }))
    expect(buildAnswer(hubAnswer([], { candidates }), answerFacts()).content).toEqual([text('A')])
    expect(buildAnswer(hubAnswer([], { candidates: [] }), answerFacts())).toMatchObject({
      content: [],
      stop_reason: 'end_turn',
    })
  })

  it('thinks, says, refuses, calls; blocks are not empty', () => {
    const parts: HubPart[] = [
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoning', text: '' },
      say(''),
      say('A'),
      { type: 'refusal', text: 'No' },
      { type: 'tool_call', id: 'a', name: 'look', arguments: '{"a":1}' },
      { type: 'tool_call', id: 'b', name: 'look', arguments: '' },
      { type: 'tool_call', id: 'c', name: 'look', arguments: '{"a":' },
    ]
    expect(content(parts)).toEqual([
      { type: 'thinking', thinking: 'Hm', signature: '' },
      text('A'),
      text('No'),
      { type: 'tool_use', id: 'a', name: 'look', input: { a: 1 } },
      { type: 'tool_use', id: 'b', name: 'look', input: {} },
      { type: 'tool_use', id: 'c', name: 'look', input: { raw_arguments: '{"a":' } },
    ])
  })

  it('keeps seals for the next request, with whose they are', () => {
    const parts: HubPart[] = [
      { type: 'reasoning', text: 'A', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: 'B', signature: 'T', sealedIn: 'gemini' },
      { type: 'reasoning', text: '', redacted: 'R', sealedIn: 'openai-responses' },
    ]
    const message = { role: 'assistant', content: content(parts) }
    expect(parseRequest({ model: 'm', max_tokens: 1, messages: [message] }, PLACE).messages[0]!.parts).toEqual(parts)
  })

  it('calls tools by the client’s own names, with ids that are new in the conversation', () => {
    const known: HubPart = { type: 'tool_call', id: 'call_0', name: 'a.b', arguments: '' }
    const request = hubRequest({
      tools: [{ name: 'a.b', parameters: null }],
      messages: [{ role: 'assistant', parts: [known] }],
    })
    expect(content([{ ...known, name: toToolName('a.b') }], answerFacts({ request }))).toMatchObject([
      { id: 'call_0_2', name: 'a.b' },
    ])
  })

  it('cites', () => {
    const cited: HubPart = {
      ...say('A'),
      type: 'text',
      text: 'A',
      citations: [{ url: 'https://e.com', title: 'E', text: 'C' }, {}],
    }
    expect(content([cited])).toEqual([
      text('A', {
        citations: [
          {
            type: 'web_search_result_location',
            url: 'https://e.com',
            title: 'E',
            cited_text: 'C',
            encrypted_index: '',
          },
          { type: 'web_search_result_location', url: '', title: null, cited_text: '', encrypted_index: '' },
        ],
      }),
    ])
  })
})
