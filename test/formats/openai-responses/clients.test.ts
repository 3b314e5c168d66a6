import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'

const translate = (to: Dialect, body: Json, model: string) =>
  translateRequest(
    { from: openaiResponses, to },
    body,
    { model: null, stream: null },
    { model, streamUsage: to === openaiChat },
  )

const shell = {
  type: 'function',
  name: 'shell',
  description: 'Runs a command.',
  strict: false,
  parameters: {
    type: 'object',
    properties: { command: { type: 'array', items: { type: 'string' } }, timeout_ms: { type: 'number' } },
    required: ['command'],
    additionalProperties: false,
  },
}

/** As Codex CLI asks in the middle of its work: no ids, sealed thoughts, notes about the surroundings as messages. */
const codex: Json = {
  model: 'claude-opus-4-6',
  instructions: 'You are a coding agent.',
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: '<permissions>none</permissions>' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<cwd>/work</cwd>' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is here?' }] },
    {
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'I list the files.' }],
      content: null,
      encrypted_content: 'anthropic-messages:SEAL',
    },
    {
      type: 'function_call',
      name: 'shell',
      arguments: '{"command":["ls"]}',
      call_id: 'toolu_1',
    },
    { type: 'function_call_output', call_id: 'toolu_1', output: '{"output":"a.txt\\n","metadata":{"exit_code":0}}' },
  ],
  tools: [shell],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '0199-a',
  text: { verbosity: 'medium' },
}

describe('a request as Codex CLI makes it', () => {
  it('reaches Claude with its sealed thought, its call and its result', () => {
    const { body, dropped } = translate(anthropicMessages, codex, 'claude-opus-4-6')
    expect(dropped).toEqual([])
    expect(body).toMatchObject({
      model: 'claude-opus-4-6',
      stream: true,
      system: 'You are a coding agent.\n<permissions>none</permissions>',
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'medium' },
      tools: [{ name: 'shell', description: 'Runs a command.', input_schema: shell.parameters }],
      tool_choice: { type: 'auto' },
    })
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: '<cwd>/work</cwd>' },
          { type: 'text', text: 'What is here?' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'I list the files.', signature: 'SEAL' },
          { type: 'tool_use', id: 'toolu_1', name: 'shell', input: { command: ['ls'] } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            content: [{ type: 'text', text: '{"output":"a.txt\\n","metadata":{"exit_code":0}}' }],
          },
        ],
      },
    ])
  })

  it('reaches a chat model, usage asked for', () => {
    const { body, dropped } = translate(openaiChat, { ...codex, text: { verbosity: 'low' } }, 'mistral-large-latest')
    // It is not known to reason.
    expect(dropped).toEqual(['text.verbosity', 'reasoning'])
    expect(body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
      tools: [
        {
          type: 'function',
          function: { name: 'shell', description: 'Runs a command.', parameters: shell.parameters, strict: false },
        },
      ],
      parallel_tool_calls: true,
    })
    const messages = body.messages as Json[]
    expect(messages.map(({ role }) => role)).toEqual(['system', 'system', 'user', 'user', 'assistant', 'tool'])
    const [call] = messages[4]!.tool_calls as Json[]
    expect(call).toMatchObject({ function: { name: 'shell', arguments: '{"command":["ls"]}' } })
    expect(messages[5]).toMatchObject({ tool_call_id: call!.id })
  })
})

/** As the Agents SDK asks: what was given before comes back as it was, ids, statuses and all. */
const agents: Json = {
  model: 'claude-sonnet-4-6',
  instructions: 'Use tools.',
  input: [
    { content: 'Weather in Rome?', role: 'user' },
    { id: 'rs_msg_1_0', summary: [], type: 'reasoning', encrypted_content: 'redacted:anthropic-messages:DATA' },
    {
      id: 'msg_msg_1_1',
      content: [{ annotations: [], text: 'I ask.', type: 'output_text', logprobs: [] }],
      role: 'assistant',
      status: 'completed',
      type: 'message',
    },
    {
      arguments: '{"city":"Rome"}',
      call_id: 'toolu_1',
      name: 'weather',
      type: 'function_call',
      id: 'fc_msg_1_2',
      status: 'completed',
    },
    {
      arguments: '{"city":"Oslo"}',
      call_id: 'toolu_2',
      name: 'weather',
      type: 'function_call',
      id: 'fc_msg_1_3',
      status: 'completed',
    },
    { call_id: 'toolu_1', output: 'Sun', type: 'function_call_output' },
    { call_id: 'toolu_2', output: [{ type: 'input_text', text: 'Snow' }], type: 'function_call_output' },
  ],
  include: [],
  tools: [
    {
      name: 'weather',
      parameters: {
        properties: { city: { type: 'string' } },
        required: ['city'],
        type: 'object',
        additionalProperties: false,
      },
      strict: true,
      type: 'function',
      description: 'Tells the weather.',
    },
  ],
  tool_choice: { type: 'function', name: 'weather' },
  text: {
    format: {
      type: 'json_schema',
      name: 'final_output',
      schema: { type: 'object', additionalProperties: false },
      strict: true,
    },
  },
  metadata: {},
}

describe('a request as the Agents SDK makes it', () => {
  it('reaches Claude, both results in one turn', () => {
    const { body, dropped } = translate(anthropicMessages, agents, 'claude-sonnet-4-6')
    expect(dropped).toEqual([])
    expect(body).toMatchObject({
      system: 'Use tools.',
      tool_choice: { type: 'tool', name: 'weather' },
      output_config: { format: { type: 'json_schema' } },
    })
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Weather in Rome?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'redacted_thinking', data: 'DATA' },
          { type: 'text', text: 'I ask.' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } },
          { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Oslo' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'Sun' }] },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'Snow' }] },
        ],
      },
    ])
  })

  it('reaches a chat model', () => {
    const { body, dropped } = translate(openaiChat, agents, 'gpt-4o')
    expect(dropped).toEqual([])
    expect(body).toMatchObject({
      tool_choice: { type: 'function', function: { name: 'weather' } },
      response_format: { type: 'json_schema', json_schema: { name: 'final_output', strict: true } },
    })
    expect((body.messages as Json[]).map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'tool'])
  })
})
