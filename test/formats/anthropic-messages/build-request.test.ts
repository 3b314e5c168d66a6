import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { HubFormat, HubMessage, HubPart, HubReasoning, HubRequest, HubTool } from '../../../src/formats/hub.ts'
import { built, say } from '../samples.ts'

const build = (request: Partial<HubRequest>, model = 'claude-haiku-4-5') => built(anthropicMessages, request, model)
const TOOL: HubTool = { name: 'look', parameters: { type: 'object', properties: {} } }
const effort = (one: HubReasoning['effort'], more: Partial<HubReasoning> = {}) => ({
  reasoning: { effort: one, budgetTokens: null, shown: null, ...more },
})

describe('a request for a provider of messages', () => {
  it('says nothing that the client did not say, but how much may be written', () => {
    expect(build({})).toEqual({
      body: {
        model: 'claude-haiku-4-5',
        max_tokens: 64_000,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      },
      lost: [],
    })
  })

  it.each([
    ['claude-opus-5', 128_000],
    ['claude-sonnet-4-6', 128_000],
    ['claude-haiku-4-5', 64_000],
    ['claude-opus-4-1', 32_000],
    ['claude-3-haiku-20240307', 4_096],
    ['unheard-of', 4_096],
  ])('lets %s write as much as it can: %s tokens', (model, most) => {
    expect(build({}, model).body.max_tokens).toBe(most)
    expect(build({ maxTokens: 1_000_000 }, model).body.max_tokens).toBe(model === 'unheard-of' ? 1_000_000 : most)
    expect(build({ maxTokens: 100 }, model).body.max_tokens).toBe(100)
  })

  it('streams, stops, and says who stands behind it', () => {
    const { body, lost } = build({ stream: true, stop: ['a', ' \n', 'b'], user: 'alice' })
    expect(body).toMatchObject({ stream: true, stop_sequences: ['a', 'b'], metadata: { user_id: 'alice' } })
    expect(lost).toEqual(['stop'])
    expect(build({ user: 'x'.repeat(600) }).body.metadata).toEqual({ user_id: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  it('loses what nobody here takes, and tells it', () => {
    const all = {
      seed: 0,
      candidates: 2,
      presencePenalty: 1,
      frequencyPenalty: -1,
      logprobs: 0,
      logitBias: { 1: 1 },
      metadata: { a: 'b' },
    }
    expect(build(all).lost).toEqual([
      'candidates',
      'frequencyPenalty',
      'logitBias',
      'logprobs',
      'metadata',
      'presencePenalty',
      'seed',
    ])
    const idle = { candidates: 1, presencePenalty: 0, frequencyPenalty: 0, logitBias: {}, metadata: {} }
    expect(build(idle).lost).toEqual([])
  })

  it.each([
    ['auto', 'auto', []],
    ['default', 'standard_only', []],
    ['flex', undefined, ['serviceTier']],
  ])('asks for the tier %s as %s', (serviceTier, tier, lost) => {
    const request = build({ serviceTier })
    expect([request.body.service_tier, request.lost]).toEqual([tier, lost])
  })
})

describe('sampling', () => {
  it('is clamped to what is taken', () => {
    expect(build({ temperature: 1.7, topK: 5 }).body).toMatchObject({ temperature: 1, top_k: 5 })
  })

  it('is temperature or top_p from Claude 4 on, both before', () => {
    const both = { temperature: 0.5, topP: 0.9 }
    expect(build(both)).toMatchObject({ body: { temperature: 0.5 }, lost: ['topP'] })
    expect(build({ temperature: 0.5, topP: 1 }).lost).toEqual([])
    expect(build({ topP: 0.9 })).toMatchObject({ body: { top_p: 0.9 }, lost: [] })
    expect(build(both, 'claude-3-5-haiku-20241022')).toMatchObject({ body: { temperature: 0.5, top_p: 0.9 }, lost: [] })
  })

  it.each(['claude-opus-4-7', 'claude-opus-5', 'claude-sonnet-5', 'claude-fable-5'])(
    'is not for %s, which is told',
    (model) => {
      const { body, lost } = build({ temperature: 0, topP: 0.5, topK: 1 }, model)
      expect(lost).toEqual(['temperature', 'topK', 'topP'])
      expect(body).not.toHaveProperty('temperature')
      expect(build({ temperature: 1, topP: 1 }, model).lost).toEqual([])
    },
  )

  it('does not go with thinking', () => {
    const { body, lost } = build({ temperature: 0, ...effort('high') })
    expect(body).toMatchObject({ thinking: { type: 'enabled' } })
    expect(body).not.toHaveProperty('temperature')
    expect(lost).toEqual(['temperature'])
  })
})

describe('thinking', () => {
  it.each<[HubReasoning['effort'], number]>([
    ['minimal', 1_024],
    ['low', 2_048],
    ['medium', 10_000],
    ['high', 16_384],
    ['xhigh', 32_768],
  ])('has a budget up to Claude 4.5: %s is %s tokens', (one, budget_tokens) => {
    expect(build(effort(one)).body.thinking).toEqual({ type: 'enabled', budget_tokens })
  })

  it('has the budget that the client gives, of at least 1024 tokens, below what may be written', () => {
    expect(build(effort(null, { budgetTokens: 5_000 })).body.thinking).toEqual({
      type: 'enabled',
      budget_tokens: 5_000,
    })
    expect(build(effort(null, { budgetTokens: 100 })).body.thinking).toEqual({ type: 'enabled', budget_tokens: 1_024 })
    expect(build({ maxTokens: 4_000, ...effort('high') }).body.thinking).toEqual({
      type: 'enabled',
      budget_tokens: 3_999,
    })
    expect(build({ maxTokens: 1_000, ...effort('high') })).toMatchObject({ lost: ['reasoning'] })
  })

  it.each<[string, HubReasoning['effort'], string]>([
    ['claude-sonnet-4-6', 'minimal', 'low'],
    ['claude-sonnet-4-6', 'xhigh', 'max'],
    ['claude-opus-4-7', 'xhigh', 'xhigh'],
    ['claude-opus-5', 'max', 'max'],
    ['claude-sonnet-5', 'medium', 'medium'],
  ])('is adaptive from 4.6 on: %s with %s has the effort %s', (model, one, wanted) => {
    expect(build(effort(one), model).body).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: wanted },
    })
  })

  it('has an effort for a budget where there are no budgets', () => {
    expect(build(effort(null, { budgetTokens: 10_000 }), 'claude-opus-5').body.output_config).toEqual({
      effort: 'medium',
    })
  })

  it('is shown, unless the client does not want to see it', () => {
    expect(build(effort('low', { shown: false }), 'claude-opus-5').body.thinking).toEqual({
      type: 'adaptive',
      display: 'omitted',
    })
    expect(build(effort(null, { shown: true }), 'claude-opus-5').body.thinking).toEqual({
      type: 'adaptive',
      display: 'summarized',
    })
  })

  it('is not begun by one who only says that he does not want to see it', () => {
    for (const model of ['claude-haiku-4-5', 'claude-opus-5'])
      expect(build(effort(null, { shown: false }), model)).toEqual({
        body: expect.not.objectContaining({ thinking: expect.anything() }),
        lost: [],
      })
  })

  it('is off where the client says so', () => {
    expect(build(effort('none'), 'claude-opus-5').body.thinking).toEqual({ type: 'disabled' })
    expect(build(effort('none')).body).not.toHaveProperty('thinking')
    expect(build(effort(null, { budgetTokens: 0 })).body).not.toHaveProperty('thinking')
  })

  it('is told as lost where the model does not think', () => {
    expect(build(effort('high'), 'claude-3-5-haiku-20241022').lost).toEqual(['reasoning'])
    expect(build(effort('none'), 'claude-3-5-haiku-20241022').lost).toEqual([])
  })

  describe('at the results of tools', () => {
    const thought: HubPart = { type: 'reasoning', text: 'Hm', signature: 'S', sealedIn: 'anthropic-messages' }
    const call: HubPart = { type: 'tool_call', id: 'a', name: 'look', arguments: '{}' }
    const result: HubPart = { type: 'tool_result', id: 'a', parts: [say('1')] }
    const loop = (...parts: HubPart[]): HubMessage[] => [
      { role: 'user', parts: [say('Go')] },
      { role: 'assistant', parts },
      { role: 'user', parts: [result] },
    ]

    it('goes on where the client kept the thought with its seal', () => {
      expect(build({ messages: loop(thought, call), ...effort('high') }).lost).toEqual([])
    })

    it.each<[string, HubPart[]]>([
      ['no thought', [call]],
      ['a thought without a seal', [{ type: 'reasoning', text: 'Hm' }, call]],
      ['a thought with another’s seal', [{ ...thought, sealedIn: 'gemini' } as HubPart, call]],
    ])('is left out with %s, which a budget does not allow', (_, parts) => {
      const { body, lost } = build({ messages: loop(...parts), ...effort('high') })
      expect(lost).toEqual(['reasoning'])
      expect(body).not.toHaveProperty('thinking')
      const more = [...loop(...parts), { role: 'user' as const, parts: [say('Well?')] }]
      expect(build({ messages: more, ...effort('high') }).lost).toEqual(['reasoning'])
      expect(build({ messages: loop(...parts), ...effort('high') }, 'claude-opus-5').body.thinking).toBeDefined()
    })

    it('goes on in the next turn', () => {
      const messages: HubMessage[] = [
        ...loop(call),
        { role: 'assistant', parts: [say('Done')] },
        { role: 'user', parts: [say('More')] },
      ]
      expect(build({ messages, ...effort('high') }).lost).toEqual([])
    })

    it('goes with no answer that is begun', () => {
      const messages: HubMessage[] = [
        { role: 'user', parts: [say('Go')] },
        { role: 'assistant', parts: [say('{')] },
      ]
      expect(build({ messages, ...effort('high') }).lost).toEqual(['reasoning'])
    })
  })
})

describe('tools', () => {
  const toolsOf = (tools: HubTool[], more: Partial<HubRequest> = {}, model?: string) =>
    build({ tools, ...more }, model).body

  it('have a schema of an object, whatever they have', () => {
    const tools = [
      { ...TOOL, description: 'Looks' },
      { name: 'bare', parameters: null },
      { name: 'odd', parameters: { properties: { a: {} } } },
    ]
    expect(toolsOf(tools).tools).toEqual([
      { name: 'look', description: 'Looks', input_schema: { type: 'object', properties: {} } },
      { name: 'bare', input_schema: { type: 'object', properties: {} } },
      { name: 'odd', input_schema: { type: 'object', properties: { a: {} } } },
    ])
  })

  it('are strict where the model keeps to schemas, in what it keeps to', () => {
    const tool = {
      ...TOOL,
      parameters: { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } },
      strict: true,
    }
    expect(toolsOf([tool]).tools).toEqual([
      {
        name: 'look',
        strict: true,
        input_schema: {
          type: 'object',
          properties: { a: { type: 'integer', description: '(minimum: 1)' } },
          additionalProperties: false,
        },
      },
    ])
    expect(toolsOf([tool], {}, 'claude-3-haiku-20240307').tools).toEqual([
      { name: 'look', input_schema: tool.parameters },
    ])
  })

  it('may be cached up to', () => {
    expect(toolsOf([{ ...TOOL, cache: { ttl: '1h' } }]).tools).toMatchObject([
      { cache_control: { type: 'ephemeral', ttl: '1h' } },
    ])
  })

  it.each([
    [{ type: 'auto' as const }, { type: 'auto' }],
    [{ type: 'none' as const }, { type: 'none' }],
    [{ type: 'required' as const }, { type: 'any' }],
    [
      { type: 'tools' as const, names: ['look'], required: true },
      { type: 'tool', name: 'look' },
    ],
  ])('are chosen: %j', (toolChoice, choice) => {
    expect(toolsOf([TOOL], { toolChoice }).tool_choice).toEqual(choice)
  })

  it.each([
    [['a'], false, 'auto'],
    [['a', 'b'], false, 'auto'],
    [['a', 'b'], true, 'any'],
  ])('are left out where the choice does not name them (%j, %s)', (names, required, type) => {
    const tools = ['a', 'b', 'c'].map((name) => ({ ...TOOL, name }))
    const body = toolsOf(tools, { toolChoice: { type: 'tools', names, required } })
    expect((body.tools as HubTool[]).map(({ name }) => name)).toEqual(names)
    expect(body.tool_choice).toEqual({ type })
  })

  it('are called one by one when they must be, for which there is a place in the choice alone', () => {
    const parallelToolCalls = false
    expect(toolsOf([TOOL], { parallelToolCalls }).tool_choice).toEqual({
      type: 'auto',
      disable_parallel_tool_use: true,
    })
    expect(toolsOf([TOOL], { parallelToolCalls, toolChoice: { type: 'required' } }).tool_choice).toEqual({
      type: 'any',
      disable_parallel_tool_use: true,
    })
    expect(toolsOf([TOOL], { parallelToolCalls, toolChoice: { type: 'none' } }).tool_choice).toEqual({ type: 'none' })
    expect(toolsOf([TOOL], { parallelToolCalls: true })).not.toHaveProperty('tool_choice')
    expect(toolsOf([], { parallelToolCalls })).not.toHaveProperty('tool_choice')
  })

  it.each(['claude-fable-5', 'claude-mythos-5'])('are forced on %s in vain, which is told', (model) => {
    const request = { tools: [TOOL], toolChoice: { type: 'required' as const } }
    expect(build(request, model)).toMatchObject({ body: { tool_choice: { type: 'auto' } }, lost: ['toolChoice'] })
  })

  it('that are forced leave no room for thinking with a budget, but for adaptive thinking', () => {
    const request = { tools: [TOOL], toolChoice: { type: 'required' as const }, ...effort('high') }
    expect(build(request)).toMatchObject({ body: { tool_choice: { type: 'any' } }, lost: ['reasoning'] })
    expect(build(request, 'claude-opus-5')).toMatchObject({ body: { thinking: { type: 'adaptive' } }, lost: [] })
  })

  it('are not chosen where there are none', () => {
    expect(build({ toolChoice: { type: 'auto' } })).toEqual({
      body: expect.not.objectContaining({ tool_choice: expect.anything() }),
      lost: [],
    })
    expect(build({ toolChoice: { type: 'required' } }).lost).toEqual(['toolChoice'])
  })
})

describe('the format of an answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'string', maxLength: 3 } }, required: ['a'] }
  const format: HubFormat = { type: 'schema', name: 'n', schema, strict: true }

  it('is a schema, of what is enforced', () => {
    expect(build({ format })).toMatchObject({
      body: {
        output_config: {
          format: {
            type: 'json_schema',
            schema: {
              type: 'object',
              properties: { a: { type: 'string', description: '(maxLength: 3)' } },
              required: ['a'],
              additionalProperties: false,
            },
          },
        },
      },
      lost: [],
    })
  })

  it('stands beside an effort', () => {
    expect(build({ format, ...effort('low') }, 'claude-opus-5').body.output_config).toMatchObject({
      effort: 'low',
      format: { type: 'json_schema' },
    })
  })

  it.each<[string, HubFormat, string]>([
    ['claude-3-haiku-20240307', format, JSON.stringify(schema)],
    ['claude-opus-5', { type: 'json' }, 'JSON object'],
  ])('is told in words where there is no other way (%s), which is told', (model, wanted, words) => {
    const { body, lost } = build(
      {
        format: wanted,
        messages: [
          { role: 'system', parts: [say('A')] },
          { role: 'user', parts: [say('B')] },
        ],
      },
      model,
    )
    expect(body.system).toMatch(/^A\n/)
    expect(body.system).toContain(words)
    expect(lost).toEqual(['format'])
  })

  it('is text', () => {
    expect(build({ format: { type: 'text' } })).toEqual(build({}))
  })
})
