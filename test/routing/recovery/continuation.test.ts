import { describe, expect, it } from '@jest/globals'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import { factsAt } from '../../../src/providers/index.ts'
import { mistral } from '../../../src/providers/mistral.ts'
import { continuationOf } from '../../../src/routing/recovery/continuation.ts'

const MESSAGES = DIALECTS['anthropic-messages']!
const CHAT = DIALECTS['openai-chat']!
const USER = { role: 'user', content: 'Tell me.' }
const OLD = factsOf('claude-sonnet-4-5')

const of = (body: object, { dialect = MESSAGES, said = 'Once upon', facts = OLD } = {}) =>
  continuationOf(Buffer.from(JSON.stringify(body)), dialect, said, facts)
const ask = (more: object = {}) => ({ model: 'm', max_tokens: 10, messages: [USER], ...more })

describe('the request for the rest of an answer', () => {
  it('is the request, byte for byte, with one message more', () => {
    const body = '{ "messages" :[ {"role":"user","content":"a ] \\" \\u00e9"} ] , "max_tokens":1e1, "model":"m"}'
    const next = continuationOf(Buffer.from(body), MESSAGES, 'Say "it" \n', OLD)!
    expect(String(next.body)).toBe(body.replace('} ] ,', '} ,{"role":"assistant","content":"Say \\"it\\""}] ,'))
    expect(next.beginning).toBe('Say "it"')
  })

  it('marks the beginning for Mistral, which may repeat it', () => {
    const facts = factsAt(mistral, 'mistral-large-latest')
    const next = of(ask(), { dialect: CHAT, facts })!
    expect(JSON.parse(String(next.body)).messages.at(-1)).toEqual({
      role: 'assistant',
      content: 'Once upon',
      prefix: true,
    })
    expect(next.repeats).toBe(true)
  })

  it.each([
    ['Claude from 4.6', 'claude-sonnet-4-6'],
    ['Claude 5', 'claude-opus-5'],
    ['models that answer such a message anew', 'gpt-4o'],
    ['models of which nothing is known', 'house-model'],
  ])('is none for %s', (_what, model) => {
    expect(of(ask(), { facts: factsOf(model) })).toBeNull()
  })

  it.each([
    ['thinks first', ask({ thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 4_000 })],
    [
      'must call a tool',
      ask({ tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: { type: 'any' } }),
    ],
    ['wants JSON', ask({ output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } })],
    ['has an answer begun by its client', ask({ messages: [USER, { role: 'assistant', content: 'Well' }] })],
  ])('is none where it %s', (_what, body) => {
    expect(of(body)).toBeNull()
  })

  it('is there where thinking is switched off', () => {
    expect(of(ask({ thinking: { type: 'disabled' } }))).not.toBeNull()
  })

  it('is none for blanks, and none in dialects that know no such thing', () => {
    expect(of(ask(), { said: ' \n' })).toBeNull()
    expect(of({ contents: [{ parts: [{ text: 'Hi' }] }] }, { dialect: DIALECTS.gemini! })).toBeNull()
  })
})
