import { describe, expect, it } from '@jest/globals'
import { assemble } from '../../src/admin/requests/assemble.ts'
import { readableJson } from '../../src/admin/requests/json-tokens.ts'
import type { DialectName } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import type { HubEvent } from '../../src/formats/hub.ts'
import type { KeptBody } from '../../src/store/store.ts'

const ENDPOINTS: [endpoint: string, dialect: DialectName][] = [
  ['/v1/chat/completions', 'openai-chat'],
  ['/v1/responses', 'openai-responses'],
  ['/anthropic/v1/messages', 'anthropic-messages'],
  ['/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'gemini'],
]
const QUESTIONS: Record<DialectName, object> = {
  'openai-chat': { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] },
  'openai-responses': { model: 'm', stream: true, input: 'hi' },
  'anthropic-messages': { model: 'm', stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] },
  gemini: {
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    generationConfig: { thinkingConfig: { includeThoughts: true } },
  },
}
const EVENTS: HubEvent[] = [
  { type: 'start', id: 'answer_1', model: 'm', created: 1 },
  { type: 'reasoning', choice: 0, text: 'Let me ' },
  { type: 'reasoning', choice: 0, text: 'think.' },
  { type: 'signature', choice: 0, signature: 'c2VhbGVk' },
  { type: 'text', choice: 0, text: 'Grüße ' },
  { type: 'text', choice: 0, text: '漢字' },
  { type: 'tool_call', choice: 0, call: 0, id: 'call_1', name: 'get_weather' },
  { type: 'arguments', choice: 0, call: 0, json: '{"city":' },
  { type: 'arguments', choice: 0, call: 0, json: '"Ulm"}' },
  { type: 'finish', choice: 0, reason: 'tool_calls' },
  { type: 'done' },
]

/** The stream as a client of that dialect is sent it. */
function streamIn(name: DialectName, events = EVENTS): string {
  const dialect = DIALECTS[name]!
  const request = dialect.parseRequest(QUESTIONS[name] as Record<string, unknown>, { model: 'm', stream: true })
  const builder = dialect.createStreamBuilder({ model: 'm', now: 1, request, lose() {} })
  return events.map((event) => builder.push(event)).join('')
}

const kept = (text: string, more: Partial<KeptBody> = {}): KeptBody => ({
  type: 'text/event-stream; charset=utf-8',
  size: text.length,
  text,
  truncated: false,
  complete: true,
  omitted: null,
  ...more,
})

describe('the answer put together', () => {
  it.each(ENDPOINTS)('of a stream of %s has its thoughts, text and tool calls', (endpoint, dialect) => {
    const { answer, problem } = assemble(endpoint, 200, kept(streamIn(dialect)))!
    expect(problem).toBeNull()
    expect(answer.candidates).toHaveLength(1)
    const { parts } = answer.candidates[0]!
    const said = (type: string) => parts.flatMap((part) => (part.type === type && 'text' in part ? [part.text] : []))
    expect(said('reasoning').join('')).toBe('Let me think.')
    expect(said('text')).toEqual(['Grüße 漢字'])
    const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part] : []))
    expect(calls).toEqual([expect.objectContaining({ name: 'get_weather' })])
    expect(JSON.parse(calls[0]!.arguments)).toEqual({ city: 'Ulm' })
  })

  it.each(ENDPOINTS)('of a stream of %s that broke off says so, and shows what came', (endpoint, dialect) => {
    const text = streamIn(dialect, EVENTS.slice(0, 6))
    const { answer, problem } = assemble(endpoint, 200, kept(text, { complete: false }))!
    expect(problem).toBe('The stream broke off before its end.')
    expect(JSON.stringify(answer)).toContain('Let me think.')
    const half = assemble(endpoint, 200, kept(text.slice(0, -9), { truncated: true }))!
    expect(half.problem).toBe('Only the beginning of the stream was kept.')
  })

  it.each(ENDPOINTS)('of a stream of %s that failed tells the error', (endpoint, dialect) => {
    const error = { kind: 'server' as const, message: 'it broke', code: null, param: null, retryAfterMs: null }
    const { problem } = assemble(
      endpoint,
      200,
      kept(streamIn(dialect, [...EVENTS.slice(0, 6), { type: 'error', error }])),
    )!
    expect(problem).toContain('it broke')
  })

  it('of an answer without a stream is read too, and of what is none there is nothing', () => {
    const json = {
      id: 'x',
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
    }
    const whole = assemble('/v1/chat/completions', 200, kept(JSON.stringify(json), { type: 'application/json' }))
    expect(whole!.answer.candidates[0]!.parts).toEqual([{ type: 'text', text: 'hello' }])
    expect(assemble('/v1/chat/completions', 200, kept('<html>', { type: 'text/html' }))).toBeNull()
    expect(assemble('/v1/chat/completions', 200, kept('data: nonsense\n\n'))).toBeNull()
    expect(assemble('/v1/chat/completions', 400, kept('{"error":{}}', { type: 'application/json' }))).toBeNull()
    expect(assemble('/v1/embeddings', 200, kept('{}', { type: 'application/json' }))).toBeNull()
    expect(assemble('/v1/chat/completions', null, kept(''))).toBeNull()
  })
})

describe('JSON made readable', () => {
  const join = (text: string) =>
    readableJson(text)
      .map((piece) => piece.text)
      .join('')

  it('loses and adds nothing but space', () => {
    const value = { a: [1, -2.5e-7, true, null, '"quo\\ted": {'], 'k": 1': {}, b: '</pre><script>' }
    expect(JSON.parse(join(JSON.stringify(value)))).toEqual(value)
    expect(readableJson('{"a": "b"}').map(({ kind }) => kind)).toEqual([
      'plain',
      'key',
      'plain',
      'plain',
      'string',
      'plain',
    ])
  })

  it('leaves what is no JSON, or has numbers beyond JavaScript, as it is', () => {
    expect(join('{"cut": "of')).toBe('{"cut": "of')
    expect(join('{"id":12345678901234567890}')).toBe('{"id":12345678901234567890}')
    expect(readableJson('data: {"a":1}\n\n')).toEqual([{ kind: 'plain', text: 'data: {"a":1}\n\n' }])
  })
})
