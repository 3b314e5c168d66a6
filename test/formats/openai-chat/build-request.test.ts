import { describe, expect, it } from '@jest/globals'
import type { HubFormat, HubReasoning, HubRequest, HubTool } from '../../../src/formats/hub.ts'
import type { ModelFacts } from '../../../src/formats/model-facts.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { built, say } from '../samples.ts'

const build = (request: Partial<HubRequest>, model?: string) => built(openaiChat, request, model)
const TOOL: HubTool = { name: 'look', parameters: { type: 'object', properties: {} } }
const effort = (one: HubReasoning['effort'], more: Partial<HubReasoning> = {}) => ({
  reasoning: { effort: one, budgetTokens: null, shown: null, ...more },
})

describe('a request for a provider of chats', () => {
  it('says nothing that the client did not say', () => {
    expect(build({})).toEqual({
      body: { model: 'some-model', messages: [{ role: 'user', content: 'Hello' }] },
      lost: [],
    })
  })

  it('says everything that the client did', () => {
    const { body, lost } = build(
      {
        stream: true,
        streamUsage: true,
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        stop: ['a'],
        seed: 0,
        candidates: 2,
        presencePenalty: -1,
        frequencyPenalty: 0,
        logprobs: 2,
        logitBias: { 1: 2 },
        user: 'alice',
        metadata: { a: 'b' },
        serviceTier: 'flex',
      },
      'gpt-4.1',
    )
    expect(lost).toEqual([])
    expect(body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['a'],
      seed: 0,
      n: 2,
      presence_penalty: -1,
      frequency_penalty: 0,
      logprobs: true,
      top_logprobs: 2,
      logit_bias: { 1: 2 },
      user: 'alice',
      metadata: { a: 'b' },
      service_tier: 'flex',
    })
  })

  it('asks for usage in a stream only where the provider must be asked', () => {
    expect(build({ stream: true, streamUsage: false }).body).not.toHaveProperty('stream_options')
    expect(build({ stream: false, streamUsage: true }).body).not.toHaveProperty('stream_options')
  })

  it('asks for logprobs of the chosen tokens alone without a number', () => {
    expect(build({ logprobs: 0 }).body).toMatchObject({ logprobs: true })
    expect(build({ logprobs: 0 }).body).not.toHaveProperty('top_logprobs')
  })

  it('loses top_k', () => {
    expect(build({ topK: 5 }).lost).toEqual(['topK'])
  })

  it('stops at four sequences at most, and not at all where the model does not', () => {
    const stop = ['a', 'b', 'c', 'd', 'e']
    expect(build({ stop }, 'gpt-4o')).toMatchObject({ body: { stop: stop.slice(0, 4) }, lost: ['stop'] })
    expect(build({ stop: ['a'] }, 'gpt-5-mini').lost).toEqual(['stop'])
    expect(build({ stop: ['a'] }, 'o3').body).not.toHaveProperty('stop')
  })

  it('shortens who stands behind it to what is taken, to the same for the same', () => {
    const long = `user_${'x'.repeat(200)}`
    const shortened = build({ user: long }).body.user
    expect(shortened).toMatch(/^[0-9a-f]{64}$/)
    expect(build({ user: long }).body.user).toBe(shortened)
    expect(build({ user: `${long}y` }).body.user).not.toBe(shortened)
    expect(build({ user: 'x'.repeat(64) }).body.user).toBe('x'.repeat(64))
  })

  it.each([
    ['auto', undefined],
    ['default', 'default'],
    ['priority', 'priority'],
  ])('asks for the tier %s as %s', (serviceTier, tier) => {
    expect(build({ serviceTier }).body.service_tier).toBe(tier)
  })
})

describe('the longest answer', () => {
  it.each([
    ['gpt-4o', 'max_tokens'],
    ['llama-3.3-70b', 'max_tokens'],
    ['gpt-5', 'max_completion_tokens'],
    ['o3', 'max_completion_tokens'],
  ])('is called by %s: %s', (model, name) => {
    expect(build({ maxTokens: 100 }, model).body).toMatchObject({ [name]: 100 })
  })

  it('is at most what the model can write: it would refuse more', () => {
    expect(build({ maxTokens: 64_000 }, 'gpt-4o')).toMatchObject({ body: { max_tokens: 16_384 }, lost: [] })
    expect(build({ maxTokens: 64_000 }, 'unheard-of').body.max_tokens).toBe(64_000)
  })
})

describe('reasoning', () => {
  it.each<[string, Partial<HubRequest>, string | undefined]>([
    ['gpt-5', effort('minimal'), 'minimal'],
    ['gpt-5', effort('none'), 'minimal'],
    ['gpt-5', effort('xhigh'), 'high'],
    ['gpt-5.2', effort('none'), 'none'],
    ['gpt-5.2', effort('minimal'), 'low'],
    ['gpt-5.2', effort('max'), 'xhigh'],
    ['o3', effort('max'), 'high'],
    ['gpt-5', effort(null, { budgetTokens: 10_000 }), 'medium'],
    ['gpt-5', effort(null, { budgetTokens: 31_999 }), 'high'],
    ['gpt-5.2-chat-latest', effort('low'), 'medium'],
    ['anthropic/claude-sonnet-4.5', effort('high'), 'high'],
    ['openai/gpt-oss-120b', effort('xhigh'), 'high'],
    ['gpt-5', effort(null, { shown: true }), undefined],
  ])('is asked of %s in its own words (%j)', (model, request, wanted) => {
    const { body, lost } = build(request, model)
    expect(body.reasoning_effort).toBe(wanted)
    expect(lost).toEqual([])
  })

  it('is not asked of models that would refuse it, which is told', () => {
    for (const model of ['gpt-4o', 'gpt-4.1', 'grok-4', 'llama-3.3-70b', 'mistral-large-latest'])
      expect(build(effort('high'), model)).toEqual({
        body: expect.not.objectContaining({ reasoning_effort: 'high' }),
        lost: ['reasoning'],
      })
    expect(build(effort('none'), 'gpt-4o').lost).toEqual([])
  })

  it('is switched on and off, beside its effort, where a provider has a switch', () => {
    const at = (facts: Partial<ModelFacts>, request: Partial<HubRequest>) =>
      built(openaiChat, request, 'glm-4.6', { takesThinking: true, ...facts })
    expect(at({}, effort('high'))).toMatchObject({ body: { thinking: { type: 'enabled' } }, lost: [] })
    expect(at({}, effort('high')).body).not.toHaveProperty('reasoning_effort')
    expect(at({}, effort('none'))).toMatchObject({ body: { thinking: { type: 'disabled' } }, lost: [] })
    const efforts = { reasons: 'adaptive', efforts: ['low', 'high', 'max'] } as const
    expect(at(efforts, effort('medium')).body).toMatchObject({
      thinking: { type: 'enabled' },
      reasoning_effort: 'high',
    })
    expect(at(efforts, effort('none')).body).not.toHaveProperty('reasoning_effort')
    expect(at({}, {}).body).not.toHaveProperty('thinking')
  })

  it('goes not with tools from gpt-5.4 on', () => {
    const request = { tools: [TOOL], ...effort('high') }
    expect(build(request, 'gpt-5.6-terra')).toMatchObject({ body: { reasoning_effort: 'none' }, lost: ['reasoning'] })
    expect(build({ tools: [TOOL] }, 'gpt-5.6-terra')).toMatchObject({ body: { reasoning_effort: 'none' }, lost: [] })
    expect(build(request, 'gpt-5.1')).toMatchObject({ body: { reasoning_effort: 'high' }, lost: [] })
    expect(build({ tools: [TOOL] }, 'gpt-5.4-pro').body).not.toHaveProperty('reasoning_effort')
  })
})

describe('sampling', () => {
  const all = { temperature: 0, topP: 0.5, presencePenalty: 1, frequencyPenalty: 1, logprobs: 1, logitBias: { 1: 1 } }
  const names = ['frequencyPenalty', 'logitBias', 'logprobs', 'presencePenalty', 'temperature', 'topP']

  it.each(['o3', 'gpt-5', 'gpt-5.6-sol', 'anthropic/claude-opus-4.8'])('is not asked of %s, which is told', (model) => {
    const { body, lost } = build(all, model)
    expect(lost).toEqual(names)
    expect(Object.keys(body)).toEqual(['model', 'messages'])
  })

  it('is not told as lost where it asks for what is done anyway', () => {
    expect(build({ temperature: 1, topP: 1, presencePenalty: 0, frequencyPenalty: 0 }, 'gpt-5')).toEqual({
      body: { model: 'gpt-5', messages: expect.anything() },
      lost: [],
    })
  })

  it('is asked of those that rest', () => {
    expect(build(all, 'gpt-5.2')).toMatchObject({ body: { temperature: 0, top_p: 0.5 }, lost: [] })
    expect(build({ ...all, ...effort('none') }, 'gpt-5.6-sol')).toMatchObject({ body: { temperature: 0 }, lost: [] })
    expect(build({ ...all, ...effort('low') }, 'gpt-5.2').lost).toEqual(names)
  })
})

describe('tools', () => {
  it('are functions', () => {
    const tools = [
      { ...TOOL, description: 'Looks' },
      { name: 'bare', parameters: null },
    ]
    expect(build({ tools }).body.tools).toEqual([
      { type: 'function', function: { name: 'look', description: 'Looks', parameters: TOOL.parameters } },
      { type: 'function', function: { name: 'bare' } },
    ])
  })

  it.each([
    [{ type: 'auto' as const }, 'auto'],
    [{ type: 'none' as const }, 'none'],
    [{ type: 'required' as const }, 'required'],
    [
      { type: 'tools' as const, names: ['look'], required: true },
      { type: 'function', function: { name: 'look' } },
    ],
  ])('are chosen: %j', (toolChoice, choice) => {
    expect(build({ tools: [TOOL], toolChoice }).body.tool_choice).toEqual(choice)
  })

  it.each([
    [['a'], false, 'auto'],
    [['a', 'b'], false, 'auto'],
    [['a', 'b'], true, 'required'],
  ])('are left out where the choice does not name them (%j, %s)', (names, required, choice) => {
    const tools = ['a', 'b', 'c'].map((name) => ({ ...TOOL, name }))
    const { body } = build({ tools, toolChoice: { type: 'tools', names, required } })
    expect((body.tools as { function: HubTool }[]).map((tool) => tool.function.name)).toEqual(names)
    expect(body.tool_choice).toBe(choice)
  })

  it('are not chosen where there are none', () => {
    const { body, lost } = build({ toolChoice: { type: 'auto' }, parallelToolCalls: true })
    expect(Object.keys(body)).toEqual(['model', 'messages'])
    expect(lost).toEqual([])
    expect(build({ toolChoice: { type: 'required' } }).lost).toEqual(['toolChoice'])
  })

  it('are called one by one when they must be, where the model can be told', () => {
    expect(build({ tools: [TOOL], parallelToolCalls: false }, 'gpt-4o').body.parallel_tool_calls).toBe(false)
    expect(build({ tools: [TOOL], parallelToolCalls: false }, 'o3').body).not.toHaveProperty('parallel_tool_calls')
  })

  it('are forced on no model that cannot be made to', () => {
    const request = { tools: [TOOL], toolChoice: { type: 'required' as const } }
    expect(build(request, 'anthropic/claude-fable-5')).toMatchObject({
      body: { tool_choice: 'auto' },
      lost: ['toolChoice'],
    })
  })

  it('are strict only where their schema is one that can be promised', () => {
    const closed = { type: 'object', properties: {}, additionalProperties: false }
    const strictOf = (parameters: HubTool['parameters']) => {
      const { body, lost } = build({ tools: [{ ...TOOL, parameters, strict: true }] })
      return [(body.tools as { function: HubTool }[])[0]!.function.strict, lost]
    }
    expect(strictOf(closed)).toEqual([true, []])
    expect(strictOf({ type: 'object', properties: { a: {} } })).toEqual([undefined, ['part:strict']])
  })

  it('have names that are taken, everywhere the same', () => {
    const name = 'mcp__server__'.repeat(8)
    const { body } = build({
      tools: [{ ...TOOL, name }],
      toolChoice: { type: 'tools', names: [name], required: true },
      messages: [{ role: 'assistant', parts: [{ type: 'tool_call', id: 'a', name, arguments: '' }] }],
    })
    const written = (body.tools as { function: HubTool }[])[0]!.function.name
    expect(written).toMatch(/^[\w-]{1,64}$/)
    expect(body.tool_choice).toEqual({ type: 'function', function: { name: written } })
    expect(body.messages).toMatchObject([{ tool_calls: [{ function: { name: written, arguments: '{}' } }] }])
  })
})

describe('the format of an answer', () => {
  const schema = { type: 'object', properties: { a: {} }, required: ['a'], additionalProperties: false }
  const format = (more: object = {}): HubFormat => ({ type: 'schema', name: 'n', schema, ...more })

  it('is a schema', () => {
    expect(build({ format: format({ strict: true, description: 'd' }) }, 'gpt-4.1')).toMatchObject({
      body: {
        response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true, description: 'd' } },
      },
      lost: [],
    })
  })

  it('is promised only where the schema can be', () => {
    const { body, lost } = build({ format: format({ strict: true, schema: { ...schema, required: [] } }) }, 'gpt-4.1')
    expect(body.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'n', schema: { ...schema, required: [] } },
    })
    expect(lost).toEqual(['part:strict'])
  })

  it('is told in words where the model keeps to no schema', () => {
    const messages: HubRequest['messages'] = [
      { role: 'system', parts: [say('Be brief.')] },
      { role: 'user', parts: [say('Go')] },
    ]
    const { body, lost } = build({ format: format(), messages }, 'deepseek-chat')
    expect(body.response_format).toEqual({ type: 'json_object' })
    expect(lost).toEqual(['format'])
    expect(body.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: expect.stringContaining(JSON.stringify(schema)) },
      { role: 'user', content: 'Go' },
    ])
  })

  it('is JSON, which the prompt must ask for as well', () => {
    const { body } = build({ format: { type: 'json' } })
    expect(body.response_format).toEqual({ type: 'json_object' })
    expect(JSON.stringify(body.messages)).toMatch(/JSON/)
    const messages: HubRequest['messages'] = [{ role: 'user', parts: [say('Give me Json')] }]
    expect(build({ format: { type: 'json' }, messages }).body.messages).toEqual([
      { role: 'user', content: 'Give me Json' },
    ])
  })
})
