import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { type House, openHouse } from './bench.ts'
import { ownFetch } from './client.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import { PICTURE } from './scenarios.ts'

/* Requests in the shape of well-known agents, in words of our own, over a turn with tools. */

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const nameOf = ({ name }: Kind, model: string) => (name === 'openai' ? model : `${name}:${model}`)
const but = (...names: Kind['name'][]) => KINDS.filter(({ name }) => !names.includes(name))

const schema = (properties: object, required: string[]) => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  properties,
  required,
  additionalProperties: false,
})
const NAMES =
  'Bash Read Edit MultiEdit Write Glob Grep LS WebFetch WebSearch TodoWrite Task NotebookEdit KillShell'.split(' ')
const LONG = 'This is to be used with care, and only as it is described here.\n'.repeat(50)

const RUN = { name: 'Bash', args: { command: 'make' } }
const LOOK = { name: 'Read', args: { file_path: '/docs/diagram.png' } }

describe('Claude Code', () => {
  const system: Anthropic.Beta.BetaTextBlockParam[] = [
    { type: 'text', text: 'You help with programming in a terminal.' },
    { type: 'text', text: LONG, cache_control: { type: 'ephemeral', ttl: '1h' } },
  ]
  const tools: Anthropic.Beta.BetaTool[] = NAMES.map((name, index) => ({
    name,
    description: LONG,
    input_schema: schema(
      { command: { type: 'string', minLength: 1 }, timeout: { type: 'number', minimum: 0 } },
      index === 0 ? ['command'] : [],
    ),
    ...(index === NAMES.length - 1 && { cache_control: { type: 'ephemeral' as const } }),
  }))
  const settings = {
    max_tokens: 8_000,
    system,
    tools,
    thinking: { type: 'enabled' as const, budget_tokens: 4_000 },
    metadata: { user_id: `user_${'a1b2'.repeat(16)}_account__session_${'0'.repeat(36)}` },
    context_management: { edits: [{ type: 'clear_thinking_20251015' as const, keep: 'all' as const }] },
    betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14', 'context-management-2025-06-27'],
  }

  it.each(but('anthropic').flatMap((kind) => kind.thinkers.map((model) => ({ title: kind.title, model, kind }))))(
    'works with $model of $title',
    async ({ kind, model }) => {
      const client = new Anthropic({ baseURL: house.url, apiKey: house.token, maxRetries: 0, fetch: ownFetch })
      const provider = house.provider(kind)
      provider.play([
        { thought: 'The log should say why.', text: 'I look.', calls: [RUN, LOOK] },
        { thought: 'There is no make.', text: 'Install make.' },
      ])
      const messages: Anthropic.Beta.BetaMessageParam[] = [
        {
          role: 'user',
          content: [
            { type: 'text', text: '<system-reminder>\nToday is a day.\n</system-reminder>' },
            { type: 'text', text: 'Why does the build fail?', cache_control: { type: 'ephemeral' } },
          ],
        },
      ]
      const ask = () => client.beta.messages.stream({ ...settings, model: nameOf(kind, model), messages })
      expect(
        (await client.beta.messages.countTokens({ ...without(settings), model: nameOf(kind, model), messages }))
          .input_tokens,
      ).toBeGreaterThan(1_000)
      const first = await ask().finalMessage()
      expect(first.stop_reason).toBe('tool_use')
      const [run, look] = first.content.filter((block) => block.type === 'tool_use')
      messages.push({ role: 'assistant', content: first.content as Anthropic.Beta.BetaContentBlockParam[] })
      messages.push({
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: run!.id, content: 'make: command not found', is_error: true },
          { type: 'tool_result', tool_use_id: look!.id, content: [picture] },
          { type: 'text', text: '<system-reminder>\nThe todo list is empty.\n</system-reminder>' },
        ],
      })
      const last = await ask().finalMessage()
      expect(last).toMatchObject({ stop_reason: 'end_turn', usage: { input_tokens: 18, cache_read_input_tokens: 12 } })
      expect(last.content.find(({ type }) => type === 'text')).toMatchObject({ text: 'Install make.' })

      expect(provider.refused()).toEqual([])
      const [, heard] = provider.heard()
      expect(heard!.tools).toEqual(NAMES)
      expect(heard!.system).toContain('You help with programming')
      expect(heard!.turns[1]).toMatchObject({ text: 'I look.', calls: [RUN, LOOK] })
      const after = heard!.turns.slice(2).filter(({ role }) => role === 'user')
      expect(after.flatMap(({ results }) => results)[0]).toContain('make: command not found')
      expect(after.flatMap(({ images }) => images)).toEqual([`image/png;base64,${PICTURE.data}`])
      expect(after.map(({ text }) => text).join('')).toContain('The todo list is empty.')
    },
  )
})

const without = ({
  max_tokens: _,
  betas: __,
  context_management: ___,
  metadata: ____,
  ...rest
}: Record<string, unknown>) => rest as { tools: Anthropic.Beta.BetaTool[] }
const picture: Anthropic.Beta.BetaImageBlockParam = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: PICTURE.data },
}

describe('an editor with an agent, as Cursor and Cline', () => {
  it.each(but('openai', 'mistral', 'zai'))('works with a model of $title', async (kind) => {
    const openai = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.token, maxRetries: 0, fetch: ownFetch })
    const provider = house.provider(kind)
    const READ = (path: string) => ({ name: 'read_file', args: { path } })
    provider.play([{ text: 'I read both.', calls: [READ('a.ts'), READ('b.ts')] }, { text: 'Done.' }])
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: LONG },
      {
        role: 'user',
        content: [
          { type: 'text', text: '<task>\nRename it\n</task>' },
          { type: 'text', text: '<environment_details>\n…\n</environment_details>' },
        ],
      },
    ]
    const ask = async () => {
      const stream = await openai.chat.completions.create({
        model: nameOf(kind, kind.model),
        messages,
        stream: true,
        stream_options: { include_usage: true },
        temperature: 0,
        max_tokens: 8_192,
        parallel_tool_calls: true,
        tool_choice: 'auto',
        tools: ['read_file', 'write_file'].map((name) => ({
          type: 'function' as const,
          function: { name, description: LONG, parameters: schema({ path: { type: 'string' } }, []), strict: false },
        })),
      })
      // Put together by hand, as these do: only what they know of.
      let content = ''
      const calls: { id: string; name: string; json: string }[] = []
      let usage: OpenAI.CompletionUsage | null | undefined
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta
        content += delta?.content ?? ''
        for (const call of delta?.tool_calls ?? []) {
          calls[call.index] ??= { id: call.id!, name: call.function!.name!, json: '' }
          calls[call.index]!.json += call.function?.arguments ?? ''
        }
        usage = chunk.usage ?? usage
      }
      return { content, calls, usage }
    }
    const first = await ask()
    expect(first.calls.map(({ name, json }) => ({ name, args: JSON.parse(json) as unknown }))).toEqual([
      READ('a.ts'),
      READ('b.ts'),
    ])
    messages.push({
      role: 'assistant',
      content: first.content,
      tool_calls: first.calls.map(({ id, name, json }) => ({
        id,
        type: 'function',
        function: { name, arguments: json },
      })),
    })
    messages.push({ role: 'tool', tool_call_id: first.calls[0]!.id, content: 'export const a = 1' })
    messages.push({
      role: 'tool',
      tool_call_id: first.calls[1]!.id,
      content: [{ type: 'text', text: 'export const b = 2' }],
    })
    messages.push({ role: 'user', content: '<environment_details>\nlater\n</environment_details>' })
    const last = await ask()
    expect(last).toMatchObject({ content: 'Done.', calls: [], usage: { prompt_tokens: 30, completion_tokens: 9 } })
    expect(provider.refused()).toEqual([])
    const [, heard] = provider.heard()
    expect(heard!.turns.slice(1)).toMatchObject([
      { role: 'assistant', text: 'I read both.', calls: [READ('a.ts'), READ('b.ts')] },
      { role: 'user', results: ['export const a = 1', 'export const b = 2'], text: expect.stringContaining('later') },
    ])
  })
})

describe('Codex', () => {
  const shell = { name: 'shell', args: { command: ['ls', '-la'] } }
  // A function of a group: to other providers the group is a part of its name.
  const waiting = { name: 'agents__wait', args: { ids: ['a1'] } }
  const settings = {
    instructions: LONG,
    tools: [
      {
        type: 'function' as const,
        name: 'shell',
        description: 'Runs a command',
        strict: false,
        parameters: schema({ command: { type: 'array', items: { type: 'string' } } }, ['command']),
      },
      {
        type: 'namespace' as const,
        name: 'agents',
        description: 'Starts others, and waits for them',
        tools: [
          {
            type: 'function' as const,
            name: 'wait',
            parameters: schema({ ids: { type: 'array', items: { type: 'string' } } }, ['ids']),
          },
        ],
      },
    ],
    tool_choice: 'auto' as const,
    parallel_tool_calls: false,
    reasoning: { effort: 'medium' as const, summary: 'auto' as const },
    store: false,
    include: ['reasoning.encrypted_content' as const],
    prompt_cache_key: '0192-session',
  }
  const client = () => new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.token, maxRetries: 0, fetch: ownFetch })

  it.each(but('openai').flatMap((kind) => kind.thinkers.map((model) => ({ title: kind.title, model, kind }))))(
    'works with $model of $title',
    async ({ kind, model }) => {
      const provider = house.provider(kind)
      provider.play([
        { thought: 'What is here?', calls: [shell] },
        { thought: 'Others know.', calls: [waiting] },
        { thought: 'Little.', text: 'One file.' },
      ])
      const input: OpenAI.Responses.ResponseInputItem[] = [
        {
          type: 'message',
          role: 'developer',
          content: [{ type: 'input_text', text: '<permissions>\nask\n</permissions>' }],
        },
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_text', text: '<environment_context>\n/src\n</environment_context>' }],
        },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is here?' }] },
      ]
      const ask = () =>
        client()
          .responses.stream({ ...settings, model: nameOf(kind, model), input })
          .finalResponse()
      const first = await ask()
      const call = first.output.find((item) => item.type === 'function_call')!
      expect(JSON.parse(call.arguments)).toEqual(shell.args)
      // It keeps what it was given, without ids, as nothing is stored.
      for (const { id: _, ...item } of first.output as { id?: string }[]) input.push(item as (typeof input)[number])
      input.push({
        type: 'function_call_output',
        call_id: call.call_id,
        output: '{"output":"a.ts","metadata":{"exit_code":0}}',
      })
      input.push({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Be quick.' }] })
      const second = await ask()
      const grouped = second.output.find((item) => item.type === 'function_call')!
      expect(grouped).toMatchObject({ namespace: 'agents', name: 'wait' })
      for (const { id: _, ...item } of second.output as { id?: string }[]) input.push(item as (typeof input)[number])
      input.push({ type: 'function_call_output', call_id: grouped.call_id, output: 'done' })
      const last = await ask()
      expect(last).toMatchObject({
        status: 'completed',
        output_text: 'One file.',
        usage: { input_tokens: 30, output_tokens: 9 },
      })
      expect(provider.refused()).toEqual([])
      const heard = provider.heard().at(-1)
      expect(heard!.system).toContain('<permissions>')
      const turns = heard!.turns
      expect(turns.filter(({ role }) => role === 'assistant')).toMatchObject([{ calls: [shell] }, { calls: [waiting] }])
      expect(turns.flatMap(({ results }) => results)).toEqual(['{"output":"a.ts","metadata":{"exit_code":0}}', 'done'])
      expect(turns.map(({ text }) => text).join()).toContain('Be quick.')
    },
  )

  it.each([
    [
      'a tool with a grammar',
      { tools: [{ type: 'custom', name: 'apply_patch', format: { type: 'text' } }] },
      'tools[0].type',
    ],
    ["a tool of OpenAI's own", { tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    ['what OpenAI has stored', { previous_response_id: 'resp_1' }, 'previous_response_id'],
  ])('is told what to do instead of %s', async (_what, more, param) => {
    const asked = client().responses.create({
      ...settings,
      model: 'anthropic:claude-sonnet-4-6',
      input: 'Hi',
      ...(more as object),
    })
    await expect(asked).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param })
  })
})
