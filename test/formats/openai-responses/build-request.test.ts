import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubMessage, HubRequest } from '../../../src/formats/hub.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { plainRequest } from './streams.ts'

type Built = { body: Json; lost: string[] }

function build(request: Partial<HubRequest>, model = 'gpt-4o'): Built {
  const lost: string[] = []
  const body = openaiResponses.buildRequest({ ...plainRequest, model, ...request }, factsOf(model), (what) =>
    lost.push(what),
  )
  return { body, lost }
}
const inputOf = (...messages: HubMessage[]) => build({ messages }).body.input
const user = (...parts: HubMessage['parts']): HubMessage => ({ role: 'user', parts })
const assistant = (...parts: HubMessage['parts']): HubMessage => ({ role: 'assistant', parts })

describe('a request for a provider of the Responses API', () => {
  it('asks it to keep nothing', () => {
    expect(build({}).body).toEqual({ model: 'gpt-4o', input: [{ role: 'user', content: 'Hi' }], store: false })
    expect(build({ stream: true }).body).toMatchObject({ stream: true })
  })

  it('asks models that reason, and only these, for sealed thoughts', () => {
    const sealed = ['reasoning.encrypted_content']
    expect(build({}, 'gpt-5.4').body.include).toEqual(sealed)
    expect(build({}, 'o3').body.include).toEqual(sealed)
    expect(build({}, 'gpt-4o').body.include).toBeUndefined()
    expect(build({}, 'gpt-5-chat-latest').body.include).toBeUndefined()
    const reasoning = { effort: 'high', budgetTokens: null, shown: null } as const
    // An effort that nobody knows to be taken is left out, and told.
    const { body, lost } = build({ reasoning }, 'some-thinker')
    expect(body.include ?? body.reasoning).toBeUndefined()
    expect(lost).toEqual(['reasoning'])
  })

  it('lets GPT have tools and an effort together, which chat does not', () => {
    const tools = [{ name: 'a', parameters: null }]
    const reasoning = { effort: 'high', budgetTokens: null, shown: true } as const
    const { body, lost } = build({ tools, reasoning, parallelToolCalls: false }, 'gpt-5.6')
    expect(body).toMatchObject({
      tools: [{ type: 'function', name: 'a', parameters: null, strict: false }],
      parallel_tool_calls: false,
      reasoning: { effort: 'high', summary: 'auto' },
    })
    expect(lost).toEqual([])
  })

  it('gives each message its items, in order', () => {
    expect(
      inputOf(
        { role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] },
        { role: 'developer', parts: [{ type: 'text', text: 'Be brief.' }] },
        user({ type: 'text', text: 'Look:' }, { type: 'image', source: { kind: 'url', url: 'https://a.example' } }),
        assistant(
          { type: 'reasoning', text: 'Hm.', signature: 'S1', id: 'rs_1' },
          { type: 'reasoning', text: '', signature: 'S2' },
          { type: 'text', text: 'I see.' },
          { type: 'refusal', text: 'But no.' },
          { type: 'tool_call', id: 'call_1', name: 'a', arguments: '' },
          { type: 'text', text: 'Wait.' },
        ),
        user(
          { type: 'tool_result', id: 'call_1', parts: [{ type: 'text', text: 'Done' }], isError: false },
          { type: 'text', text: 'Go on.' },
        ),
      ),
    ).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look:' },
          { type: 'input_image', detail: 'auto', image_url: 'https://a.example' },
        ],
      },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'S1',
      },
      { type: 'reasoning', summary: [], encrypted_content: 'S2' },
      {
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'I see.' },
          { type: 'refusal', refusal: 'But no.' },
        ],
      },
      { type: 'function_call', call_id: 'call_1', name: 'a', arguments: '{}' },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Wait.' }] },
      { type: 'function_call_output', call_id: 'call_1', output: 'Done' },
      { role: 'user', content: 'Go on.' },
    ])
  })

  it('gives back no thought that the provider would refuse: unsealed ones, and those sealed in other ways', () => {
    const items = inputOf(
      assistant(
        { type: 'reasoning', text: 'Hm.' },
        { type: 'reasoning', text: '', redacted: 'R1', sealedIn: 'anthropic-messages' },
        { type: 'reasoning', text: 'Hm.', signature: 'S1', sealedIn: 'anthropic-messages' },
        { type: 'tool_call', id: 'call_1', name: 'a', arguments: '{}', signature: 'G1', sealedIn: 'gemini' },
      ),
    )
    expect(items).toEqual([{ type: 'function_call', call_id: 'call_1', name: 'a', arguments: '{}' }])
  })

  it('carries files and what tools show', () => {
    const file = { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' } } as const
    const data = { type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,QUJD' }
    expect(
      inputOf(
        user(
          { ...file, name: 'a.pdf' },
          { type: 'file', source: { kind: 'url', url: 'https://a.example' } },
          { type: 'file', source: { kind: 'file_id', id: 'file-1' } },
          { type: 'file', source: { kind: 'text', text: 'plain' } },
          { type: 'image', source: { kind: 'file_id', id: 'file-2' }, detail: 'low' },
          { type: 'tool_result', id: 'c', parts: [{ type: 'text', text: 'See:' }, file] },
        ),
      ),
    ).toEqual([
      {
        role: 'user',
        content: [
          { ...data, filename: 'a.pdf' },
          { type: 'input_file', file_url: 'https://a.example' },
          { type: 'input_file', file_id: 'file-1' },
          { type: 'input_text', text: 'plain' },
          { type: 'input_image', detail: 'low', file_id: 'file-2' },
        ],
      },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'See:' }, data] },
    ])
  })

  it('chooses among tools in flat words', () => {
    const tools = [{ name: 'a', parameters: null }]
    const choose = (toolChoice: HubRequest['toolChoice']) => build({ tools, toolChoice }).body.tool_choice
    expect(choose({ type: 'required' })).toBe('required')
    expect(choose({ type: 'tools', names: ['a'], required: true })).toEqual({ type: 'function', name: 'a' })
    expect(choose({ type: 'tools', names: ['a', 'b'], required: false })).toEqual({
      type: 'allowed_tools',
      mode: 'auto',
      tools: [
        { type: 'function', name: 'a' },
        { type: 'function', name: 'b' },
      ],
    })
    // Among none there is nothing to choose.
    for (const type of ['auto', 'required'] as const) {
      const { body, lost } = build({ toolChoice: { type } })
      expect(body.tool_choice).toBeUndefined()
      expect(lost).toEqual(type === 'auto' ? [] : ['toolChoice'])
    }
  })

  it('says how to answer', () => {
    const format = {
      type: 'schema',
      name: 'n',
      schema: { type: 'object', additionalProperties: false },
      strict: true,
    } as const
    expect(build({ format, temperature: 0.5, topP: 0.9, logprobs: 0, maxTokens: 100 }).body).toMatchObject({
      text: { format: { type: 'json_schema', name: 'n', schema: format.schema, strict: true } },
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 0,
      include: ['message.output_text.logprobs'],
      max_output_tokens: 100,
    })
    const json = build({ format: { type: 'json' } }).body
    expect(json.text).toEqual({ format: { type: 'json_object' } })
    // The API refuses it where nobody speaks of JSON.
    expect(JSON.stringify(json.input)).toContain('JSON')
    // The API refuses fewer.
    expect(build({ maxTokens: 1 }).body.max_output_tokens).toBe(16)
  })

  it('promises a schema only where it is closed, and to models that keep to one', () => {
    const format = { type: 'schema', name: 'n', schema: { type: 'object' }, strict: true } as const
    const tools = [{ name: 'a', parameters: { type: 'object', properties: { b: {} } }, strict: true }]
    const open = build({ format, tools })
    expect(open.body).toMatchObject({ text: { format: { strict: false } }, tools: [{ strict: false }] })
    expect(open.lost).toEqual(['part:strict', 'part:strict'])
    const older = build({ format }, 'gpt-4-turbo')
    expect(older.body.text).toEqual({ format: { type: 'json_object' } })
    expect(JSON.stringify(older.body.input)).toContain('JSON Schema')
    expect(older.lost).toEqual(['format'])
  })

  it('asks for no more than the model writes, and for nothing that it refuses', () => {
    expect(build({ maxTokens: 1_000_000 }, 'gpt-4o').body.max_output_tokens).toBe(16_384)
    const tools = [{ name: 'a', parameters: null }]
    expect(build({ tools, parallelToolCalls: true }, 'o3').body.parallel_tool_calls).toBeUndefined()
    expect(build({ serviceTier: 'auto' }).body.service_tier).toBeUndefined()
    const rests = { effort: 'none', budgetTokens: null, shown: null } as const
    expect(build({ reasoning: rests, temperature: 0.2 }, 'gpt-5.1').body.temperature).toBe(0.2)
  })

  it('knows a user by 64 characters at most, and the same one always by the same', () => {
    const id = (user: string) => String(build({ user }).body.safety_identifier)
    expect(id('u1')).toBe('u1')
    expect(id('x'.repeat(64))).toBe('x'.repeat(64))
    expect(id('x'.repeat(65))).toMatch(/^[0-9a-f]{64}$/)
    expect(id('x'.repeat(65))).toBe(id('x'.repeat(65)))
    expect(id('x'.repeat(65))).not.toBe(id('x'.repeat(66)))
  })

  it('tells what it cannot carry', () => {
    const lost = (request: Partial<HubRequest>, model?: string) => build(request, model).lost
    expect(lost({ topK: 5, stop: ['x'], seed: 1, candidates: 2, presencePenalty: 1, frequencyPenalty: 1 })).toEqual([
      'candidates',
      'stop',
      'topK',
      'seed',
      'presencePenalty',
      'frequencyPenalty',
    ])
    expect(lost({ logitBias: { 5: 1 } })).toEqual(['logitBias'])
    expect(lost({ candidates: 1, presencePenalty: 0, frequencyPenalty: 0 })).toEqual([])
    expect(lost({ temperature: 0.5, topP: 0.5, logprobs: 0 }, 'gpt-5')).toEqual(['temperature', 'topP', 'logprobs'])
    expect(lost({ temperature: 1, topP: 1 }, 'gpt-5')).toEqual([])
    const audio = { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'QUJD' } } as const
    expect(lost({ messages: [{ ...user(audio), name: 'Ann' }] })).toEqual(['part:messages.name', 'part:audio'])
  })
})
