import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { anthropicMessages } from '../../src/formats/anthropic-messages/index.ts'
import type { Json } from '../../src/formats/dialect.ts'
import type { HubEvent } from '../../src/formats/hub.ts'
import { openaiChat } from '../../src/formats/openai-chat/index.ts'
import { answerTold } from '../../src/formats/told-answer.ts'
import { fixturesFolder, NO_FIXTURES } from '../helpers/fixtures.ts'
import { meaningOf } from './projection.ts'
import { streams } from './recorded.ts'
import { hubAnswer, loseNothing, streamOf, used } from './samples.ts'

/* What OpenAI's own SDK makes of our streams. */

let server: Server
let openai: OpenAI
let stream = ''

beforeAll(async () => {
  server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(stream)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  openai = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-test', maxRetries: 0 })
})
afterAll(() => new Promise((done) => server.close(done)))

const ask = () => openai.chat.completions.stream({ model: 'm', messages: [], stream_options: { include_usage: true } })
const tell = (events: HubEvent[]) => {
  stream = streamOf(openaiChat, [
    { type: 'start', id: 'chatcmpl-1', model: 'm', created: 7 },
    ...events,
    { type: 'done' },
  ])
}
const finish = (choice = 0, reason: 'stop' | 'tool_calls' | 'length' = 'stop'): HubEvent => ({
  type: 'finish',
  choice,
  reason,
})
const text = (said: string, choice = 0): HubEvent => ({ type: 'text', choice, text: said })

describe('the official SDK of chats', () => {
  it('puts our streams together: text, usage, who and when', async () => {
    tell([text('Hel'), text('lo'), finish(), { type: 'usage', usage: used(5, 2) }])
    expect(await ask().finalChatCompletion()).toMatchObject({
      id: 'chatcmpl-1',
      model: 'm',
      created: 7,
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    })
  })

  it('puts together calls, in parallel, mixed and without arguments', async () => {
    const call = (number: number): HubEvent => ({
      type: 'tool_call',
      choice: 0,
      call: number,
      id: `call_${number}`,
      name: `f${number}`,
    })
    const args = (number: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call: number, json })
    tell([call(0), call(1), call(2), args(0, '{"a"'), args(1, '{}'), args(0, ':1}'), finish(0, 'tool_calls')])
    const { choices } = await ask().finalChatCompletion()
    expect(choices[0]!.finish_reason).toBe('tool_calls')
    expect(choices[0]!.message.content).toBeNull()
    expect(
      choices[0]!.message.tool_calls!.map(
        (one) => one.type === 'function' && [one.id, one.function.name, JSON.parse(one.function.arguments)],
      ),
    ).toEqual([
      ['call_0', 'f0', { a: 1 }],
      ['call_1', 'f1', {}],
      ['call_2', 'f2', {}],
    ])
  })

  it('puts together several choices, refusals, and how sure the model was', async () => {
    tell([
      text('A'),
      { type: 'logprobs', choice: 0, logprobs: [{ token: 'A', logprob: -1, top: [] }] },
      { type: 'refusal', choice: 1, text: 'No' },
      finish(0),
      finish(1),
    ])
    const { choices } = await ask().finalChatCompletion()
    expect(choices).toMatchObject([
      { message: { content: 'A' }, logprobs: { content: [{ token: 'A', bytes: [65] }] } },
      { message: { refusal: 'No' } },
    ])
  })

  it('lets thoughts, seals, citations and comments pass', async () => {
    tell([
      { type: 'reasoning', choice: 0, text: 'Hm' },
      { type: 'signature', choice: 0, signature: 'S' },
      { type: 'ping' },
      text('A'),
      { type: 'citation', choice: 0, citation: { url: 'https://e.com' } },
      finish(),
    ])
    expect((await ask().finalChatCompletion()).choices[0]!.message.content).toBe('A')
  })

  it('has an answer also where nothing was said', async () => {
    tell([])
    expect((await ask().finalChatCompletion()).choices).toMatchObject([
      { finish_reason: 'stop', message: { content: null } },
    ])
  })

  it('fails where the provider failed', async () => {
    const error = { kind: 'overloaded' as const, message: 'Busy', code: null, param: null, retryAfterMs: null }
    tell([text('A'), { type: 'error', error }])
    await expect(ask().finalChatCompletion()).rejects.toThrow('Busy')
  })

  it('fails where the stream was cut', async () => {
    stream = streamOf(openaiChat, [{ type: 'start', id: 'chatcmpl-1', model: 'm', created: 7 }, text('A')])
    await expect(ask().finalChatCompletion()).rejects.toThrow()
  })

  it('reads our whole answers', async () => {
    const call = { type: 'tool_call' as const, id: 'a', name: 'f', arguments: '{}' }
    const facts = { model: 'm', now: 1, request: { tools: [], messages: [] } as never, lose: loseNothing }
    const answer = openaiChat.buildAnswer(hubAnswer([{ type: 'text', text: 'A' }, call], { usage: used(1, 1) }), facts)
    const { port } = server.address() as AddressInfo
    stream = JSON.stringify(answer)
    const client = new OpenAI({
      baseURL: `http://127.0.0.1:${port}/v1`,
      apiKey: 'sk-test',
      fetch: async (url, init) => {
        const { body, status } = await fetch(url, init)
        return new Response(body, { status, headers: { 'content-type': 'application/json' } })
      },
    })
    const read = await client.chat.completions.create({ model: 'm', messages: [] })
    expect(read.choices[0]!.message).toMatchObject({
      content: 'A',
      tool_calls: [{ id: 'a', function: { arguments: '{}' } }],
    })
  })
})

if (fixturesFolder === null) it.skip(`puts together translated recordings (${NO_FIXTURES})`, () => {})
else
  describe('the official SDK of chats, with recorded streams of messages', () => {
    const recorded = streams.filter(({ name, dialect }) => dialect === anthropicMessages && !name.includes('spliced'))

    it.each(recorded)('puts $name together as it was meant', async ({ dialect, events }) => {
      const parser = dialect.createStreamParser()
      const told = events.flatMap((data) => parser.push(JSON.parse(data) as Json, null))
      stream = streamOf(openaiChat, told)
      const answer = openaiChat.parseAnswer((await ask().finalChatCompletion()) as unknown as Json)
      // The SDK keeps the last piece alone of what it does not know: thoughts.
      const { thought: _, ...meant } = meaningOf(answerTold(told))
      expect(meaningOf(answer)).toMatchObject(meant)
    })
  })
