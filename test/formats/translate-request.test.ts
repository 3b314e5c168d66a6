import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import { factsOf } from '../../src/formats/model-facts.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { PLACE } from './samples.ts'

const CHAT = DIALECTS['openai-chat']!
const MESSAGES = DIALECTS['anthropic-messages']!
const BODY: Json = { model: 'client-name', messages: [{ role: 'user', content: 'Hello' }] }
const toMessages = (body: Json, model = 'claude-sonnet-4-5') =>
  translateRequest({ from: CHAT, to: MESSAGES }, { ...BODY, ...body }, PLACE, { model, streamUsage: false })

describe('a request in another dialect', () => {
  it('is for the model as the provider calls it, and stays what the client asked', () => {
    const { request, body } = toMessages({})
    expect(body.model).toBe('claude-sonnet-4-5')
    expect(request.model).toBe('client-name')
  })

  it('names what is lost by the client’s own names, each once', () => {
    const body = {
      verbosity: 'low',
      seed: 1,
      n: 2,
      logit_bias: { 1: 1 },
      tools: [{ type: 'function', function: { name: 'f' } }],
      messages: [
        { role: 'user', name: 'a', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] },
        {
          role: 'user',
          name: 'b',
          content: [
            { type: 'input_audio', input_audio: { data: '', format: 'wav' } },
            { type: 'text', text: 'A' },
          ],
        },
      ],
    }
    expect(toMessages(body).dropped.sort()).toEqual(['audio', 'logit_bias', 'messages.name', 'n', 'seed', 'verbosity'])
  })

  it('is without what the provider refuses, whatever is in it, which is told', () => {
    const body = { ...BODY, user: 'ada', metadata: { a: 'b' }, seed: 7, temperature: 1.8 }
    const refuses = { ...factsOf('mistral-large-latest'), refuses: ['user', 'metadata', 'logprobs'] as const }
    const facts = { ...refuses, seedName: 'random_seed' as const, mostTemperature: 1.5 }
    const target = { model: 'mistral-large-latest', facts, streamUsage: false }
    const { body: sent, dropped } = translateRequest({ from: CHAT, to: CHAT }, body, PLACE, target)
    expect(dropped).toEqual(['user', 'metadata'])
    expect(sent).toEqual({
      model: 'mistral-large-latest',
      messages: [{ role: 'user', content: 'Hello' }],
      random_seed: 7,
      temperature: 1.5,
    })
  })

  it('asks for usage of a stream where the provider must be asked, whether the client did or not', () => {
    const body = { model: 'm', max_tokens: 1, stream: true, messages: BODY.messages }
    const route = { from: MESSAGES, to: CHAT }
    const asked = (streamUsage: boolean) => translateRequest(route, body, PLACE, { model: 'gpt-4o', streamUsage })
    expect(asked(true).body.stream_options).toEqual({ include_usage: true })
    expect(asked(false).body).not.toHaveProperty('stream_options')
    expect(asked(true).request.streamUsage).toBeNull()
  })

  it('is refused with the name of what is wrong', () => {
    expect(() => toMessages({ temperature: 'hot' })).toThrow('`temperature` must be a number.')
  })

  it('is not changed by being read: it may be sent to another provider next', () => {
    const body = {
      ...BODY,
      stop: 'a',
      messages: [
        { role: 'assistant', content: 'A ' },
        { role: 'user', content: 'B' },
      ],
    }
    const before = structuredClone(body)
    toMessages(body)
    expect(body).toEqual(before)
    const first = toMessages({ ...body, messages: [...body.messages, { role: 'assistant', content: '{ ' }] })
    const second = toMessages({ ...body, messages: [...body.messages, { role: 'assistant', content: '{ ' }] })
    expect(second).toEqual(first)
  })
})
