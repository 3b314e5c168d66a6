import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../src/formats/anthropic-messages/index.ts'
import type { Json } from '../../src/formats/dialect.ts'
import { openaiChat } from '../../src/formats/openai-chat/index.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { chainLibrary, claudeCode, editorAgent, uiLibrary } from '../fixtures/agent-requests.ts'
import { conversationOf } from './projection.ts'
import { loseNothing, PLACE } from './samples.ts'

const toChat = (body: Json, model: string) =>
  translateRequest({ from: anthropicMessages, to: openaiChat }, body, PLACE, { model, streamUsage: true })
const toMessages = (body: Json, model: string) =>
  translateRequest({ from: openaiChat, to: anthropicMessages }, body, PLACE, { model, streamUsage: false })
type Message = {
  role: string
  content: unknown
  tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  tool_call_id?: string
}
const NAME_OF_MCP = 'mcp__project-management-server__list_issues_of_a_project_by_state_and_label'

describe('Claude Code with a provider of chats', () => {
  it.each([
    ['gpt-4o', ['context_management', 'betas']],
    ['gpt-5.6-sol', ['context_management', 'betas']],
    ['deepseek-chat', ['context_management', 'betas']],
    ['llama-3.3-70b-versatile', ['context_management', 'betas']],
  ])('keeps its conversation and its tools with %s, and hears what is lost', (model, lost) => {
    const { request, body, dropped } = toChat(claudeCode(), model)
    const heard = openaiChat.parseRequest(body, PLACE)
    expect(conversationOf(heard).turns).toEqual(conversationOf(request).turns)
    expect(conversationOf(heard).instructions).toBe(conversationOf(request).instructions)
    expect(heard.tools.map(({ description }) => description)).toEqual(
      request.tools.map(({ description }) => description),
    )
    expect(dropped).toEqual(lost)
  })

  it('says something between a result and what the user adds, where a model wants that', () => {
    const { request, body, dropped } = toChat(claudeCode(), 'mistral-large-latest')
    const messages = body.messages as Message[]
    expect(messages.slice(-3)).toMatchObject([
      { role: 'tool' },
      { role: 'assistant', content: 'Understood.' },
      { role: 'user' },
    ])
    const heard = openaiChat.parseRequest({ ...body, messages: messages.toSpliced(-2, 1) }, PLACE)
    expect(conversationOf(heard).turns).toEqual(conversationOf(request).turns)
    expect(dropped).toEqual(['context_management', 'betas'])
  })

  it('follows every call directly by its results', () => {
    const { body } = toChat(claudeCode(), 'gpt-4o')
    const messages = body.messages as Message[]
    messages.forEach(({ tool_calls = [] }, index) => {
      const told = messages.slice(index + 1, index + 1 + tool_calls.length)
      expect(told.map(({ role, tool_call_id }) => [role, tool_call_id])).toEqual(
        tool_calls.map(({ id }) => ['tool', id]),
      )
    })
  })

  it('shows the pictures of results, and says which results are errors', () => {
    const { body } = toChat(claudeCode(), 'gpt-4o')
    expect((body.messages as Message[]).slice(-4)).toEqual([
      { role: 'tool', tool_call_id: 'toolu_x', content: '<tool_use_error>make: command not found</tool_use_error>' },
      { role: 'tool', tool_call_id: 'toolu_y', content: 'The result is in the next message.' },
      { role: 'tool', tool_call_id: 'toolu_z', content: '' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/png;base64,/) } },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ])
  })

  it('asks for nothing that is refused: names, users, bounds, marks, seals', () => {
    const { body } = toChat(claudeCode(), 'gpt-4o')
    const text = JSON.stringify(body)
    expect(text).not.toMatch(/cache_control|reasoning_details|signature|betas|context_management/)
    for (const tool of body.tools as { function: { name: string } }[])
      expect(tool.function.name).toMatch(/^[\w-]{1,64}$/)
    expect(String(body.user).length).toBeLessThanOrEqual(64)
    expect(body).toMatchObject({ max_tokens: 16_384, stream: true, stream_options: { include_usage: true } })
  })

  it('keeps marks of caches and seals for Claude behind a provider of chats', () => {
    const text = JSON.stringify(toChat(claudeCode(), 'anthropic/claude-sonnet-4.5').body)
    expect(text.match(/"cache_control":{"type":"ephemeral"/g)).toHaveLength(4)
    expect(text).toContain('"signature":"c2VhbA=="')
  })

  it('hears its own name of a tool that had to be called otherwise', () => {
    const { request, body } = toChat(claudeCode(), 'gpt-4o')
    const names = (body.tools as { function: { name: string } }[]).map((tool) => tool.function.name)
    expect(names).not.toContain(NAME_OF_MCP)
    const call = { id: 'call_1', type: 'function', function: { name: names.at(-1), arguments: '{}' } }
    const answer = openaiChat.parseAnswer({
      choices: [{ message: { tool_calls: [call] }, finish_reason: 'tool_calls' }],
    })
    const told = anthropicMessages.buildAnswer(answer, { model: 'm', now: 0, request, lose: loseNothing })
    expect(told.content).toMatchObject([{ type: 'tool_use', name: NAME_OF_MCP }])
  })
})

describe('an editor’s agent with a provider of messages', () => {
  it('keeps its conversation and its tools, and loses nothing', () => {
    const { request, body, dropped } = toMessages(editorAgent(), 'claude-sonnet-4-5')
    expect(conversationOf(anthropicMessages.parseRequest(body, PLACE))).toEqual(conversationOf(request))
    expect(dropped).toEqual([])
    expect(body).toMatchObject({ max_tokens: 8_192, temperature: 0, tool_choice: { type: 'auto' } })
  })

  it('has its results together, behind the calls', () => {
    const { body } = toMessages(editorAgent(), 'claude-sonnet-4-5')
    expect((body.messages as Message[]).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ])
    expect((body.messages as Message[])[2]!.content).toMatchObject([
      { tool_use_id: 'call_1' },
      { tool_use_id: 'call_2' },
    ])
  })

  it('hears of sampling that newer models do not take', () => {
    expect(toMessages(editorAgent(), 'claude-opus-5').dropped).toEqual(['temperature'])
  })
})

describe('libraries with a provider of messages', () => {
  it('may leave things empty, and hear that names are lost', () => {
    const { body, dropped } = toMessages(chainLibrary(), 'claude-haiku-4-5')
    expect(dropped).toEqual(['messages.name'])
    expect(body).toEqual({
      model: 'claude-haiku-4-5',
      max_tokens: 256,
      system: 'Answer as JSON.',
      temperature: 0.7,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Who is it?' }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_9', name: 'find', input: { who: 'it' } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_9', content: [] },
            { type: 'text', text: 'Well?' },
          ],
        },
      ],
      tools: [
        { name: 'find', description: '', input_schema: { type: 'object', properties: { who: { type: 'string' } } } },
      ],
      tool_choice: { type: 'tool', name: 'find' },
      output_config: {
        format: {
          type: 'json_schema',
          schema: {
            $schema: expect.any(String),
            type: 'object',
            properties: {
              name: { type: 'string', description: 'Whose' },
              age: { type: 'integer', description: '(minimum: 0)' },
            },
            required: ['name', 'age'],
            additionalProperties: false,
          },
        },
      },
    })
  })

  it('may ask for an effort, give files, force tools', () => {
    const { body, dropped } = toMessages(uiLibrary(), 'claude-opus-5')
    expect(dropped).toEqual(['prediction', 'metadata'])
    expect(body).toMatchObject({
      max_tokens: 4_096,
      stream: true,
      system: 'Be brief.',
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
      tool_choice: { type: 'any' },
      messages: [
        {
          content: [{ type: 'text' }, { type: 'document', title: 'a.pdf' }, { type: 'image', source: { type: 'url' } }],
        },
      ],
    })
  })
})
