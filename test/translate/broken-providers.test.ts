import { afterEach, expect, it } from '@jest/globals'
import type { Config } from '../../src/config/config.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually } from '../helpers/http.ts'
import { type Script, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { frame, message, messageEvents } from './upstreams.ts'

/* Providers that do what none should, where the answer is translated. */

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const MODEL = 'anthropic:claude-sonnet-4-6'
const budgets = [{ period: 'day' as const, limitNanoUsd: 10_000_000_000, limitTokens: null, resetAt: null }]

async function start(script: Script, config: Partial<Config> = {}) {
  upstream = await startUpstream(script)
  gateway = await startTestGateway({
    config: { providers: { anthropic: { apiKey: 'anthropic-key-0123456789', baseUrl: upstream.url } }, ...config },
  })
  const { secret } = await gateway.token({ budgets })
  return secret
}

const reserved = async (secret: string) => {
  const answer = await fetch(`${gateway.baseUrl}/usage`, { headers: { authorization: `Bearer ${secret}` } })
  return ((await answer.json()) as { budgets: { reserved_usd: string }[] }).budgets[0]!.reserved_usd
}

const streaming =
  (events: object[], ends = true): Script =>
  (_req, res) => {
    res.writeHead(200, sseHead)
    for (const event of events) res.write(frame(event))
    if (ends) res.end()
  }

it('a stream ends with its last event, also where the provider does not hang up', async () => {
  const secret = await start(streaming(messageEvents(['Hello']), false))
  const answer = await chat(gateway.baseUrl, secret, { model: MODEL, stream: true })
  expect(answer.ended).toBe('clean')
  expect(String(answer.body)).toMatch(/Hello.*\[DONE\]\n\n$/s)
  expect(await gateway.rows()).toMatchObject([{ status: 200, usage: { source: 'reported' } }])
})

it('a provider that goes on and on behind its last event is hung up on', async () => {
  const secret = await start((_req, res) => {
    res.writeHead(200, sseHead)
    for (const event of messageEvents(['Hello'])) res.write(frame(event))
    const more = setInterval(() => res.write(`: ${'x'.repeat(16_000)}\n\n`), 1)
    res.once('close', () => clearInterval(more))
  })
  const answer = await chat(gateway.baseUrl, secret, { model: MODEL, stream: true })
  expect(answer.ended).toBe('clean')
  await (await upstream.next()).aborted
})

it('an encoding that nobody knows is an error, and the provider is hung up on', async () => {
  const secret = await start((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'rot13' })
    res.write('x')
  })
  const answer = await chat(gateway.baseUrl, secret, { model: MODEL })
  expect(answer.status).toBe(502)
  await (await upstream.next()).aborted
})

it('an answer that is nested too deeply to be told is an error of the provider', async () => {
  const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  const content = [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: 'DEEP' }]
  const secret = await start((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(message({ content })).replace('"DEEP"', deep))
  })
  const answer = await chat(gateway.baseUrl, secret, { model: MODEL })
  expect([answer.status, String(answer.body)]).toEqual([502, expect.stringContaining('cannot be read')])
})

it('a page instead of an error is told by its beginning', async () => {
  const error = { type: 'invalid_request_error', message: 'No.', page: 'x'.repeat(5_000_000) }
  const secret = await start((_req, res) => sendJson(res, 400, { type: 'error', error }))
  const answer = await chat(gateway.baseUrl, secret, { model: MODEL })
  expect([answer.status, answer.body.length < 10_000]).toEqual([400, true])
})

it.each(['cancel', 'drain'] as const)(
  'a client that leaves a stream is booked once, and gets back what was held for it (%s)',
  async (onClientAbort) => {
    let goOn = () => {}
    const secret = await start(
      (_req, res) => {
        res.writeHead(200, sseHead)
        const events = messageEvents(['Hello ', 'you'])
        for (const event of events.slice(0, 4)) res.write(frame(event))
        goOn = () => {
          for (const event of events.slice(4)) res.write(frame(event))
          res.end()
        }
      },
      { onClientAbort },
    )
    const leaving = new AbortController()
    const answer = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
      signal: leaving.signal,
    })
    await answer.body!.getReader().read()
    leaving.abort()
    const seen = await upstream.next()
    if (onClientAbort === 'cancel') await seen.aborted
    else {
      await eventually(() => gateway.ctx.life.running === 0)
      goOn()
    }
    const [row, ...others] = await eventually(async () => {
      const rows = await gateway.rows()
      return rows.length > 0 && rows
    })
    expect(others).toEqual([])
    expect(row).toMatchObject({
      status: 499,
      error: 'client_closed',
      usage: { inputTokens: 20, source: onClientAbort === 'cancel' ? 'estimated' : 'reported' },
    })
    expect(await reserved(secret)).toBe('0')
  },
)

it('a client that does not read holds the provider back', async () => {
  let written = 0
  const secret = await start((_req, res) => {
    res.writeHead(200, sseHead)
    for (const event of messageEvents([]).slice(0, 3)) res.write(frame(event))
    const event = frame({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'x'.repeat(60_000) },
    })
    const write = () => {
      while (written < 400_000_000) {
        written += event.length
        if (!res.write(event)) return void res.once('drain', write)
      }
    }
    write()
  })
  const leaving = new AbortController()
  await fetch(`${gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    signal: leaving.signal,
  })
  // It has come to a stand when other requests find nothing more written.
  let before = -1
  await eventually(async () => {
    for (let round = 0; round < 20; round++) await reserved(secret)
    const stands = written === before
    before = written
    return stands
  })
  expect(written).toBeLessThan(60_000_000)
  leaving.abort()
  await (await upstream.next()).aborted
})

it.each([
  ['openai-chat', '/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }, 'chat.completion'],
  ['openai-responses', '/responses', { input: 'Hi' }, '"object":"response"'],
])('a client that wants no stream gets none, though the provider streams (%s)', async (_name, path, body, shape) => {
  const secret = await start(streaming(messageEvents(['Hello ', 'you'])))
  const ask = () =>
    fetch(`${gateway.baseUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, ...body }),
    })
  const answer = await ask()
  expect(answer.headers.get('content-type')).toContain('application/json')
  const text = await answer.text()
  expect(JSON.parse(text)).toBeInstanceOf(Object)
  expect([text, text]).toEqual([expect.stringContaining('Hello you'), expect.stringContaining(shape)])
  upstream.script(streaming(messageEvents(['Hello ', 'you']).slice(0, 4)))
  expect((await ask()).status).toBe(502)
  upstream.script(streaming([{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }]))
  const failed = await ask()
  expect([failed.status, await failed.text()]).toEqual([503, expect.stringContaining('Overloaded')])
  const [whole, cut, failure] = await gateway.rows()
  expect(whole).toMatchObject({ status: 200, usage: { inputTokens: 20, outputTokens: 5, source: 'reported' } })
  expect(cut).toMatchObject({ status: 502, error: 'upstream_cut', usage: { source: 'estimated' } })
  expect(failure).toMatchObject({ status: 503, error: 'upstream_error', costNanoUsd: 0n })
})
