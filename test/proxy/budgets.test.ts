import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import WebSocket from 'ws'
import type { Budget } from '../../src/store/store.ts'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat, eventually } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let now = Date.UTC(2026, 10, 21, 12)
beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, now: () => now })
})
afterEach(() => upstream.script(answering(1_000, 100)))
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** gpt-4o: $2.50 and $10 a million tokens. */
const COST = 1_000 * 2_500 + 100 * 10_000
const answering =
  (prompt_tokens: number, completion_tokens: number): Parameters<Upstream['script']>[0] =>
  (_req, res) =>
    sendJson(res, 200, {
      ...chatAnswer(),
      model: 'gpt-4o',
      usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    })
const daily = (limitNanoUsd: number | null, fields: Partial<Budget> = {}): Budget => ({
  period: 'day',
  limitNanoUsd,
  limitTokens: null,
  resetAt: null,
  ...fields,
})
const manage = async (path: string, method = 'GET', body?: object) => {
  const answer = await ask(`${gateway.url}/manage${path}`, {
    method,
    headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: JSON.parse(answer.body.toString()) }
}
const rowsOf = async (tokenId: string) => (await gateway.rows()).filter((row) => row.tokenId === tokenId)
const say = (token: string, body: object = {}) => chat(gateway.baseUrl, token, { max_tokens: 100, ...body })

describe('a request', () => {
  it('has its cost on its row, to the nano-dollar, and says where the price is from', async () => {
    upstream.script(answering(1_000, 100))
    const { secret, token } = await gateway.token()
    await say(secret)
    expect(await rowsOf(token.id)).toMatchObject([
      { costNanoUsd: BigInt(COST), priceSource: expect.stringMatching(/^genai-prices \d/), reservedNanoUsd: null },
    ])
  })

  it('of a model without a price has none, which is not nothing', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { ...chatAnswer(), model: 'nobody-knows-it' }))
    const { secret, token } = await gateway.token()
    await say(secret, { model: 'nobody-knows-it' })
    expect(await rowsOf(token.id)).toMatchObject([{ costNanoUsd: null, priceSource: null }])
  })

  it('that failed costs nothing', async () => {
    upstream.script((_req, res) => sendJson(res, 400, { error: { message: 'no' } }))
    const { secret, token } = await gateway.token()
    await say(secret)
    expect(await rowsOf(token.id)).toMatchObject([{ costNanoUsd: 0n, usage: { source: 'none' } }])
  })
})

describe('a budget', () => {
  it('that is used up refuses, and says which one it is and when it begins anew', async () => {
    upstream.script(answering(1_000, 100))
    const { secret, token } = await gateway.token({ budgets: [daily(COST + 1_000_000)] })
    expect((await say(secret)).status).toBe(200)
    const refused = await say(secret)
    expect(refused.status).toBe(429)
    expect(refused.header('x-should-retry')).toBe('false')
    expect(JSON.parse(refused.body.toString()).error).toMatchObject({
      code: 'insufficient_quota',
      details: {
        budget: {
          owner: 'token',
          period: 'day',
          limit_usd: '0.0045',
          used_usd: '0.0035',
          resets_at: '2026-11-22T00:00:00.000Z',
        },
      },
    })
    expect(refused.body.toString()).toContain('A smaller `max_tokens` needs less.')
    expect(await rowsOf(token.id)).toMatchObject(
      [
        { status: 429, error: 'insufficient_quota', costNanoUsd: 0n },
        { status: 200, costNanoUsd: BigInt(COST), reservedNanoUsd: expect.anything() },
      ].reverse(),
    )
  })

  it('begins anew the next day', async () => {
    upstream.script(answering(1_000, 100))
    const { secret } = await gateway.token({ budgets: [daily(COST + 1_000_000)] })
    await say(secret)
    expect((await say(secret)).status).toBe(429)
    now += 86_400_000
    expect((await say(secret)).status).toBe(200)
    now -= 86_400_000
  })

  it('is not passed by two hundred requests at once', async () => {
    upstream.script(answering(10, 100))
    const cost = 10 * 2_500 + 100 * 10_000
    const limit = 20 * cost
    const { secret, token } = await gateway.token({ budgets: [daily(limit)] })
    const answers = await Promise.all(Array.from({ length: 200 }, () => say(secret)))
    const ok = answers.filter(({ status }) => status === 200).length
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(200 - ok)
    const rows = await eventually(async () => {
      const all = await rowsOf(token.id)
      return all.length === 200 ? all : null
    }, 'all rows')
    const spent = rows!.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0n), 0n)
    expect(spent).toBe(BigInt(ok * cost))
    expect(spent).toBeLessThanOrEqual(BigInt(limit))
    expect(ok).toBeGreaterThan(5)
  })

  it('shows what a reservation missed: the row has both figures', async () => {
    upstream.script(answering(1_000, 1_000))
    const { secret, token } = await gateway.token({ budgets: [daily(1_000_000_000)] })
    await say(secret)
    const [row] = await rowsOf(token.id)
    expect(row!.costNanoUsd! > row!.reservedNanoUsd!).toBe(true)
  })

  it('in dollars refuses a model that has no price, one in tokens does not', async () => {
    const before = upstream.seen.length
    const { secret } = await gateway.token({ budgets: [daily(1_000_000_000)] })
    const refused = await say(secret, { model: 'nobody-knows-it' })
    expect([refused.status, upstream.seen.length]).toEqual([403, before])
    expect(JSON.parse(refused.body.toString()).error.message).toContain('No price is known')
    const counted = await gateway.token({ budgets: [daily(null, { limitTokens: 10_000 })] })
    expect((await say(counted.secret, { model: 'nobody-knows-it' })).status).toBe(200)
  })

  it('refuses what nobody counts, and lets files and lists pass', async () => {
    const { secret } = await gateway.token({ budgets: [daily(null, { limitTokens: 10_000 })] })
    const call = async (method: string, path: string) => {
      const answer = await ask(`${gateway.baseUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: JSON.stringify({ input_file_id: 'file-1' }) }),
      })
      return answer.status
    }
    expect(await call('POST', '/batches')).toBe(403)
    expect(await call('POST', '/vector_stores')).toBe(200)
    expect(await call('GET', '/files')).toBe(200)
    const socket = new WebSocket(`${gateway.baseUrl.replace('http', 'ws')}/realtime?model=gpt-realtime`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    const status = await new Promise((resolve) => {
      socket.on('error', () => {}).on('unexpected-response', (_req, res) => resolve(res.statusCode))
    })
    expect(status).toBe(403)
  })

  it('is charged what it held back where the provider reports nothing', async () => {
    upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound'))
    const { secret, token } = await gateway.token({ budgets: [daily(1_000_000_000)] })
    await ask(`${gateway.baseUrl}/audio/speech`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Hello' }),
    })
    const [row] = await rowsOf(token.id)
    expect(row).toMatchObject({ status: 200, usage: { source: 'none' }, priceSource: 'reserved' })
    expect(row!.costNanoUsd).toBe(row!.reservedNanoUsd)
    expect(row!.costNanoUsd! > 0n).toBe(true)
  })

  it('counts an answer that its client left, as far as it was written', async () => {
    const { secret, token } = await gateway.token({ budgets: [daily(1_000_000_000)] })
    upstream.script(async (_req, res, seen) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let i = 0; i < 20; i++)
        res.write(`data: {"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"some words here "}}]}\n\n`)
      await seen.aborted
    })
    const controller = new AbortController()
    const answer = await fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      signal: controller.signal,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    await answer.body!.getReader().read()
    controller.abort()
    const row = await eventually(async () => (await rowsOf(token.id))[0], 'the row')
    expect(row).toMatchObject({ status: 499, estimateReason: 'client_abort', usage: { source: 'estimated' } })
    expect(row!.costNanoUsd! > 0n).toBe(true)
    const { body } = await manage(`/budgets?token_id=${token.id}`)
    expect(body.data).toMatchObject([
      { used_tokens: row!.usage.inputTokens + row!.usage.outputTokens, reserved_usd: '0' },
    ])
  })
})

describe('/manage', () => {
  it('takes budgets, shows them, and where they stand', async () => {
    upstream.script(answering(1_000, 100))
    const { project, token, secret } = await gateway.token({}, {})
    const budgets = [
      { period: 'month', limit_usd: '25.5' },
      { period: 'day', limit_tokens: 5_000, limit_usd: 1 },
    ]
    const patched = await manage(`/tokens/${token.id}`, 'PATCH', { budgets })
    expect(patched.body.budgets).toEqual([
      { period: 'month', limit_usd: '25.5', limit_tokens: null, reset_at: null },
      { period: 'day', limit_usd: '1', limit_tokens: 5_000, reset_at: null },
    ])
    await manage(`/projects/${project.id}`, 'PATCH', { budgets: [{ period: 'total', limit_usd: '100' }] })
    await say(secret)
    const { body } = await manage(`/budgets?project_id=${project.id}`)
    const state = { used_usd: '0.0035', used_tokens: 1_100, reserved_usd: '0', reserved_tokens: 0 }
    expect(body.data).toEqual([
      expect.objectContaining({
        ...state,
        owner: { type: 'project', id: project.id },
        left_usd: '99.9965',
        resets_at: null,
      }),
      expect.objectContaining({
        ...state,
        period: 'month',
        left_usd: '25.4965',
        resets_at: '2026-12-01T00:00:00.000Z',
      }),
      expect.objectContaining({ ...state, period: 'day', left_usd: '0.9965', left_tokens: 3_900 }),
    ])
    expect((await manage(`/tokens/${token.id}`, 'PATCH', { budgets: [] })).body.budgets).toBeNull()
  })

  it.each([
    [{ period: 'day' }, 'limit_usd'],
    [{ period: 'year', limit_usd: '1' }, 'period'],
    [{ period: 'day', limit_usd: '-1' }, 'limit_usd'],
    [{ period: 'day', limit_usd: '1e3' }, 'limit_usd'],
    [{ period: 'day', limit_usd: '9000001' }, 'limit_usd'],
    [{ period: 'day', limit_tokens: 0 }, 'limit_tokens'],
  ])('refuses %j for its %s', async (budget, field) => {
    const { token } = await gateway.token()
    const { status, body } = await manage(`/tokens/${token.id}`, 'PATCH', { budgets: [budget] })
    expect(status).toBe(422)
    expect(JSON.stringify(body.error.details)).toContain(field)
  })
})

it('GET /v1/usage tells a token of itself', async () => {
  upstream.script(answering(1_000, 100))
  const { secret, token } = await gateway.token({ maxRequests: 5, budgets: [daily(1_000_000_000)] })
  await say(secret)
  const seen = upstream.seen.length
  const answer = await ask(`${gateway.baseUrl}/usage`, { headers: { authorization: `Bearer ${secret}` } })
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    object: 'usage',
    token: { id: token.id },
    requests: { used: 1, limit: 5 },
    budgets: [{ period: 'day', used_usd: '0.0035', left_usd: '0.9965' }],
    this_month: { cost_usd: '0.0035', tokens: 1_100 },
  })
  expect(upstream.seen).toHaveLength(seen)
})

describe('a client that asks for the cost', () => {
  const asked = { 'x-llm-proxy-include-cost': 'true' }

  it('gets it in a header of a plain answer, which is the same otherwise', async () => {
    upstream.script(answering(1_000, 100))
    const { secret } = await gateway.token()
    const without = await chat(gateway.baseUrl, secret)
    const answer = await chat(gateway.baseUrl, secret, {}, asked)
    expect([without.header('x-llm-proxy-cost-usd'), answer.header('x-llm-proxy-cost-usd')]).toEqual([
      undefined,
      '0.0035',
    ])
    expect(answer.body).toEqual(without.body)
    expect(answer.header('content-length')).toBe(without.header('content-length'))
  })

  it('is told that there is none', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { ...chatAnswer(), model: 'nobody-knows-it' }))
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, { model: 'nobody-knows-it' }, asked)
    expect(answer.header('x-llm-proxy-cost-usd')).toBe('unpriced')
  })

  it('gets it as the last comment of a stream', async () => {
    upstream.script((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: {"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')
      res.write('data: {"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}\n\n')
      res.end('data: [DONE]\n\n')
    })
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, { stream: true }, asked)
    expect(answer.body.toString()).toMatch(/data: \[DONE\]\n\n: x-llm-proxy-cost-usd 0\.0035\n\n$/)
    expect((await chat(gateway.baseUrl, secret, { stream: true })).body.toString()).toMatch(/data: \[DONE\]\n\n$/)
  })

  it('hears in full of an answer that broke off, since nothing of it had been sent', async () => {
    upstream.script((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
      res.write('{"id":')
      setTimeout(() => res.destroy(), 20)
    })
    const { secret, token } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, {}, asked)
    expect([answer.status, answer.ended, JSON.parse(answer.body.toString()).error.code]).toEqual([
      502,
      'clean',
      'upstream_cut',
    ])
    expect(await rowsOf(token.id)).toMatchObject([
      { status: 502, error: 'upstream_cut', estimateReason: 'upstream_cut' },
    ])
  })

  it('gets a long answer as it comes, without', async () => {
    const body = JSON.stringify({ ...chatAnswer(), padding: 'x'.repeat(3 * 1024 * 1024) })
    upstream.script((_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(body))
    const { secret } = await gateway.token()
    const answer = await chat(gateway.baseUrl, secret, {}, asked)
    expect([answer.header('x-llm-proxy-cost-usd'), answer.body.toString() === body]).toEqual([undefined, true])
  })
})

describe('a stream whose client leaves, with ON_CLIENT_ABORT=drain', () => {
  let draining: TestGateway
  beforeAll(async () => {
    draining = await startTestGateway({ upstream: upstream.url, config: { onClientAbort: 'drain' } })
  })
  afterAll(() => draining.stop())

  /** Leaves after the first piece; the row. */
  async function leave() {
    const { secret, token } = await draining.token()
    const controller = new AbortController()
    const answer = await fetch(`${draining.baseUrl}/chat/completions`, {
      method: 'POST',
      signal: controller.signal,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    await answer.body!.getReader().read()
    controller.abort()
    return eventually(async () => (await draining.rows()).find(({ tokenId }) => tokenId === token.id), 'the row')
  }
  const chunk = (content: string) =>
    `data: {"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`

  it('is read on, and booked with the provider’s own count', async () => {
    upstream.script(async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let i = 0; i < 10; i++) {
        res.write(chunk('word '))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      res.end(
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' +
          'data: {"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}\n\ndata: [DONE]\n\n',
      )
    })
    expect(await leave()).toMatchObject({
      status: 499,
      error: 'client_closed',
      usage: { inputTokens: 1_000, outputTokens: 100, source: 'reported' },
      estimateReason: null,
      costNanoUsd: BigInt(COST),
    })
  })

  it('is not read for ever: past 4 MB the provider is stopped, and what came is estimated', async () => {
    const stopped = Promise.withResolvers<void>()
    upstream.script(async (_req, res, seen) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const many = chunk('x'.repeat(1_000)).repeat(100)
      const timer = setInterval(() => res.write(many), 2)
      await seen.aborted
      clearInterval(timer)
      stopped.resolve()
    })
    const row = await leave()
    await stopped.promise
    expect(row).toMatchObject({ status: 499, usage: { source: 'estimated' }, estimateReason: 'client_abort' })
  })
})
