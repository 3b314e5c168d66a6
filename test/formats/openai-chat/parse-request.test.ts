import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubMessage } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { hubRequest, PLACE, refusalOf } from '../samples.ts'

const HELLO = [{ role: 'user', content: 'Hello' }]
const parse = (body: Json) => openaiChat.parseRequest({ model: 'm', messages: HELLO, ...body }, PLACE)
const refusal = (body: Json) => refusalOf(openaiChat, { model: 'm', messages: HELLO, ...body })
const messagesOf = (...messages: Json[]): HubMessage[] => parse({ messages }).messages
const partsOf = (content: unknown) => messagesOf({ role: 'user', content })[0]!.parts
const refusedPart = (content: unknown) => refusal({ messages: [{ role: 'user', content }] }).param

describe('a chat request', () => {
  it('that says little says nothing more', () => {
    expect(parse({})).toEqual(hubRequest({ model: 'm', streamUsage: false }))
  })

  it('is understood field by field', () => {
    const body = {
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: ['a', 'b'],
      seed: 7,
      n: 2,
      presence_penalty: -1,
      frequency_penalty: 1,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { 50256: -100 },
      user: 'alice',
      metadata: { team: 'a' },
      service_tier: 'flex',
      parallel_tool_calls: false,
    }
    expect(parse(body)).toEqual(
      hubRequest({
        model: 'm',
        stream: true,
        streamUsage: true,
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        stop: ['a', 'b'],
        seed: 7,
        candidates: 2,
        presencePenalty: -1,
        frequencyPenalty: 1,
        logprobs: 3,
        logitBias: { 50256: -100 },
        user: 'alice',
        metadata: { team: 'a' },
        serviceTier: 'flex',
        parallelToolCalls: false,
      }),
    )
  })

  it('takes null for what is left out, as SDKs send it', () => {
    const names =
      'stream tools tool_choice max_tokens max_completion_tokens temperature top_p stop seed n logprobs top_logprobs logit_bias ' +
      'response_format reasoning_effort reasoning thinking user metadata service_tier stream_options functions function_call store'
    expect(parse(Object.fromEntries(names.split(' ').map((name) => [name, null])))).toEqual(
      hubRequest({ model: 'm', streamUsage: false }),
    )
  })

  it('prefers the newer name of a field', () => {
    expect(parse({ max_tokens: 1, max_completion_tokens: 2 }).maxTokens).toBe(2)
    expect(parse({ user: 'a', safety_identifier: 'b' }).user).toBe('b')
  })

  it('takes one stop for a list of one, and wants no alternatives of tokens unless it says so', () => {
    expect(parse({ stop: 'END' }).stop).toEqual(['END'])
    expect(parse({ logprobs: true }).logprobs).toBe(0)
    expect(parse({ logprobs: false, top_logprobs: 3 }).logprobs).toBeNull()
  })

  it('names what it has no place for, and not what asks for nothing', () => {
    const body = {
      prediction: {},
      verbosity: 'low',
      store: true,
      modalities: ['text', 'audio'],
      audio: { voice: 'a' },
      web_search_options: {},
      min_p: 0.1,
    }
    expect(parse(body).unknown.sort()).toEqual(Object.keys(body).sort())
    const idle = { store: false, modalities: ['text'], prompt_cache_key: 'a', prompt_cache_retention: '24h', usage: {} }
    expect(parse(idle).unknown).toEqual([])
  })

  it.each<[string, Json, string]>([
    ['no model', { model: undefined }, 'model'],
    ['no messages', { messages: undefined }, 'messages'],
    ['messages that are none', { messages: 'Hello' }, 'messages'],
    ['a message that is none', { messages: ['Hello'] }, 'messages[0]'],
    ['a message of nobody', { messages: [{ content: 'Hello' }] }, 'messages[0].role'],
    ['a message of somebody else', { messages: [{ role: 'robot', content: '' }] }, 'messages[0].role'],
    ['a function message', { messages: [{ role: 'function', name: 'f', content: '' }] }, 'messages[0].role'],
    ['functions', { functions: [] }, 'functions'],
    ['a function call', { function_call: 'auto' }, 'function_call'],
    ['a number in words', { temperature: 'hot' }, 'temperature'],
    ['a number that is none', { max_tokens: 1.5 }, 'max_tokens'],
    ['a switch in words', { stream: 'true' }, 'stream'],
    ['stops of another kind', { stop: [1] }, 'stop[0]'],
    ['options that are none', { stream_options: 'usage' }, 'stream_options'],
    ['usage in words', { stream_options: { include_usage: 'yes' } }, 'stream_options.include_usage'],
    ['bias that is no number', { logit_bias: { 1: 'no' } }, 'logit_bias.1'],
    ['metadata that is no text', { metadata: { a: 1 } }, 'metadata.a'],
    ['a tool of another kind', { tools: [{ type: 'custom', custom: { name: 'c' } }] }, 'tools[0].type'],
    ['a tool without a name', { tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    ['a choice of another kind', { tool_choice: { type: 'custom' } }, 'tool_choice'],
    ['a choice of nothing', { tool_choice: { type: 'function' } }, 'tool_choice.function.name'],
    ['a format of another kind', { response_format: { type: 'xml' } }, 'response_format.type'],
    ['a schema that is left out', { response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    ['an effort that nobody knows', { reasoning_effort: 'huge' }, 'reasoning_effort'],
    ['an effort that nobody knows, elsewhere', { reasoning: { effort: 'huge' } }, 'reasoning.effort'],
  ])('is refused with %s, by name', (_, body, param) => {
    const { param: told, message } = refusal(body)
    expect(told).toBe(param)
    expect(message).toContain(`\`${param}\``)
  })
})

describe('messages of a chat request', () => {
  it('keep their order, with instructions anywhere', () => {
    const messages = messagesOf(
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'A' },
      { role: 'assistant', content: 'B' },
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'C', name: 'Carol' },
    )
    expect(messages.map(({ role }) => role)).toEqual(['developer', 'user', 'assistant', 'system', 'user'])
    expect(messages[4]).toEqual({ role: 'user', parts: [{ type: 'text', text: 'C' }], name: 'Carol' })
  })

  it('may say nothing', () => {
    expect(
      messagesOf({ role: 'user', content: '' }, { role: 'assistant' }, { role: 'assistant', content: null }),
    ).toEqual([
      { role: 'user', parts: [] },
      { role: 'assistant', parts: [] },
      { role: 'assistant', parts: [] },
    ])
  })

  it('show pictures, by their address or with their bytes', () => {
    const parts = partsOf([
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: 'https://e.com/a.png', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'image_url', image_url: 'https://e.com/b.png' },
    ])
    expect(parts).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image', source: { kind: 'url', url: 'https://e.com/a.png' }, detail: 'low' },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { type: 'image', source: { kind: 'url', url: 'https://e.com/b.png' } },
    ])
  })

  it('give files and sounds', () => {
    const parts = partsOf([
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
      { type: 'file', file: { file_data: 'AAAA' } },
      { type: 'file', file: { file_id: 'file-1' } },
      { type: 'file', file: { file_data: 'https://e.com/a.pdf' } },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    ])
    expect(parts).toEqual([
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' }, name: 'a.pdf' },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' } },
      { type: 'file', source: { kind: 'file_id', id: 'file-1' } },
      { type: 'file', source: { kind: 'url', url: 'https://e.com/a.pdf' } },
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'AAAA' } },
    ])
  })

  it('mark where a prompt may be cached up to', () => {
    const cached = { type: 'text', text: 'A', cache_control: { type: 'ephemeral', ttl: '1h' } }
    expect(partsOf([cached])).toEqual([{ type: 'text', text: 'A', cache: { ttl: '1h' } }])
    expect(partsOf([{ ...cached, cache_control: { type: 'ephemeral' } }])).toMatchObject([{ cache: { ttl: null } }])
  })

  it.each<[string, unknown, string]>([
    ['a number', 1, 'messages[0].content'],
    ['an object', {}, 'messages[0].content'],
    ['a part that is none', ['a'], 'messages[0].content[0]'],
    ['a part of another kind', [{ type: 'video' }], 'messages[0].content[0].type'],
    ['a text without text', [{ type: 'text' }], 'messages[0].content[0].text'],
    ['a picture without one', [{ type: 'image_url' }], 'messages[0].content[0].image_url'],
    ['a picture of nowhere', [{ type: 'image_url', image_url: {} }], 'messages[0].content[0].image_url.url'],
    ['a file without one', [{ type: 'file' }], 'messages[0].content[0].file'],
    ['a file of nothing', [{ type: 'file', file: {} }], 'messages[0].content[0].file.file_data'],
    [
      'a sound of no kind',
      [{ type: 'input_audio', input_audio: { data: '' } }],
      'messages[0].content[0].input_audio.format',
    ],
  ])('are refused with %s', (_, content, param) => {
    expect(refusedPart(content)).toBe(param)
  })
})

describe('what an assistant said in a chat request', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }

  it('is text, then a refusal, then calls', () => {
    const message = { role: 'assistant', content: 'Wait', refusal: 'No', tool_calls: [call] }
    expect(messagesOf(message)[0]!.parts).toEqual([
      { type: 'text', text: 'Wait' },
      { type: 'refusal', text: 'No' },
      { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{"at":1}' },
    ])
  })

  it('keeps arguments as they were written, broken ones too', () => {
    const broken = { ...call, function: { name: 'look', arguments: '{"at":' } }
    expect(messagesOf({ role: 'assistant', tool_calls: [broken] })[0]!.parts).toMatchObject([{ arguments: '{"at":' }])
  })

  it('has results in messages of their own, which are the user’s', () => {
    const [, result] = messagesOf(
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'Here' }], name: 'look' },
    )
    expect(result).toEqual({
      role: 'user',
      parts: [{ type: 'tool_result', id: 'call_1', name: 'look', parts: [{ type: 'text', text: 'Here' }] }],
    })
  })

  it.each([
    ['reasoning_content', { reasoning_content: 'Hm' }],
    ['reasoning', { reasoning: 'Hm' }],
    ['reasoning_details', { reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }] }],
    ['summaries', { reasoning_details: [{ type: 'reasoning.summary', summary: 'Hm' }] }],
    ['parts of thinking', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }],
  ])('was thought before, by %s', (_, message) => {
    expect(messagesOf({ role: 'assistant', ...message })[0]!.parts).toEqual([{ type: 'reasoning', text: 'Hm' }])
  })

  it.each<[string, Json, string]>([
    ['a function call', { function_call: { name: 'f', arguments: '' } }, 'messages[0].function_call'],
    ['a call of another kind', { tool_calls: [{ id: 'a', type: 'custom' }] }, 'messages[0].tool_calls[0]'],
    ['a call without an id', { tool_calls: [{ ...call, id: undefined }] }, 'messages[0].tool_calls[0].id'],
    ['a call of nothing', { tool_calls: [{ ...call, function: {} }] }, 'messages[0].tool_calls[0].function.name'],
    [
      'arguments that are no text',
      { tool_calls: [{ ...call, function: { name: 'f', arguments: {} } }] },
      'messages[0].tool_calls[0].function.arguments',
    ],
  ])('is refused with %s', (_, message, param) => {
    expect(refusal({ messages: [{ role: 'assistant', ...message }] }).param).toBe(param)
  })

  it('is told as lost where it was spoken', () => {
    expect(parse({ messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }).unknown).toEqual(['messages.audio'])
  })

  describe('with seals', () => {
    const thoughts = (message: Json) => messagesOf({ role: 'assistant', ...message })[0]!.parts
    const text = { type: 'reasoning.text', text: 'Hm', signature: 'S', format: 'anthropic-claude-v1', index: 0 }

    it('has them where the client kept them', () => {
      expect(thoughts({ reasoning_content: 'Hm', reasoning_details: [text] })).toEqual([
        { type: 'reasoning', text: 'Hm', signature: 'S', sealedIn: 'anthropic-messages' },
      ])
    })

    it('has them on the whole thought, also where the client kept the pieces of a stream', () => {
      const pieces = [
        { ...text, text: 'Let', signature: undefined },
        { ...text, text: ' me', signature: undefined },
        { type: 'reasoning.text', signature: 'S', format: 'anthropic-claude-v1', index: 0 },
        { ...text, text: 'Next', index: 1 },
      ]
      expect(thoughts({ reasoning_details: pieces })).toEqual([
        { type: 'reasoning', text: 'Let me', signature: 'S', sealedIn: 'anthropic-messages' },
        { type: 'reasoning', text: 'Next', signature: 'S', sealedIn: 'anthropic-messages' },
      ])
    })

    it('finds the text of those that came behind it', () => {
      const spans = [
        { ...text, text: '', start: 0, end: 3 },
        { ...text, text: '', signature: 'T', start: 3, end: 6, index: 1 },
      ]
      expect(thoughts({ reasoning_content: 'abcdef', reasoning_details: spans })).toMatchObject([
        { text: 'abc', signature: 'S' },
        { text: 'def', signature: 'T' },
      ])
    })

    it.each([['def'], [''], [undefined]])('has none where only the end of the text was kept (%s)', (kept) => {
      const spans = [{ ...text, text: '', start: 0, end: 6 }]
      expect(thoughts({ reasoning_content: kept, reasoning_details: spans })).toEqual(
        kept ? [{ type: 'reasoning', text: kept }] : [],
      )
    })

    it('has them where nothing was shown', () => {
      expect(thoughts({ reasoning_details: [{ ...text, text: '', start: 0, end: 0 }] })).toMatchObject([
        { text: '', signature: 'S' },
      ])
    })

    it('has those of calls on the calls, and the others as thoughts nobody can read', () => {
      const details = [
        { type: 'reasoning.encrypted', data: 'C', id: 'call_1', format: 'google-gemini-v1' },
        { type: 'reasoning.encrypted', data: 'R', id: 'rs_1' },
        { type: 'reasoning.encrypted', data: 'Q' },
      ]
      expect(thoughts({ reasoning_details: details, tool_calls: [call] })).toEqual([
        { type: 'reasoning', text: '', redacted: 'R', id: 'rs_1', sealedIn: 'openai-chat' },
        { type: 'reasoning', text: '', redacted: 'Q', sealedIn: 'openai-chat' },
        { type: 'tool_call', id: 'call_1', name: 'look', arguments: '{"at":1}', signature: 'C', sealedIn: 'gemini' },
      ])
    })
  })
})

describe('tools of a chat request', () => {
  it('are functions', () => {
    const tool = { name: 'look', description: 'Looks', parameters: { type: 'object' }, strict: true }
    expect(parse({ tools: [{ type: 'function', function: tool }, { function: { name: 'bare' } }] }).tools).toEqual([
      tool,
      { name: 'bare', parameters: null },
    ])
  })

  it.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    ['any', { type: 'required' }],
    [
      { type: 'function', function: { name: 'a' } },
      { type: 'tools', names: ['a'], required: true },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'a' } }] },
      },
      { type: 'tools', names: ['a'], required: false },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [] } },
      { type: 'tools', names: [], required: true },
    ],
  ])('are chosen by %j', (tool_choice, choice) => {
    expect(parse({ tool_choice }).toolChoice).toEqual(choice)
  })

  it('and formats of the answer', () => {
    expect(parse({ response_format: { type: 'text' } }).format).toEqual({ type: 'text' })
    expect(parse({ response_format: { type: 'json_object' } }).format).toEqual({ type: 'json' })
    const json_schema = { name: 'n', schema: { type: 'object' }, strict: true, description: 'd' }
    expect(parse({ response_format: { type: 'json_schema', json_schema } }).format).toEqual({
      type: 'schema',
      ...json_schema,
    })
  })
})

describe('how a chat request asks for reasoning', () => {
  it.each<[Json, unknown]>([
    [{ reasoning_effort: 'high' }, { effort: 'high', budgetTokens: null, shown: null }],
    [{ reasoning: { effort: 'low', exclude: true } }, { effort: 'low', budgetTokens: null, shown: false }],
    [{ reasoning: { max_tokens: 2000, exclude: false } }, { effort: null, budgetTokens: 2000, shown: true }],
    [{ reasoning: { enabled: true } }, { effort: 'medium', budgetTokens: null, shown: null }],
    [{ reasoning: { enabled: false } }, { effort: 'none', budgetTokens: null, shown: null }],
    [{ thinking: { type: 'enabled', budget_tokens: 2000 } }, { effort: null, budgetTokens: 2000, shown: null }],
    [{ thinking: { type: 'enabled' } }, { effort: 'medium', budgetTokens: null, shown: null }],
    [{ thinking: { type: 'disabled' } }, { effort: 'none', budgetTokens: null, shown: null }],
    [{ reasoning: {} }, null],
    [{}, null],
  ])('%j', (body, reasoning) => {
    expect(parse(body).reasoning).toEqual(reasoning)
  })
})
