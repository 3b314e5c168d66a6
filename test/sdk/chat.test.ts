import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type OpenAI from 'openai'
import { all, goodRow, type SdkBench, startSdk } from './sdk.ts'

let bench: SdkBench
beforeAll(async () => {
  bench = await startSdk()
})
afterAll(() => bench.close())

const ask = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hi' }] }
const CHAT = '/v1/chat/completions'
const SERVED = 'gpt-4o-2024-08-06'
const USAGE: [number, number, number, number] = [19, 21, 8, 5]
const STREAM = 'chat: a stream with usage, whose text looks like what the gateway looks for'

const textOf = (chunks: OpenAI.ChatCompletionChunk[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')

describe('a chat', () => {
  it('gives the answer, its usage and the id of the provider', async () => {
    bench.answer('chat: JSON')
    const answer = await bench.openai.chat.completions.create(ask)
    expect(answer.choices[0]!.message.content).toBe('Fünf.')
    expect(answer.usage).toMatchObject({ prompt_tokens: 19, completion_tokens: 21, total_tokens: 40 })
    expect(answer._request_id).toBe('req_upstream_1')
    expect(JSON.parse(bench.lastSeen().body.toString())).toEqual(ask)
    expect(await bench.lastRow()).toMatchObject({
      ...goodRow(CHAT, SERVED, USAGE),
      model: 'gpt-4o',
      stream: false,
      changes: [],
    })
  })

  it('reaches the provider that the model names', async () => {
    bench.answer('chat: JSON')
    await bench.openai.chat.completions.create({ ...ask, model: 'openai:gpt-4o' })
    expect(JSON.parse(bench.lastSeen().body.toString())).toEqual(ask)
    expect(await bench.lastRow()).toMatchObject({
      ...goodRow(CHAT, SERVED, USAGE),
      model: 'openai:gpt-4o',
      changes: ['model'],
    })
  })

  it('tells of the gateway in headers', async () => {
    bench.answer('chat: JSON')
    const { response, request_id } = await bench.openai.chat.completions.create(ask).withResponse()
    expect(request_id).toBe('req_upstream_1')
    expect(response.headers.get('openai-processing-ms')).toBe('42')
    expect(response.headers.get('x-llm-proxy-provider')).toBe('openai')
    expect(response.headers.get('x-llm-proxy-request-id')).toBe((await bench.lastRow()).requestId)
  })
})

describe('a streamed chat', () => {
  it('gives every word and no usage to one who did not ask for it, and books it all the same', async () => {
    bench.answer(STREAM)
    const chunks = await all(await bench.openai.chat.completions.create({ ...ask, stream: true }))
    expect(textOf(chunks)).toBe('"usage":null,data: [DONE]\n\n{"usage":{"prompt_tokens":99999}}猫🐈\\"usage\\":null')
    expect(chunks.filter((chunk) => chunk.choices.length === 0 || 'usage' in chunk)).toEqual([])
    expect(JSON.parse(bench.lastSeen().body.toString()).stream_options).toEqual({ include_usage: true })
    expect(await bench.lastRow()).toMatchObject({
      ...goodRow(CHAT, SERVED, USAGE),
      stream: true,
      changes: ['stream_options'],
    })
  })

  it('gives usage to one who asks for it', async () => {
    bench.answer(STREAM)
    const chunks = await all(
      await bench.openai.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } }),
    )
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 19, completion_tokens: 21 } })
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
    expect(await bench.lastRow()).toMatchObject({ ...goodRow(CHAT, SERVED, USAGE), stream: true, changes: [] })
  })

  it('keeps its choices apart', async () => {
    bench.answer('chat: a stream of two choices in turns, its lines ended by CRLF')
    const stream = bench.openai.chat.completions.stream({ ...ask, n: 2 })
    const { choices } = await stream.finalChatCompletion()
    expect(choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['word 0 word 0 ', 'length'],
      ['word 1 word 1 ', 'stop'],
    ])
    expect(await bench.lastRow()).toMatchObject({ ...goodRow(CHAT, SERVED, USAGE), stream: true })
  })

  it('without any usage is booked by an estimate', async () => {
    bench.answer('chat: a stream without usage')
    expect(textOf(await all(await bench.openai.chat.completions.create({ ...ask, stream: true })))).toBe('Hello there!')
    const { usage } = await bench.lastRow()
    expect(usage).toMatchObject({ source: 'estimated', outputTokens: 3 })
    expect(usage.inputTokens).toBeGreaterThan(0)
  })
})

const get_weather = { type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } }

describe('tools', () => {
  it('are called in parallel', async () => {
    bench.answer('tools: JSON with two calls')
    const { choices } = await bench.openai.chat.completions.create({ ...ask, tools: [get_weather] })
    const calls = choices[0]!.message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[]
    expect(calls.map((call) => JSON.parse(call.function.arguments))).toEqual([{ city: 'Paris' }, { city: 'Rome' }])
    expect(await bench.lastRow()).toMatchObject(goodRow(CHAT, SERVED, USAGE))
  })

  it('are called in parallel by a stream', async () => {
    bench.answer('tools: a stream of parallel calls')
    const stream = bench.openai.chat.completions.stream({ ...ask, tools: [get_weather] })
    const { choices } = await stream.finalChatCompletion()
    const calls = choices[0]!.message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[]
    expect(calls.map((call) => [call.id, call.function.arguments])).toEqual([
      ['call_0', '{"city":"Paris"}'],
      ['call_1', '{"city":"Paris"}'],
    ])
    expect(choices[0]!.finish_reason).toBe('tool_calls')
    expect(await bench.lastRow()).toMatchObject({ ...goodRow(CHAT, SERVED, USAGE), stream: true })
  })

  it('run in the SDK’s own loop, a row for each turn', async () => {
    bench.answer('tools: JSON with two calls')
    await bench.newRows(0)
    const cities: unknown[] = []
    const runner = bench.openai.chat.completions.runTools({
      ...ask,
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'The weather of a city',
            parameters: { type: 'object' },
            parse: JSON.parse as (text: string) => { city: string },
            function: ({ city }: { city: string }) => {
              cities.push(city)
              bench.answer('chat: JSON')
              return 'sunny'
            },
          },
        },
      ],
    })
    expect(await runner.finalContent()).toBe('Fünf.')
    expect(cities).toEqual(['Paris', 'Rome'])
    const { messages } = JSON.parse(bench.lastSeen().body.toString())
    expect(messages.slice(2).map((message: { role: string }) => message.role)).toEqual(['tool', 'tool'])
    expect((await bench.newRows(2)).map(({ status }) => status)).toEqual([200, 200])
  })
})
