import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Config } from '../../../src/config/config.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask, chat, eventually } from '../../helpers/http.ts'
import {
  chatAnswer,
  type Script,
  sendJson,
  sseHead,
  startUpstream,
  streamChat,
  type Upstream,
} from '../../helpers/upstream.ts'

const RETRY: Config['retry'] = { maxRetries: 2, initialBackoffMs: 1, maxBackoffMs: 40, factor: 2, jitter: 0 }
let upstream: Upstream
let gateway: TestGateway
let secret: string

const start = async (config: Partial<Config> = {}, url = upstream.url) => {
  gateway = await startTestGateway({ upstream: url, config: { retry: RETRY, ...config } })
  secret = (await gateway.token()).secret
}
beforeEach(async () => {
  upstream = await startUpstream()
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

/** The provider does one thing after the other, and the last one for good. */
const inTurn = (...scripts: Script[]) => {
  const left = [...scripts]
  upstream.script((req, res, seen) => (left.length > 1 ? left.shift()! : left[0]!)(req, res, seen))
}
const says =
  (status: number, headers: Record<string, string> = {}): Script =>
  (_req, res) =>
    sendJson(res, status, { error: { message: `says ${status}` } }, headers)
const ok: Script = (_req, res) => sendJson(res, 200, chatAnswer())
const hangsUp: Script = (_req, res) => void res.destroy()
/** Where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
const lastRow = async () => (await gateway.rows()).at(-1)!

describe('a request is tried again', () => {
  it.each([
    ['500, then 200', says(500), [[500, 'failed']]],
    ['429 without a word of when', says(429), [[429, 'failed']]],
    ['429 that asks for a moment', says(429, { 'retry-after-ms': '3' }), [[429, 'failed']]],
    ['529 of an overloaded provider', says(529), [[529, 'failed']]],
  ])('after %s, with the same bytes', async (_what, first, attempts) => {
    await start()
    inTurn(first, ok)
    const answer = await chat(gateway.baseUrl, secret)
    expect([answer.status, answer.header('x-llm-proxy-attempts'), answer.header('x-should-retry')]).toEqual([
      200,
      '2',
      undefined,
    ])
    expect(upstream.seen).toHaveLength(2)
    expect(upstream.seen[1]!.body).toEqual(upstream.seen[0]!.body)
    const row = await lastRow()
    expect(row.attempts.map(({ status, outcome }) => [status, outcome])).toEqual([...attempts, [200, 'answered']])
    expect(row).toMatchObject({ status: 200, error: null, usage: { inputTokens: 9, outputTokens: 3 } })
    expect(await gateway.rows()).toHaveLength(1)
  })

  it('before the first byte of a stream, and the client sees one stream', async () => {
    await start()
    inTurn(says(503), streamChat(['Hel', 'lo']))
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.body.toString().match(/\[DONE\]/g)).toHaveLength(1)
    expect([answer.ended, answer.header('x-llm-proxy-attempts')]).toEqual(['clean', '2'])
  })

  it('after a connection that breaks, when sending it twice changes nothing', async () => {
    await start()
    inTurn(hangsUp, ok)
    const answer = await ask(`${gateway.baseUrl}/files`, { headers: { authorization: `Bearer ${secret}` } })
    expect([answer.status, answer.header('x-llm-proxy-attempts')]).toEqual([200, '2'])
    expect((await lastRow()).attempts).toMatchObject([
      { status: null, outcome: 'failed', error: 'unreachable' },
      { status: 200 },
    ])
  })

  it('when nobody listened, and then somebody does', async () => {
    const port = await freePort()
    await start({ retry: { ...RETRY, maxRetries: 500, maxBackoffMs: 5 } }, `http://127.0.0.1:${port}/v1`)
    const answered = chat(gateway.baseUrl, secret)
    const unsent = () => gateway.ctx.metrics.registry.getSingleMetricAsString('llmproxy_upstream_attempts_total')
    await eventually(async () => (await unsent()).includes('outcome="unsent"'), 'a first try')
    const late = createServer((_req, res) => sendJson(res, 200, chatAnswer()))
    await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve))
    expect((await answered).status).toBe(200)
    const outcomes = (await lastRow()).attempts.map(({ outcome }) => outcome)
    expect([outcomes[0], outcomes.at(-1)]).toEqual(['unsent', 'answered'])
    late.closeAllConnections()
    await new Promise((resolve) => late.close(resolve))
  })
})

describe('the last failure', () => {
  it('is the provider’s own, with the word that more tries are no use', async () => {
    await start()
    inTurn(says(500), says(503), says(502))
    const answer = await chat(gateway.baseUrl, secret)
    expect([answer.status, answer.body.toString()]).toEqual([502, '{"error":{"message":"says 502"}}'])
    expect([answer.header('x-llm-proxy-attempts'), answer.header('x-should-retry')]).toEqual(['3', 'false'])
    const row = await lastRow()
    expect(row.attempts.map(({ status }) => status)).toEqual([500, 503, 502])
    expect(row).toMatchObject({ status: 502, error: 'upstream_error', usage: { source: 'none' } })
  })

  it('to reach the provider at all is told as 502, once all tries are used', async () => {
    await start({}, `http://127.0.0.1:${await freePort()}/v1`)
    const answer = await chat(gateway.baseUrl, secret)
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      502,
      { error: { code: 'upstream_unreachable' } },
    ])
    expect([answer.header('x-llm-proxy-attempts'), answer.header('x-should-retry')]).toEqual(['3', 'false'])
    expect((await lastRow()).attempts.map(({ outcome }) => outcome)).toEqual(['unsent', 'unsent', 'unsent'])
  })

  it('says so alone, also where the provider itself asks for more tries', async () => {
    await start()
    upstream.script(says(529, { 'x-should-retry': 'true' }))
    const answer = await chat(gateway.baseUrl, secret)
    const said = answer.headers.filter((_part, index) => answer.headers[index - 1]?.toLowerCase() === 'x-should-retry')
    expect(said).toEqual(['false'])
  })
})

describe('a request is not tried again', () => {
  it.each([
    ['after an answer that would be the same', says(400), 400],
    ['when the provider says so', says(500, { 'x-should-retry': 'false' }), 500],
    ['when the provider asks for more time than there is', says(429, { 'retry-after': '60' }), 429],
  ])('%s', async (_when, script, status) => {
    await start()
    upstream.script(script)
    const answer = await chat(gateway.baseUrl, secret)
    expect([answer.status, answer.header('x-llm-proxy-attempts'), upstream.seen.length]).toEqual([status, '1', 1])
  })

  it('where MAX_RETRIES is 0, and the client is free to', async () => {
    await start({ retry: { ...RETRY, maxRetries: 0 } })
    for (const script of [says(500), hangsUp]) {
      upstream.script(script)
      const answer = await chat(gateway.baseUrl, secret)
      expect([answer.header('x-llm-proxy-attempts'), answer.header('x-should-retry')]).toEqual(['1', undefined])
    }
    expect(upstream.seen).toHaveLength(2)
  })

  it('once a byte has reached the client', async () => {
    await start()
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      res.write('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n', () => res.destroy())
    })
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect([answer.ended, upstream.seen.length]).toEqual(['broken', 1])
    expect((await lastRow()).attempts).toMatchObject([{ outcome: 'failed', error: 'cut' }])
  })

  it('when it was sent, may have been carried out, and must then not be paid for twice', async () => {
    await start()
    upstream.script(hangsUp)
    const answer = await chat(gateway.baseUrl, secret)
    expect([
      answer.status,
      answer.header('x-llm-proxy-attempts'),
      answer.header('x-should-retry'),
      upstream.seen.length,
    ]).toEqual([502, '1', undefined, 1])
    expect((await lastRow()).attempts).toMatchObject([{ outcome: 'failed', error: 'unreachable' }])
  })

  it('when its body passed as a stream', async () => {
    await start()
    upstream.script(says(500))
    const answer = await ask(`${gateway.baseUrl}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(100_000),
    })
    expect([answer.status, answer.header('x-llm-proxy-attempts'), upstream.seen.length]).toEqual([500, '1', 1])
    upstream.script(hangsUp)
    const cut = await ask(`${gateway.baseUrl}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(100_000),
    })
    expect([cut.status, upstream.seen.length]).toEqual([502, 2])
  })

  it('when the client has gone while it waited to', async () => {
    await start({ retry: { ...RETRY, initialBackoffMs: 60_000, maxBackoffMs: 60_000 } })
    upstream.script(says(500))
    const controller = new AbortController()
    const asked = fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: '{"model":"gpt-4o","messages":[]}',
      signal: controller.signal,
    }).catch(() => null)
    const failed = () => gateway.ctx.metrics.registry.getSingleMetricAsString('llmproxy_upstream_attempts_total')
    await eventually(async () => (await failed()).includes('outcome="failed"'), 'the first failure')
    controller.abort()
    await asked
    const row = await eventually(async () => (await gateway.rows())[0], 'the row')
    expect([row.status, row.error, row.attempts.length, upstream.seen.length]).toEqual([499, 'client_closed', 1, 1])
  })
})

it('no attempt is left open in the metrics, however it ended', async () => {
  await start()
  for (const script of [ok, says(500), hangsUp, says(400)]) {
    upstream.script(script)
    await chat(gateway.baseUrl, secret)
  }
  const active = await gateway.ctx.metrics.registry.getSingleMetricAsString('llmproxy_active_requests')
  expect(active).toContain('llmproxy_active_requests{provider="openai"} 0')
})
