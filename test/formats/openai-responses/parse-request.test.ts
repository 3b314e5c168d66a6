import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubMessage } from '../../../src/formats/hub.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'

const read = (body: Json) =>
  openaiResponses.parseRequest({ model: 'm', input: 'Hi', ...body }, { model: null, stream: null })
const messagesOf = (input: unknown): HubMessage[] => read({ input }).messages

describe('a request of the Responses API', () => {
  it('may be no more than a text', () => {
    expect(read({ input: 'Hi' })).toMatchObject({
      model: 'm',
      stream: false,
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
      tools: [],
      toolChoice: null,
      maxTokens: null,
      reasoning: null,
      format: null,
      unknown: [],
    })
  })

  it('has its instructions first', () => {
    const { messages } = read({ instructions: 'Be kind.', input: [{ role: 'developer', content: 'Be brief.' }] })
    expect(messages).toEqual([
      { role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'developer', parts: [{ type: 'text', text: 'Be brief.' }] },
    ])
  })

  it('may spell its messages with and without a type, with texts and with parts', () => {
    const said = [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }]
    expect(messagesOf([{ role: 'user', content: 'Hi' }])).toEqual(said)
    expect(messagesOf([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }])).toEqual(said)
    expect(messagesOf([{ type: 'message', id: 'msg_1', status: 'completed', role: 'user', content: 'Hi' }])).toEqual(
      said,
    )
  })

  it('shows pictures by address, as bytes and by the id of a file', () => {
    const content = [
      { type: 'input_image', image_url: 'https://a.example/cat.png', detail: 'low' },
      { type: 'input_image', image_url: 'data:image/png;base64,QUJD' },
      { type: 'input_image', file_id: 'file-1', image_url: null },
    ]
    expect(messagesOf([{ role: 'user', content }])[0]!.parts).toEqual([
      { type: 'image', source: { kind: 'url', url: 'https://a.example/cat.png' }, detail: 'low' },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } },
      { type: 'image', source: { kind: 'file_id', id: 'file-1' } },
    ])
  })

  it('brings files by address, as bytes and by id, and sound', () => {
    const content = [
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,QUJD' },
      { type: 'input_file', file_data: 'QUJD' },
      { type: 'input_file', file_url: 'https://a.example/a.pdf' },
      { type: 'input_file', file_id: 'file-1' },
      { type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } },
    ]
    expect(messagesOf([{ role: 'user', content }])[0]!.parts).toEqual([
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' }, name: 'a.pdf' },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' } },
      { type: 'file', source: { kind: 'url', url: 'https://a.example/a.pdf' } },
      { type: 'file', source: { kind: 'file_id', id: 'file-1' } },
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'QUJD' } },
    ])
  })

  it('marks where a prompt may be cached', () => {
    const content = [{ type: 'input_text', text: 'Long', prompt_cache_breakpoint: { mode: 'explicit' } }]
    expect(messagesOf([{ role: 'user', content }])[0]!.parts).toEqual([
      { type: 'text', text: 'Long', cache: { ttl: null } },
    ])
  })

  it('keeps the items of one turn together, in their order, and the outputs of its calls', () => {
    const messages = messagesOf([
      { role: 'user', content: 'Weather in Rome and Oslo?' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Two calls.' }],
        encrypted_content: 'S1',
      },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: 'Let me look.', annotations: [], logprobs: [] },
          { type: 'refusal', refusal: 'Not Paris.' },
        ],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'Sun' },
      {
        type: 'function_call_output',
        call_id: 'call_2',
        output: [
          { type: 'input_text', text: 'Snow' },
          { type: 'input_image', image_url: 'https://a.example/snow.png' },
        ],
      },
      { role: 'assistant', content: 'Sun and snow.' },
    ])
    expect(messages).toEqual([
      { role: 'user', parts: [{ type: 'text', text: 'Weather in Rome and Oslo?' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', id: 'rs_1', text: 'Two calls.', signature: 'S1', sealedIn: 'openai-responses' },
          { type: 'text', text: 'Let me look.' },
          { type: 'refusal', text: 'Not Paris.' },
          { type: 'tool_call', id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
          { type: 'tool_call', id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'tool_result', id: 'call_1', parts: [{ type: 'text', text: 'Sun' }] },
          {
            type: 'tool_result',
            id: 'call_2',
            parts: [
              { type: 'text', text: 'Snow' },
              { type: 'image', source: { kind: 'url', url: 'https://a.example/snow.png' } },
            ],
          },
        ],
      },
      { role: 'assistant', parts: [{ type: 'text', text: 'Sun and snow.' }] },
    ])
  })

  it('brings thoughts as a summary of several parts, or as they are, or only sealed', () => {
    const [{ parts }] = messagesOf([
      { type: 'reasoning', summary: [{ text: 'One.' }, { text: 'Two.' }] },
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'S1' },
      { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: null },
    ]) as [HubMessage]
    expect(parts).toEqual([
      { type: 'reasoning', text: 'One.\n\nTwo.' },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'reasoning', id: 'rs_1', text: '', signature: 'S1', sealedIn: 'openai-responses' },
    ])
  })

  it('declares functions flat, and says which of them to call', () => {
    const parameters = { type: 'object', properties: {} }
    const tools = [
      { type: 'function', name: 'a', description: 'A', parameters, strict: true },
      { type: 'function', name: 'b', parameters: null },
    ]
    const choose = (tool_choice: unknown) => read({ tools, tool_choice }).toolChoice
    expect(read({ tools, parallel_tool_calls: false })).toMatchObject({
      tools: [
        { name: 'a', description: 'A', parameters, strict: true },
        { name: 'b', parameters: null },
      ],
      parallelToolCalls: false,
    })
    expect(choose('auto')).toEqual({ type: 'auto' })
    expect(choose('none')).toEqual({ type: 'none' })
    expect(choose('required')).toEqual({ type: 'required' })
    expect(choose({ type: 'function', name: 'a' })).toEqual({ type: 'tools', names: ['a'], required: true })
    const allowed = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'b' }] }
    expect(choose(allowed)).toEqual({ type: 'tools', names: ['b'], required: false })
    expect(choose({ ...allowed, mode: 'required' })).toEqual({ type: 'tools', names: ['b'], required: true })
  })

  it('says how to answer', () => {
    expect(
      read({
        stream: true,
        max_output_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        top_logprobs: 2,
        include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
        reasoning: { effort: 'high', summary: 'auto' },
        text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
        metadata: { team: 'a' },
        safety_identifier: 'u1',
        user: 'u2',
        service_tier: 'flex',
      }),
    ).toMatchObject({
      stream: true,
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      logprobs: 2,
      reasoning: { effort: 'high', budgetTokens: null, shown: true },
      format: { type: 'schema', name: 'n', schema: { type: 'object' }, strict: true },
      metadata: { team: 'a' },
      user: 'u1',
      serviceTier: 'flex',
      unknown: [],
    })
    expect(read({ text: { format: { type: 'json_object' } } }).format).toEqual({ type: 'json' })
    expect(read({ include: ['message.output_text.logprobs'] }).logprobs).toBe(0)
    expect(read({ top_logprobs: 0 }).logprobs).toBeNull()
    expect(read({ reasoning: { effort: 'low' } }).reasoning).toMatchObject({ effort: 'low', shown: null })
    expect(read({ user: 'u2' }).user).toBe('u2')
  })

  it('asks for nothing by what is the default anyway', () => {
    expect(
      read({
        store: false,
        background: false,
        previous_response_id: null,
        conversation: null,
        prompt: null,
        truncation: 'disabled',
        prompt_cache_key: 'k',
        prompt_cache_retention: '24h',
        stream_options: { include_obfuscation: false },
        metadata: {},
        text: { verbosity: 'medium' },
        reasoning: { mode: 'standard' },
        include: [],
        max_tool_calls: null,
      }),
    ).toMatchObject({ unknown: [], metadata: null, reasoning: null, format: null })
  })

  it('names what has no place elsewhere', () => {
    expect(
      read({
        truncation: 'auto',
        max_tool_calls: 3,
        client_metadata: { a: 'b' },
        text: { verbosity: 'low' },
        reasoning: { mode: 'pro', effort: 'high' },
        include: ['web_search_call.action.sources'],
      }).unknown,
    ).toEqual([
      'truncation',
      'max_tool_calls',
      'client_metadata',
      'include.web_search_call.action.sources',
      'text.verbosity',
      'reasoning.mode',
    ])
  })
})
