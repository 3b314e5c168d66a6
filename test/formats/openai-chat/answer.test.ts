import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubFinish, HubPart } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { toToolName } from '../../../src/formats/tool-names.ts'
import { answerFacts, hubAnswer, hubRequest, say, used } from '../samples.ts'

const { parseAnswer, buildAnswer } = openaiChat
const body = (message: Json, more: Json = {}, choice: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 7,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: 'stop', ...choice }],
  ...more,
})
const candidate = (message: Json, choice?: Json) => parseAnswer(body(message, {}, choice)).candidates[0]!
const call = (more: Json = {}) => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'look', arguments: '{"a":1}' },
  ...more,
})

describe('an answer of a provider of chats', () => {
  it('is who, when and what', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }
    expect(parseAnswer(body({ content: 'Hi' }, { usage, service_tier: 'default' }))).toEqual({
      id: 'chatcmpl-1',
      model: 'm',
      created: 7,
      candidates: [{ parts: [say('Hi')], finish: 'stop' }],
      usage: used(5, 3),
      serviceTier: 'default',
    })
  })

  it('may have several choices, and none', () => {
    const choices = ['A', 'B'].map((content, index) => ({ index, message: { content }, finish_reason: 'stop' }))
    expect(parseAnswer({ choices }).candidates.map(({ parts }) => parts)).toEqual([[say('A')], [say('B')]])
    expect(parseAnswer({ choices: [] }).candidates).toEqual([])
  })

  it.each<[unknown, Json, HubFinish]>([
    ['stop', {}, 'stop'],
    ['length', {}, 'length'],
    ['tool_calls', { tool_calls: [call()] }, 'tool_calls'],
    ['function_call', { function_call: { name: 'f', arguments: '{}' } }, 'tool_calls'],
    ['content_filter', {}, 'content_filter'],
    ['stop', { tool_calls: [call()] }, 'tool_calls'],
    ['length', { tool_calls: [call()] }, 'length'],
    ['stop', { refusal: 'No' }, 'refusal'],
    ['content_filter', { refusal: 'No' }, 'refusal'],
    ['model_length', {}, 'context_length'],
    ['model_context_window_exceeded', {}, 'context_length'],
    ['sensitive', {}, 'content_filter'],
    ['eos', {}, 'stop'],
    [null, {}, 'stop'],
  ])('ends with %s (%j) as %s', (finish_reason, message, finish) => {
    expect(candidate({ content: 'A', ...message }, { finish_reason }).finish).toBe(finish)
  })

  it.each([
    ['no choices', {}],
    ['an error', { error: { message: 'No' } }],
    ['an error beside no choices', { choices: [], error: { message: 'No' } }],
    ['a choice that lost its connection', body({}, {}, { finish_reason: 'network_error' })],
    ['a choice that failed', body({}, {}, { finish_reason: 'error' })],
    ['a choice with an error', body({ content: 'A' }, {}, { error: { code: 502, message: 'No' } })],
    [
      'a choice that ran out of machines',
      body({ content: 'A' }, {}, { finish_reason: 'insufficient_system_resource' }),
    ],
  ])('is none with %s', (_, sent) => {
    expect(() => parseAnswer(sent)).toThrow(UnreadableAnswer)
  })

  it('calls tools, with arguments as they were written', () => {
    const calls = [call(), call({ id: 'call_2', function: { name: 'b', arguments: '{"a":' } })]
    expect(candidate({ tool_calls: calls }).parts).toEqual([
      { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{"a":1}' },
      { type: 'tool_call', id: 'call_2', name: 'b', arguments: '{"a":' },
    ])
  })

  it('calls tools also where ids are left out, arguments are an object, or left out', () => {
    const calls = [{ function: { name: 'a', arguments: { x: 1 } } }, { function: { name: 'b' } }]
    const parts = candidate({ tool_calls: calls }).parts as (HubPart & { type: 'tool_call' })[]
    expect(parts.map((part) => part.arguments)).toEqual(['{"x":1}', ''])
    expect(new Set(parts.map(({ id }) => id)).size).toBe(2)
    const other = parseAnswer({ ...body({ tool_calls: calls }), id: 'chatcmpl-2' }).candidates[0]!.parts
    expect(other[0]).not.toMatchObject({ id: parts[0]!.id })
  })

  it.each([
    ['reasoning_content', { reasoning_content: 'Hm' }],
    ['reasoning', { reasoning: 'Hm' }],
    [
      'parts',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
          { type: 'text', text: 'A' },
        ],
      },
    ],
  ])('thinks first, by %s', (_, message) => {
    expect(candidate({ content: 'A', ...message }).parts).toEqual([{ type: 'reasoning', text: 'Hm' }, say('A')])
  })

  it('seals what it thought', () => {
    const reasoning_details = [
      { type: 'reasoning.text', text: 'Hm', signature: 'S', format: 'anthropic-claude-v1' },
      { type: 'reasoning.encrypted', data: 'C', id: 'call_1', format: 'google-gemini-v1' },
    ]
    expect(candidate({ reasoning: 'Hm', reasoning_details, tool_calls: [call()] }).parts).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{"a":1}', signature: 'C', sealedIn: 'gemini' },
    ])
  })

  it('cites', () => {
    const url_citation = { url: 'https://e.com', title: 'E', start_index: 1, end_index: 3 }
    const annotations = [{ type: 'url_citation', url_citation }, { type: 'file_citation' }]
    expect(candidate({ content: 'Hello', annotations }).parts).toEqual([
      { ...say('Hello'), citations: [{ url: 'https://e.com', title: 'E', start: 1, end: 3 }] },
    ])
  })

  it.each([
    [{ citations: ['https://e.com'] }, [{ url: 'https://e.com' }]],
    [
      { citations: ['https://e.com'], search_results: [{ url: 'https://e.com', title: 'E' }] },
      [{ url: 'https://e.com', title: 'E' }],
    ],
  ])('cites by numbers in a list beside the choices: %j', (more, citations) => {
    expect(parseAnswer(body({ content: 'A [1]' }, more)).candidates[0]!.parts).toEqual([{ ...say('A [1]'), citations }])
  })

  it('tells how sure it was of each token', () => {
    const content = [{ token: 'A', logprob: -1, bytes: [65], top_logprobs: [{ token: 'B', logprob: -2, bytes: null }] }]
    expect(candidate({ content: 'A' }, { logprobs: { content } }).logprobs).toEqual([
      { token: 'A', logprob: -1, bytes: [65], top: [{ token: 'B', logprob: -2 }] },
    ])
  })
})

describe('an answer for a client of chats', () => {
  const message = (parts: HubPart[], facts = answerFacts()) =>
    (buildAnswer(hubAnswer(parts), facts).choices as { message: Json }[])[0]!.message

  it('is who, when and what', () => {
    const usage = used(10, 5, { cachedTokens: 4, cacheWriteTokens: 3, reasoningTokens: 2 })
    expect(buildAnswer(hubAnswer([say('Hi')], { usage, serviceTier: 'default' }), answerFacts())).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 1_600_000_000,
      model: 'some-model',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
      service_tier: 'default',
    })
  })

  it('has an id, a model and a time also where the provider tells none', () => {
    expect(buildAnswer(hubAnswer([], { id: '', model: '', created: null }), answerFacts())).toMatchObject({
      id: 'chatcmpl-1700000000',
      model: 'asked-model',
      created: 1_700_000_000,
    })
  })

  it('tells nothing of usage that is not known, and of tiers that clients do not', () => {
    const answer = buildAnswer(hubAnswer([], { serviceTier: 'batch' }), answerFacts())
    expect(answer).not.toHaveProperty('usage')
    expect(answer).not.toHaveProperty('service_tier')
  })

  it.each<[HubFinish, string]>([
    ['stop', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause', 'stop'],
    ['length', 'length'],
    ['context_length', 'length'],
    ['tool_calls', 'tool_calls'],
    ['content_filter', 'content_filter'],
    ['refusal', 'content_filter'],
  ])('ends with %s as %s', (finish, finish_reason) => {
    expect(buildAnswer(hubAnswer([], { candidates: [{ parts: [], finish }] }), answerFacts()).choices).toMatchObject([
      { finish_reason },
    ])
  })

  it('joins text without anything in between, and says null for none', () => {
    expect(message([say('A'), say('B')]).content).toBe('AB')
    expect(message([]).content).toBeNull()
  })

  it('calls tools, without arguments with none', () => {
    const part: HubPart = { type: 'tool_call', id: 'a', name: 'look', arguments: '' }
    expect(message([part])).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
    })
  })

  it('calls tools by the client’s own names, with ids that are new in the conversation', () => {
    const name = 'mcp__server__'.repeat(8)
    const known: HubPart = { type: 'tool_call', id: 'call_0', name, arguments: '' }
    const request = hubRequest({
      tools: [{ name, parameters: null }],
      messages: [{ role: 'assistant', parts: [known] }],
    })
    const answered: HubPart = { ...known, name: toToolName(name) }
    expect(message([answered], answerFacts({ request })).tool_calls).toMatchObject([
      { id: 'call_0_2', function: { name } },
    ])
  })

  it('refuses', () => {
    expect(message([{ type: 'refusal', text: 'No' }])).toMatchObject({ content: null, refusal: 'No' })
  })

  it('thinks, and keeps seals for the next request', () => {
    const parts: HubPart[] = [
      { type: 'reasoning', text: 'A', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: '', redacted: 'R', sealedIn: 'anthropic-messages' },
      { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{}', signature: 'C', sealedIn: 'gemini' },
    ]
    const built = message(parts)
    expect(built.reasoning_content).toBe('A')
    expect(
      openaiChat.parseRequest({ model: 'm', messages: [built] }, { model: null, stream: null }).messages[0]!.parts,
    ).toEqual(parts)
  })

  it('cites where the text stands in the message', () => {
    const cited = { ...say('World'), citations: [{ url: 'https://e.com', text: 'W' }] }
    expect(message([say('Hello '), cited]).annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { url: 'https://e.com', title: '', start_index: 6, end_index: 11, content: 'W' },
      },
    ])
  })

  it('tells how sure the model was', () => {
    const logprobs = [{ token: 'é', logprob: -1, top: [{ token: 'e', logprob: -2, bytes: [101] }] }]
    const built = buildAnswer(hubAnswer([], { candidates: [{ parts: [], finish: 'stop', logprobs }] }), answerFacts())
    expect(built.choices).toMatchObject([
      {
        logprobs: {
          content: [
            { token: 'é', logprob: -1, bytes: [195, 169], top_logprobs: [{ token: 'e', logprob: -2, bytes: [101] }] },
          ],
        },
      },
    ])
  })
})
