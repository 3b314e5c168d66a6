import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai'
import { chatAnswer, chatEvents, type Script, sseHead } from '../helpers/upstream.ts'
import { all, failureOf, type SdkBench, startSdk } from './sdk.ts'

let bench: SdkBench
beforeAll(async () => {
  bench = await startSdk()
})
beforeEach(() => bench.newRows(0))
afterAll(() => bench.close())

const ask = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Tell me a story' }] }
const gone = { endpoint: '/v1/chat/completions', status: 499, error: 'client_closed', provider: 'openai' }

/** Begins a story, and does not end it. */
const beginsStory: Script = (_req, res) => {
  res.writeHead(200, sseHead)
  for (const event of chatEvents(['Once', ' upon', ' a', ' time']).slice(0, 5)) res.write(event)
}

/** When the provider saw the connection of its last request closed. */
const stoppedAt = () => bench.lastSeen().aborted.then(() => performance.now())

describe('an SDK that stops listening in the middle of a stream', () => {
  it.each(['AbortController', 'stream.controller', 'break'] as const)(
    'with %s stops the provider within 100 ms, and is booked once, by what it has got',
    async (way) => {
      bench.upstream.script(beginsStory)
      const controller = new AbortController()
      const stream = await bench.openai.chat.completions.create({ ...ask, stream: true }, { signal: controller.signal })
      const stopped = stoppedAt()
      let text = ''
      let hungUpAt = 0
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? ''
        if (!text.endsWith('time')) continue
        hungUpAt = performance.now()
        if (way === 'break') break
        if (way === 'AbortController') controller.abort()
        else stream.controller.abort()
      }
      expect((await stopped) - hungUpAt).toBeLessThan(100)
      expect(text).toBe('Once upon a time')
      const rows = await bench.newRows(1)
      expect(rows).toHaveLength(1)
      expect(rows[0]).toMatchObject({
        ...gone,
        stream: true,
        servedModel: 'gpt-4o-2024-08-06',
        usage: { source: 'estimated', outputTokens: 4 },
        attempts: [{ outcome: 'cancelled', status: 200 }],
      })
      expect(rows[0]!.usage.inputTokens).toBeGreaterThan(0)
    },
  )

  it('before the first word raises an abort, stops the provider, and is booked without output', async () => {
    bench.upstream.script(() => {})
    const controller = new AbortController()
    const { openai, tries } = await bench.client()
    const arrival = bench.nextSeen()
    const failed = failureOf(openai.chat.completions.create({ ...ask, stream: true }, { signal: controller.signal }))
    await arrival
    const stopped = stoppedAt()
    const hungUpAt = performance.now()
    controller.abort()
    expect((await stopped) - hungUpAt).toBeLessThan(100)
    expect(await failed).toBeInstanceOf(APIUserAbortError)
    expect(tries()).toBe(1)
    expect(await bench.newRows(1)).toMatchObject([
      { ...gone, stream: true, usage: { outputTokens: 0 }, attempts: [{ outcome: 'cancelled', status: null }] },
    ])
  })
})

describe('an SDK that loses its patience', () => {
  it('raises a timeout, and the provider is stopped with it', async () => {
    bench.upstream.script(() => {})
    const { openai, tries } = await bench.client({ timeout: 100, maxRetries: 0 })
    const arrival = bench.nextSeen()
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(APIConnectionTimeoutError)
    const raisedAt = performance.now()
    expect(await arrival).toBe(bench.lastSeen())
    expect((await stoppedAt()) - raisedAt).toBeLessThan(100)
    expect(tries()).toBe(1)
    expect(await bench.newRows(1)).toMatchObject([{ ...gone, stream: false, usage: { outputTokens: 0 } }])
  })

  it('with a stream that has stalled stops the provider, and is booked by what it has got', async () => {
    bench.upstream.script(beginsStory)
    const stream = await bench.openai.chat.completions.create(
      { ...ask, stream: true },
      { signal: AbortSignal.timeout(150) },
    )
    // An abort ends the SDK's loop without an error: it was the caller's own wish.
    expect((await all(stream)).length).toBeGreaterThan(1)
    await bench.lastSeen().aborted
    expect(await bench.newRows(1)).toMatchObject([
      { ...gone, stream: true, usage: { source: 'estimated', outputTokens: 4 } },
    ])
  })

  it('is booked for each of its tries', async () => {
    bench.upstream.script(() => {})
    const { openai, tries } = await bench.client({ timeout: 50, maxRetries: 1 })
    expect(await failureOf(openai.chat.completions.create(ask))).toBeInstanceOf(APIConnectionTimeoutError)
    expect(tries()).toBe(2)
    expect(await bench.newRows(2)).toMatchObject([gone, gone])
  })
})

describe('an answer that the provider cuts short', () => {
  const cut = { status: 200, error: 'upstream_cut', provider: 'openai' }

  it.each([
    { how: 'by closing the connection', end: (res: ServerResponse) => res.socket!.destroySoon() },
    { how: 'by ending it without [DONE]', end: (res: ServerResponse) => res.end() },
  ])('$how is raised out of the stream, which never ends cleanly', async ({ end }) => {
    bench.upstream.script((req, res, seen) => {
      beginsStory(req, res, seen)
      end(res)
    })
    const stream = await bench.openai.chat.completions.create({ ...ask, stream: true })
    const heard: string[] = []
    const error = await failureOf(
      (async () => {
        for await (const { choices } of stream) heard.push(choices[0]?.delta.content ?? '')
      })(),
    )
    expect(heard.join('')).toBe('Once upon a time')
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: 'upstream_cut' })
    const rows = await bench.newRows(1)
    expect(rows).toMatchObject([{ ...cut, stream: true, usage: { source: 'estimated', outputTokens: 4 } }])
  })

  it('is raised out of a response’s stream', async () => {
    bench.upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      res.end('event: response.created\ndata: {"type":"response.created","response":{"model":"gpt-5"}}\n\n')
    })
    const stream = await bench.openai.responses.create({ model: 'gpt-5', input: 'Hi', stream: true })
    expect(await failureOf(all(stream))).toMatchObject({ code: 'upstream_cut' })
    expect(await bench.newRows(1)).toMatchObject([{ ...cut, endpoint: '/v1/responses', servedModel: 'gpt-5' }])
  })

  it('is raised when it was to be JSON', async () => {
    const whole = JSON.stringify(chatAnswer('A long answer'))
    bench.upstream.script((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
      res.write(whole.slice(0, -20), () => res.socket?.destroySoon())
    })
    const { openai } = await bench.client({ maxRetries: 0 })
    expect(await failureOf(openai.chat.completions.create(ask))).toMatchObject({ message: 'terminated' })
    expect(await bench.newRows(1)).toMatchObject([{ ...cut, stream: false }])
  })
})
