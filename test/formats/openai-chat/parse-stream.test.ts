import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { eventsIn, used } from '../samples.ts'

const chunk = (delta: Json, more: Json = {}, choice: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...more,
})
const finish = (finish_reason = 'stop', more: Json = {}) => chunk({}, more, { finish_reason })
const START: HubEvent = { type: 'start', id: 'chatcmpl-1', model: 'm', created: 7 }
const events = (...chunks: Json[]) => eventsIn(openaiChat, [...chunks, '[DONE]'])
/** What deltas say, without the frame around it. */
const said = (...deltas: Json[]) => events(...deltas.map((delta) => chunk(delta)), finish()).slice(1, -2)
const calls = (...pieces: Json[]) => said(...pieces.map((piece) => ({ tool_calls: [piece] })))
const piece = (more: Json, json?: string): Json => ({
  ...more,
  function: { ...(more.function as Json), ...(json !== undefined && { arguments: json }) },
})

describe('a stream of a provider of chats', () => {
  it('starts, says, ends', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }
    expect(
      events(chunk({ role: 'assistant', content: '' }), chunk({ content: 'A' }), chunk({ content: 'B' }), finish(), {
        ...chunk({}),
        choices: [],
        usage,
      }),
    ).toEqual([
      START,
      { type: 'text', choice: 0, text: 'A' },
      { type: 'text', choice: 0, text: 'B' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'usage', usage: used(5, 3) },
      { type: 'done' },
    ])
  })

  it('starts with the first chunk that says who answers, not with Azure’s word on the prompt', () => {
    const filters = { id: '', model: '', created: 0, object: '', choices: [], prompt_filter_results: [] }
    expect(events(filters, chunk({ content: 'A' }), finish())[0]).toEqual(START)
  })

  it('tells usage wherever it stands: with the reason, in every chunk, in x_groq', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
    const told = { type: 'usage', usage: used(1, 1) }
    expect(events(chunk({ content: 'A' }), finish('stop', { usage }))).toContainEqual(told)
    expect(events(chunk({ content: 'A' }, { usage }), finish())).toContainEqual(told)
    expect(events(chunk({ content: 'A' }), finish('stop', { x_groq: { usage } }))).toContainEqual(told)
    expect(events(chunk({ content: 'A' }, { usage: null }), finish()).some(({ type }) => type === 'usage')).toBe(false)
  })

  it('has several choices, one among the other', () => {
    const other = (delta: Json, finish_reason: string | null = null) => chunk(delta, {}, { index: 1, finish_reason })
    expect(events(chunk({ content: 'A' }), other({ content: 'B' }), finish('length'), other({}, 'stop'))).toEqual([
      START,
      { type: 'text', choice: 0, text: 'A' },
      { type: 'text', choice: 1, text: 'B' },
      { type: 'finish', choice: 0, reason: 'length' },
      { type: 'finish', choice: 1, reason: 'stop' },
      { type: 'done' },
    ])
  })

  it('refuses', () => {
    expect(events(chunk({ refusal: 'No' }), finish()).slice(1)).toEqual([
      { type: 'refusal', choice: 0, text: 'No' },
      { type: 'finish', choice: 0, reason: 'refusal' },
      { type: 'done' },
    ])
  })

  it('tells how sure the model was', () => {
    const content = [{ token: 'A', logprob: -1, bytes: [65], top_logprobs: [] }]
    expect(events(chunk({ content: 'A' }, {}, { logprobs: { content } }), finish())[2]).toEqual({
      type: 'logprobs',
      choice: 0,
      logprobs: [{ token: 'A', logprob: -1, bytes: [65], top: [] }],
    })
  })

  it('cites, once where the list comes with every chunk', () => {
    const annotation = {
      type: 'url_citation',
      url_citation: { url: 'https://e.com', title: 'E', start_index: 0, end_index: 1 },
    }
    expect(said({ content: 'A' }, { annotations: [annotation] })[1]).toEqual({
      type: 'citation',
      choice: 0,
      citation: { url: 'https://e.com', title: 'E', start: 0, end: 1 },
    })
    const citations = ['https://e.com']
    expect(
      events(chunk({ annotations: [annotation] }, { citations }), finish()).filter(({ type }) => type === 'citation'),
    ).toHaveLength(1)
    expect(events(chunk({ content: 'A' }, { citations }), finish('stop', { citations })).slice(2, -2)).toEqual([
      { type: 'citation', choice: 0, citation: { url: 'https://e.com' } },
    ])
  })
})

describe('tool calls in a stream of a provider of chats', () => {
  const opened = (call: number, id: string, name: string): HubEvent => ({
    type: 'tool_call',
    choice: 0,
    call,
    id,
    name,
  })
  const args = (call: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call, json })
  const a = { index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '' } }
  const b = { index: 1, id: 'b', type: 'function', function: { name: 'find', arguments: '' } }

  it('open with id and name, and go on in pieces', () => {
    expect(calls(a, piece({ index: 0 }, '{"x"'), piece({ index: 0 }, ':1}'))).toEqual([
      opened(0, 'a', 'look'),
      args(0, '{"x"'),
      args(0, ':1}'),
    ])
  })

  it('are counted from 0, whatever the provider counts from', () => {
    expect(calls({ ...a, index: 1 }, piece({ index: 1 }, '{}'))).toEqual([opened(0, 'a', 'look'), args(0, '{}')])
  })

  it('may come mixed', () => {
    expect(calls(a, b, piece({ index: 0 }, '{"x"'), piece({ index: 1 }, '{}'), piece({ index: 0 }, ':1}'))).toEqual([
      opened(0, 'a', 'look'),
      opened(1, 'b', 'find'),
      args(0, '{"x"'),
      args(1, '{}'),
      args(0, ':1}'),
    ])
  })

  it('are told apart where all have the same index', () => {
    expect(calls(piece(a, '{"x":1}'), piece({ ...b, index: 0 }, '{"y"'), piece({ index: 0 }, ':2}'))).toEqual([
      opened(0, 'a', 'look'),
      args(0, '{"x":1}'),
      opened(1, 'b', 'find'),
      args(1, '{"y"'),
      args(1, ':2}'),
    ])
  })

  it('are one where id and name come with every piece', () => {
    expect(calls(piece(a, '{"x"'), piece(a, ':1}'))).toEqual([opened(0, 'a', 'look'), args(0, '{"x"'), args(0, ':1}')])
  })

  it('are put together without an index', () => {
    const { index: _, ...first } = a
    const { index: __, ...second } = b
    expect(
      calls(piece(first, '{'), piece({}, '}'), piece(second, '{'), piece({ id: 'a' }, ' '), piece({}, '}')),
    ).toEqual([
      opened(0, 'a', 'look'),
      args(0, '{'),
      args(0, '}'),
      opened(1, 'b', 'find'),
      args(1, '{'),
      args(0, ' '),
      args(1, '}'),
    ])
  })

  it('get ids where they have none, each its own', () => {
    const { id: _, ...first } = a
    const { id: __, ...second } = b
    const ids = calls(first, second).flatMap((event) => (event.type === 'tool_call' ? [event.id] : []))
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^call_/)
  })

  it('may have an object for arguments', () => {
    expect(calls({ ...a, function: { name: 'look', arguments: { x: 1 } } })).toEqual([
      opened(0, 'a', 'look'),
      args(0, '{"x":1}'),
    ])
  })

  it('are the reason of the end, also where the provider says stop', () => {
    expect(events(chunk({ tool_calls: [a] }), finish('stop')).at(-2)).toMatchObject({ reason: 'tool_calls' })
    expect(events(chunk({ tool_calls: [a] }), finish('length')).at(-2)).toMatchObject({ reason: 'length' })
  })
})

describe('thoughts in a stream of a provider of chats', () => {
  const thought = (text: string): HubEvent => ({ type: 'reasoning', choice: 0, text })

  it.each([
    ['reasoning_content', { content: null, reasoning_content: 'Hm' }],
    ['reasoning', { content: '', reasoning: 'Hm' }],
    [
      'reasoning and its details',
      { reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }] },
    ],
    ['parts', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }],
  ])('are told once, from %s', (_, delta) => {
    expect(said(delta)).toEqual([thought('Hm')])
  })

  it('are sealed by what comes behind', () => {
    const format = 'anthropic-claude-v1'
    expect(
      said(
        { reasoning_details: [{ type: 'reasoning.text', text: 'Hm', format }] },
        { reasoning_details: [{ type: 'reasoning.text', signature: 'S', format }] },
      ),
    ).toEqual([thought('Hm'), { type: 'signature', choice: 0, signature: 'S', sealedIn: 'anthropic-messages' }])
  })

  it('seal the calls that they belong to, and are thoughts of their own else', () => {
    const details = [
      { type: 'reasoning.encrypted', data: 'C', id: 'a', format: 'google-gemini-v1' },
      { type: 'reasoning.encrypted', data: 'R', id: 'rs_1' },
      { type: 'reasoning.encrypted', data: 'Q' },
    ]
    const call = { index: 0, id: 'a', function: { name: 'look', arguments: '' } }
    expect(said({ reasoning_details: details }, { tool_calls: [call] })).toEqual([
      { type: 'redacted', choice: 0, data: 'Q', sealedIn: 'openai-chat' },
      { type: 'tool_call', choice: 0, call: 0, id: 'a', name: 'look', signature: 'C', sealedIn: 'gemini' },
      { type: 'redacted', choice: 0, data: 'R', sealedIn: 'openai-chat' },
    ])
  })
})

describe('the end of a stream of a provider of chats', () => {
  it('is [DONE], or the end of the connection behind the last reason', () => {
    expect(eventsIn(openaiChat, [chunk({ content: 'A' }), finish()]).at(-1)).toEqual({ type: 'done' })
    expect(eventsIn(openaiChat, [chunk({ content: 'A' }), '[DONE]']).at(-1)).toEqual({ type: 'done' })
  })

  it('is no reason that is empty', () => {
    const going = chunk({ content: 'A' }, {}, { finish_reason: '' })
    expect(eventsIn(openaiChat, [going, going]).map(({ type }) => type)).toEqual(['start', 'text', 'text'])
    expect(eventsIn(openaiChat, [going, finish('length')]).at(-2)).toMatchObject({ reason: 'length' })
  })

  it('is not the end of the connection before', () => {
    const other = chunk({ content: 'B' }, {}, { index: 1 })
    for (const chunks of [[], [chunk({ content: 'A' })], [chunk({ content: 'A' }), other, finish()]])
      expect(eventsIn(openaiChat, chunks).map(({ type }) => type)).not.toContain('done')
  })

  it('comes once, and nothing behind it', () => {
    expect(eventsIn(openaiChat, [finish(), '[DONE]', '[DONE]', chunk({ content: 'A' })]).at(-1)).toEqual({
      type: 'done',
    })
  })

  it('is not believed where nothing began', () => {
    expect(() => eventsIn(openaiChat, ['[DONE]'])).toThrow(UnreadableAnswer)
  })

  it.each<[string, Json]>([
    ['on its own', { error: { message: 'No', code: 429 } }],
    ['beside choices, as OpenRouter has it', chunk({ content: '' }, { error: { message: 'No', code: 429 } })],
    ['in a choice', chunk({}, {}, { finish_reason: 'error', error: { message: 'No', code: 429 } })],
    ['flat, as vLLM has it', { object: 'error', message: 'No', type: 'RateLimitError', code: 429 }],
  ])('is an error that no [DONE] hides: %s', (_, failed) => {
    const told = eventsIn(openaiChat, [chunk({ content: 'A' }), failed, chunk({ content: 'B' }), finish(), '[DONE]'])
    expect(told.slice(2)).toEqual([
      { type: 'error', error: expect.objectContaining({ kind: 'rate_limit', message: 'No' }) },
    ])
  })

  it('is an error where the event is called one', () => {
    const parser = openaiChat.createStreamParser()
    expect(parser.push({ message: 'No' }, 'error')).toMatchObject([{ type: 'error', error: { message: 'No' } }])
  })

  it('is an error where the provider gave up', () => {
    for (const reason of ['error', 'insufficient_system_resource', 'abort'])
      expect(eventsIn(openaiChat, [chunk({ content: 'A' }), finish(reason), '[DONE]']).at(-1)).toMatchObject({
        type: 'error',
        error: { kind: 'server' },
      })
  })

  it('comes where a stream would grow without bound', () => {
    const choices = Array.from({ length: 1_000 }, (_, index) => chunk({ content: 'A' }, {}, { index }))
    expect(() => eventsIn(openaiChat, choices)).toThrow('too many choices')
    const many = Array.from({ length: 2_000 }, (_, index) =>
      chunk({ tool_calls: [{ index, id: `${index}`, function: { name: 'a' } }] }),
    )
    expect(() => eventsIn(openaiChat, many)).toThrow('too many tool calls')
    const seals = Array.from({ length: 2_000 }, (_, index) =>
      chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'x', id: `${index}` }] }),
    )
    expect(() => eventsIn(openaiChat, seals)).toThrow('too many seals')
  })
})
