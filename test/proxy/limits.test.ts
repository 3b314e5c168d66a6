import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const none = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null }
const codeOf = (answer: { body: Buffer }) =>
  (JSON.parse(answer.body.toString()) as { error?: { code: string } }).error?.code
const race = (count: number, secret: string, body = {}) =>
  Promise.all(Array.from({ length: count }, () => chat(gateway.baseUrl, secret, body)))

describe('three hundred requests at once', () => {
  it.each([
    ['max_requests', { maxRequests: 50 }, 'insufficient_quota'],
    ['requests per minute', { rateLimit: { ...none, requestsPerMinute: 50 } }, 'rate_limit_exceeded'],
  ])('let exactly fifty through when %s is fifty', async (_what, limit, code) => {
    const before = upstream.seen.length
    const { secret, token } = await gateway.token(limit)
    const answers = await race(300, secret)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50)
    expect(answers.filter((answer) => answer.status === 429 && codeOf(answer) === code)).toHaveLength(250)
    expect(upstream.seen.length - before).toBe(50)
    const rows = (await gateway.rows()).filter(({ tokenId }) => tokenId === token.id)
    expect(rows).toHaveLength(300)
    expect((await gateway.ctx.store.tokens.get(token.id))?.requestCount).toBe(50)
  })

  it('let exactly fifty through when fifty may run at a time, and fifty more once those have ended', async () => {
    const { secret } = await gateway.token({ rateLimit: { ...none, concurrentRequests: 50 } })
    const held: (() => void)[] = []
    upstream.script((_req, res) => void held.push(() => sendJson(res, 200, chatAnswer())))
    let refused = 0
    const first = Array.from({ length: 300 }, async () => {
      const answer = await chat(gateway.baseUrl, secret)
      if (answer.status === 429) refused++
    })
    await eventually(() => refused === 250, '250 refusals')
    expect(held).toHaveLength(50)
    for (const answer of held.splice(0)) answer()
    await Promise.all(first)
    const second = race(50, secret)
    await eventually(() => held.length === 50, 'fifty more at the provider')
    for (const answer of held.splice(0)) answer()
    expect((await second).every(({ status }) => status === 200)).toBe(true)
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
  })

  it('of several tokens never pass their project', async () => {
    const { secret, project } = await gateway.token({}, { rateLimit: { ...none, requestsPerMinute: 40 } })
    const { secret: other } = await gateway.token({ projectId: project.id })
    const answers = (await Promise.all([race(100, secret), race(100, other)])).flat()
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40)
  })
})

describe('tokens per minute', () => {
  it('are reserved before a request leaves and corrected by what it used', async () => {
    upstream.script((_req, res) =>
      sendJson(res, 200, chatAnswer('ok', { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 })),
    )
    const { secret } = await gateway.token({ rateLimit: { ...none, tokensPerMinute: 1000 } })
    const first = await chat(gateway.baseUrl, secret, { max_tokens: 900 })
    expect(first.header('x-ratelimit-limit-tokens')).toBe('1000')
    expect(Number(first.header('x-ratelimit-remaining-tokens'))).toBeLessThan(100)
    const second = await chat(gateway.baseUrl, secret, { max_tokens: 900 })
    expect(second.status).toBe(200)
    const both = await race(2, secret, { max_tokens: 900 })
    expect(both.map(({ status }) => status).sort()).toEqual([200, 429])
  })

  it('refuse a request that could never fit, and say that trying again is no use', async () => {
    const { secret } = await gateway.token({ rateLimit: { ...none, tokensPerMinute: 100 } })
    const answer = await chat(gateway.baseUrl, secret, { max_tokens: 5000 })
    expect([answer.status, answer.header('x-should-retry'), codeOf(answer)]).toEqual([
      429,
      'false',
      'rate_limit_exceeded',
    ])
    expect(answer.body.toString()).toContain('100 tokens a minute')
  })
})

it('tells of a limit in the headers that OpenAI uses', async () => {
  const { secret } = await gateway.token({ rateLimit: { ...none, requestsPerMinute: 2 } })
  const first = await chat(gateway.baseUrl, secret)
  expect([first.header('x-ratelimit-limit-requests'), first.header('x-ratelimit-remaining-requests')]).toEqual([
    '2',
    '1',
  ])
  expect(first.header('x-ratelimit-reset-requests')).toMatch(/^(1m\ds|[56]\ds)$/)
  await chat(gateway.baseUrl, secret)
  const refused = await chat(gateway.baseUrl, secret)
  expect(refused.status).toBe(429)
  expect(Number(refused.header('retry-after'))).toBeGreaterThan(55)
  expect(refused.header('x-ratelimit-remaining-requests')).toBe('0')
})

it('gives concurrency back when the client hangs up, the provider fails, or the request is refused', async () => {
  const { secret } = await gateway.token({ rateLimit: { ...none, concurrentRequests: 1 } })
  upstream.script((_req, res) => void res.destroy())
  expect((await chat(gateway.baseUrl, secret)).status).toBe(502)
  upstream.script((_req, res) => sendJson(res, 401, {}))
  expect((await chat(gateway.baseUrl, secret)).status).toBe(502)
  expect((await chat(gateway.baseUrl, secret, { model: 'mistral:x' })).status).toBe(404)
  upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
  expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
})

it('lets nothing through that arrives after a revoke has returned, however many are on their way', async () => {
  const { secret, token } = await gateway.token()
  const stamp = {
    id: 'aud_r',
    at: 1,
    actor: 'system',
    ip: null,
    userAgent: null,
    action: 'x',
    targetId: null,
    projectId: null,
    outcome: 'success' as const,
    reason: null,
  }
  const early = race(100, secret)
  await gateway.ctx.store.tokens.revoke(token.id, Date.now(), stamp)
  const late = await race(100, secret)
  expect(late.every((answer) => answer.status === 401 && codeOf(answer) === 'token_revoked')).toBe(true)
  const statuses = new Set((await early).map(({ status }) => status))
  for (const status of statuses) expect([200, 401]).toContain(status)
})

it('does not count against a restart: max_requests goes on where it was', async () => {
  const { secret, token } = await gateway.token({ maxRequests: 3 })
  await race(2, secret)
  expect((await gateway.ctx.store.tokens.get(token.id))?.requestCount).toBe(2)
  expect((await race(5, secret)).filter(({ status }) => status === 200)).toHaveLength(1)
})
