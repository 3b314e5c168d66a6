import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { type Dialect, type Json, UnreadableAnswer } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import type { HubEvent, HubRequest } from '../../src/formats/hub.ts'
import { isRecord } from '../../src/formats/read.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { chatSdk, messagesSdk } from '../fixtures/agent-requests.ts'
import { answerFacts, hubRequest, PLACE } from './samples.ts'

const CHAT = DIALECTS['openai-chat']!
const MESSAGES = DIALECTS['anthropic-messages']!
const BOTH = [CHAT, MESSAGES]

/** Every type there is, the odd ones of each too. */
const WRONG: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  'x',
  '__proto__',
  [],
  [null],
  [[]],
  ['x'],
  [{}],
  {},
  { a: 1 },
  { type: 'x' },
]

/** The body with another value in one place, for every place and every value. */
function* spoiled(body: unknown): Generator<unknown> {
  yield* WRONG
  if (Array.isArray(body)) {
    for (let index = 0; index < body.length; index++)
      for (const one of spoiled(body[index])) yield body.with(index, one)
    yield body.slice(1)
  } else if (isRecord(body)) {
    for (const name of Object.keys(body)) {
      for (const one of spoiled(body[name])) yield { ...body, [name]: one }
      const { [name]: _, ...rest } = body
      yield rest
    }
  }
}

/** Runs it; what it throws must be of this kind. */
function may<T>(kind: abstract new (...args: never[]) => Error, run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof kind)) throw error
    return null
  }
}

const facts = answerFacts({ request: hubRequest({ streamUsage: true }) as HubRequest })

function answers(from: Dialect, body: unknown): void {
  if (!isRecord(body)) return
  const answer = may(UnreadableAnswer, () => from.parseAnswer(body))
  if (answer) for (const to of BOTH) JSON.stringify(to.buildAnswer(answer, facts))
}

function streams(from: Dialect, data: (Json | '[DONE]')[]): void {
  const parser = from.createStreamParser()
  const events: HubEvent[] = []
  may(UnreadableAnswer, () => {
    for (const one of data) events.push(...parser.push(one, null))
    events.push(...parser.end())
  })
  for (const to of BOTH) {
    const builder = to.createStreamBuilder(facts)
    may(UnreadableAnswer, () => events.map((event) => builder.push(event)))
  }
}

const CHAT_ANSWER = {
  id: 'a',
  model: 'm',
  created: 1,
  service_tier: 'default',
  citations: ['https://e.com'],
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      logprobs: {
        content: [{ token: 'A', logprob: -1, bytes: [65], top_logprobs: [{ token: 'B', logprob: -2, bytes: null }] }],
      },
      message: {
        content: 'A',
        refusal: 'B',
        reasoning_content: 'C',
        reasoning_details: [
          { type: 'reasoning.text', text: 'C', signature: 'S', index: 0, format: 'anthropic-claude-v1' },
        ],
        annotations: [{ type: 'url_citation', url_citation: { url: 'u', title: 't', start_index: 0, end_index: 1 } }],
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        function_call: { name: 'f', arguments: '{}' },
      },
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
}
const CHAT_CHUNKS: (Json | '[DONE]')[] = [
  {
    id: 'a',
    model: 'm',
    created: 1,
    choices: [{ index: 0, delta: { role: 'assistant', content: 'A', reasoning_content: 'B' }, finish_reason: null }],
  },
  {
    choices: [
      {
        index: 0,
        delta: {
          reasoning_details: [{ type: 'reasoning.encrypted', data: 'x', id: 'c' }],
          annotations: [{ type: 'url_citation', url_citation: { url: 'u' } }],
          tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{' } }],
        },
        logprobs: { content: [{ token: 'A', logprob: -1 }] },
      },
    ],
  },
  {
    choices: [
      { index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '}' } }] }, finish_reason: 'tool_calls' },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  },
  '[DONE]',
]
const MESSAGE = {
  id: 'msg_1',
  model: 'm',
  stop_reason: 'refusal',
  stop_sequence: 'x',
  stop_details: { explanation: 'No' },
  content: [
    { type: 'text', text: 'A', citations: [{ type: 'char_location', cited_text: 'A', url: 'u', title: 't' }] },
    { type: 'thinking', thinking: 'A', signature: 'S' },
    { type: 'redacted_thinking', data: 'D' },
    { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
  ],
  usage: {
    input_tokens: 1,
    output_tokens: 1,
    cache_creation: { ephemeral_1h_input_tokens: 1 },
    service_tier: 'standard',
  },
}
const MESSAGE_EVENTS: Json[] = [
  { type: 'message_start', message: { ...MESSAGE, content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: { url: 'u' } } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_stop', index: 1 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_details: { explanation: 'x' } },
    usage: { output_tokens: 2 },
  },
  { type: 'message_stop' },
]

describe('whatever a provider sends', () => {
  it.each([
    ['chats', CHAT, CHAT_ANSWER],
    ['messages', MESSAGES, MESSAGE],
  ] as const)('is an answer of %s, or unreadable', (_, dialect, sample) => {
    for (const body of spoiled(sample)) answers(dialect, body)
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('choices', 'content', 'usage', 'id'), fc.jsonValue()), (body) =>
        answers(dialect, body),
      ),
    )
  })

  it.each([
    ['chats', CHAT, CHAT_CHUNKS],
    ['messages', MESSAGES, MESSAGE_EVENTS],
  ] as const)('is a stream of %s, or unreadable', (_, dialect, sample) => {
    sample.forEach((_, at) => {
      for (const one of spoiled(sample[at]))
        if (isRecord(one)) streams(dialect, [...sample.slice(0, at), one, ...sample.slice(at + 1)])
      streams(dialect, [...sample.slice(0, at), ...sample.slice(at + 1)])
      streams(dialect, [...sample.slice(at), ...sample.slice(0, at)])
    })
  })

  it.each([
    ['chats', CHAT],
    ['messages', MESSAGES],
  ] as const)('is an error of %s with a kind and a message', (_, dialect) => {
    const sample = {
      type: 'error',
      error: { type: 'a', message: 'b', code: 'c', param: 'd', status: 1, metadata: { raw: 'e' } },
      detail: [{ loc: ['a'], msg: 'b' }],
      message: 'f',
    }
    for (const status of [200, 400, 401, 418, 429, 500, 599])
      for (const body of spoiled(sample)) {
        const error = dialect.parseError(status, body)
        expect(typeof error.kind).toBe('string')
        expect(error.message.length).toBeGreaterThan(0)
        for (const to of BOTH) JSON.stringify(to.buildError(error, status))
      }
  })
})

describe('whatever a client sends', () => {
  const sides = [
    ['chats', CHAT, MESSAGES, chatSdk()],
    ['messages', MESSAGES, CHAT, messagesSdk()],
  ] as const

  it.each(sides)('is a request of %s, or refused with the name of what is wrong', (_, from, to, sample) => {
    let refused = 0
    let taken = 0
    for (const body of spoiled(sample)) {
      if (!isRecord(body)) continue
      for (const model of ['claude-opus-5', 'gpt-5.6-sol', 'unheard-of']) {
        try {
          const { body: built, dropped } = translateRequest({ from, to }, body, PLACE, { model, streamUsage: true })
          JSON.stringify(built)
          for (const name of dropped) expect(typeof name).toBe('string')
          taken++
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          expect(error.code).toBe('invalid_request')
          expect(error.param).toMatch(/^[\w.[\]]+$/)
          refused++
        }
      }
    }
    expect(taken).toBeGreaterThan(1_000)
    expect(refused).toBeGreaterThan(1_000)
  })

  it.each(sides)('is refused where it is nested without end (%s)', (_, from, to, sample) => {
    let deep: unknown = {}
    for (let depth = 0; depth < 100_000; depth++) deep = { a: deep }
    const calls = { type: 'tool_use', id: 'a', name: 'b', input: deep }
    const body = { ...sample, messages: [{ role: 'assistant', content: [calls] }] }
    if (from === MESSAGES)
      expect(() => translateRequest({ from, to }, body, PLACE, { model: 'm', streamUsage: true })).toThrow(
        'nested too deeply',
      )
    const tools = {
      ...sample,
      tools: [
        {
          type: 'function',
          name: 'a',
          function: { name: 'a', parameters: deep, strict: true },
          input_schema: deep,
          strict: true,
        },
      ],
    }
    may(GatewayError, () =>
      translateRequest({ from, to }, tools as Json, PLACE, { model: 'claude-opus-5', streamUsage: true }),
    )
  })
})
