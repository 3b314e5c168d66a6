import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { Json } from '../../../src/formats/dialect.ts'
import { hubRequest, PLACE, refusalOf, say } from '../samples.ts'

const HELLO = [{ role: 'user', content: 'Hello' }]
const BASE = { model: 'm', max_tokens: 10, messages: HELLO }
const parse = (body: Json) => anthropicMessages.parseRequest({ ...BASE, ...body }, PLACE)
const refusal = (body: Json) => refusalOf(anthropicMessages, { ...BASE, ...body })
const blocks = (content: unknown, role = 'user') => parse({ messages: [{ role, content }] })
const partsOf = (content: unknown, role?: string) => blocks(content, role).messages[0]!.parts

describe('a messages request', () => {
  it('that says little says nothing more', () => {
    expect(parse({})).toEqual(hubRequest({ model: 'm', maxTokens: 10 }))
  })

  it('is understood field by field', () => {
    const body = {
      stream: true,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['a'],
      metadata: { user_id: 'alice' },
      service_tier: 'standard_only',
      cache_control: { type: 'ephemeral' },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
    }
    expect(parse(body)).toEqual(
      hubRequest({
        model: 'm',
        stream: true,
        maxTokens: 10,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        stop: ['a'],
        user: 'alice',
        serviceTier: 'default',
        format: { type: 'schema', name: 'answer', schema: { type: 'object' }, strict: true },
        reasoning: { effort: 'high', budgetTokens: null, shown: null },
      }),
    )
  })

  it('takes the first name of a format too', () => {
    expect(parse({ output_format: { type: 'json_schema', schema: {} } }).format).toMatchObject({ type: 'schema' })
  })

  it('names what nobody else has', () => {
    const body = { context_management: {}, mcp_servers: [], container: 'c', betas: ['b'], inference_geo: 'us' }
    expect(parse(body).unknown).toEqual(Object.keys(body))
  })

  it.each<[string, Json, string]>([
    ['no model', { model: undefined }, 'model'],
    ['no messages', { messages: undefined }, 'messages'],
    ['no bound', { max_tokens: undefined }, 'max_tokens'],
    ['a bound that is none', { max_tokens: '10' }, 'max_tokens'],
    ['instructions of another kind', { system: { text: 'A' } }, 'system'],
    ['an instruction without text', { system: [{ type: 'text' }] }, 'system[0].text'],
    ['a message of somebody else', { messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    ['a message without content', { messages: [{ role: 'user' }] }, 'messages[0].content'],
    ['content of another kind', { messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    ['a block that is none', { messages: [{ role: 'user', content: ['A'] }] }, 'messages[0].content[0]'],
    ['a block of no kind', { messages: [{ role: 'user', content: [{}] }] }, 'messages[0].content[0].type'],
    [
      'a text without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text',
    ],
    [
      'a picture of nowhere',
      { messages: [{ role: 'user', content: [{ type: 'image' }] }] },
      'messages[0].content[0].source',
    ],
    [
      'a picture of another kind',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'gs' } }] }] },
      'messages[0].content[0].source.type',
    ],
    ['a tool without a name', { tools: [{ input_schema: {} }] }, 'tools[0].name'],
    ['a choice of another kind', { tool_choice: { type: 'all' } }, 'tool_choice.type'],
    ['a choice of nothing', { tool_choice: { type: 'tool' } }, 'tool_choice.name'],
    ['a format of another kind', { output_config: { format: { type: 'xml' } } }, 'output_config.format.type'],
    ['an effort that nobody knows', { output_config: { effort: 'huge' } }, 'output_config.effort'],
    ['thinking of another kind', { thinking: { type: 'deep' } }, 'thinking.type'],
  ])('is refused with %s, by name', (_, body, param) => {
    expect(refusal(body).param).toBe(param)
  })
})

describe('instructions of a messages request', () => {
  it.each([
    ['Be brief.', [{ role: 'system', parts: [say('Be brief.')] }]],
    ['', []],
    [[], []],
    [
      [
        { type: 'text', text: 'A' },
        { type: 'text', text: 'B', cache_control: { type: 'ephemeral', ttl: '1h' } },
      ],
      [{ role: 'system', parts: [say('A'), { ...say('B'), cache: { ttl: '1h' } }] }],
    ],
  ])('come first: %j', (system, messages) => {
    expect(parse({ system }).messages.slice(0, -1)).toEqual(messages)
  })

  it('may stand in the midst of the conversation', () => {
    const messages = [...HELLO, { role: 'system', content: 'Be kind.' }]
    expect(parse({ messages }).messages.map(({ role }) => role)).toEqual(['user', 'system'])
  })
})

describe('blocks of a messages request', () => {
  it('are text, pictures and documents', () => {
    const content = [
      { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      { type: 'image', source: { type: 'url', url: 'https://e.com/a.png' } },
      { type: 'image', source: { type: 'file', file_id: 'file_1' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, title: 'a.pdf' },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Note' } },
      { type: 'document', source: { type: 'url', url: 'https://e.com/a.pdf' } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'B' }] } },
    ]
    expect(partsOf(content)).toEqual([
      { ...say('A'), cache: { ttl: null } },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { type: 'image', source: { kind: 'url', url: 'https://e.com/a.png' } },
      { type: 'image', source: { kind: 'file_id', id: 'file_1' } },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' }, name: 'a.pdf' },
      { type: 'file', source: { kind: 'text', text: 'Note' } },
      { type: 'file', source: { kind: 'url', url: 'https://e.com/a.pdf' } },
      say('B'),
    ])
  })

  it('are results of a search, as text, whose end is what may be cached up to', () => {
    const found = { type: 'search_result', title: 'E', source: 'https://e.com', content: [{ type: 'text', text: 'A' }] }
    expect(partsOf([{ ...found, cache_control: { type: 'ephemeral' } }])).toEqual([
      say('E, https://e.com'),
      { ...say('A'), cache: { ttl: null } },
    ])
  })

  it('are calls and their results', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { a: 1 } }
    expect(partsOf([call, { ...call, input: undefined }], 'assistant')).toEqual([
      { type: 'tool_call', id: 'toolu_1', name: 'look', arguments: '{"a":1}' },
      { type: 'tool_call', id: 'toolu_1', name: 'look', arguments: '{}' },
    ])
    const picture = { type: 'image', source: { type: 'url', url: 'https://e.com' } }
    const results = [
      { type: 'tool_result', tool_use_id: 'toolu_1', content: 'A' },
      { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'B' }, picture], is_error: true },
      { type: 'tool_result', tool_use_id: 'toolu_3' },
    ]
    expect(partsOf(results)).toEqual([
      { type: 'tool_result', id: 'toolu_1', parts: [say('A')] },
      {
        type: 'tool_result',
        id: 'toolu_2',
        parts: [say('B'), { type: 'image', source: { kind: 'url', url: 'https://e.com' } }],
        isError: true,
      },
      { type: 'tool_result', id: 'toolu_3', parts: [] },
    ])
  })

  it('are thoughts, sealed by whom they were', () => {
    const content = [
      { type: 'thinking', thinking: 'A', signature: 'S' },
      { type: 'thinking', thinking: 'B', signature: '' },
      { type: 'thinking', thinking: 'C', signature: 'gemini:T' },
      { type: 'redacted_thinking', data: 'R' },
    ]
    expect(partsOf(content, 'assistant')).toEqual([
      { type: 'reasoning', text: 'A', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: 'B' },
      { type: 'reasoning', text: 'C', signature: 'T', sealedIn: 'gemini' },
      { type: 'reasoning', text: '', redacted: 'R', sealedIn: 'anthropic-messages' },
    ])
  })

  it('are named, once each, where they are of the provider’s own tools', () => {
    const content = [
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
      { type: 'server_tool_use', id: 't', name: 'web_search', input: {} },
      { type: 'text', text: 'A' },
    ]
    const request = blocks(content, 'assistant')
    expect(request.messages[0]!.parts).toEqual([say('A')])
    expect(request.unknown).toEqual(['messages.server_tool_use', 'messages.web_search_tool_result'])
  })

  it('are documents whose citations and context nobody else has, which is named', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'A' }
    const cited = { type: 'document', source, citations: { enabled: true }, context: 'Old' }
    expect(blocks([cited, cited]).unknown).toEqual(['messages.document.citations', 'messages.document.context'])
    expect(blocks([{ type: 'document', source, citations: { enabled: false } }]).unknown).toEqual([])
  })
})

describe('tools of a messages request', () => {
  it('are functions; those of the provider’s own are named', () => {
    const tools = [
      {
        name: 'look',
        description: 'Looks',
        input_schema: { type: 'object' },
        strict: true,
        cache_control: { type: 'ephemeral' },
      },
      { type: 'custom', name: 'bare' },
      { type: 'web_search_20260318', name: 'web_search' },
    ]
    const request = parse({ tools })
    expect(request.tools).toEqual([
      { name: 'look', description: 'Looks', parameters: { type: 'object' }, strict: true, cache: { ttl: null } },
      { name: 'bare', parameters: null },
    ])
    expect(request.unknown).toEqual(['tools.web_search_20260318'])
  })

  it.each<[Json, unknown, boolean | null]>([
    [{ type: 'auto' }, { type: 'auto' }, null],
    [{ type: 'auto', disable_parallel_tool_use: true }, { type: 'auto' }, false],
    [{ type: 'none' }, { type: 'none' }, null],
    [{ type: 'any', disable_parallel_tool_use: false }, { type: 'required' }, null],
    [{ type: 'tool', name: 'a' }, { type: 'tools', names: ['a'], required: true }, null],
  ])('are chosen by %j', (tool_choice, choice, parallel) => {
    expect(parse({ tool_choice })).toMatchObject({ toolChoice: choice, parallelToolCalls: parallel })
  })
})

describe('a messages request that goes on with what the provider keeps', () => {
  it.each([{ type: 'create' }, { type: 'continue', previous_message_id: 'msg_1' }])(
    'is refused (%j), in the words at which the SDK sends all of it',
    (thread) => {
      const details = { error_code: 'thread_unsupported_request', unsupported: ['model'] }
      const refusal = expect.objectContaining({ code: 'unsupported_parameter', param: 'thread', details })
      expect(() => parse({ thread })).toThrow(refusal)
    },
  )

  it('is read without one', () => {
    expect(parse({ thread: null }).unknown).toEqual([])
  })
})

describe('how a messages request asks for reasoning', () => {
  it.each<[Json, unknown]>([
    [{}, null],
    [{ thinking: { type: 'disabled' } }, { effort: 'none', budgetTokens: null, shown: null }],
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { effort: null, budgetTokens: 2048, shown: true }],
    [{ thinking: { type: 'adaptive' } }, { effort: null, budgetTokens: null, shown: true }],
    [
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } },
      { effort: 'max', budgetTokens: null, shown: false },
    ],
    [{ output_config: { effort: 'low' } }, { effort: 'low', budgetTokens: null, shown: null }],
  ])('%j', (body, reasoning) => {
    expect(parse(body).reasoning).toEqual(reasoning)
  })
})
