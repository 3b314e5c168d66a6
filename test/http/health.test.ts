import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'

let gateway: TestGateway
let now: number
beforeEach(async () => {
  now = Date.UTC(2026, 10, 21)
  gateway = await startTestGateway({ upstream: 'http://127.0.0.1:9/v1', now: () => now })
})
afterEach(() => gateway.stop())

const get = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await ask(`${gateway.url}${path}`, { headers })
  const text = answer.body.toString()
  return { answer, status: answer.status, text, json: () => JSON.parse(text) as Record<string, unknown> }
}

describe('who asks whether the process lives', () => {
  it.each(['/health', '/live'])('is told at %s, with its age, without a token', async (path) => {
    now += 61_999
    const { status, json } = await get(path)
    expect([status, json()]).toEqual([200, { status: 'ok', uptime_seconds: 61 }])
  })

  it('is told so also while it drains', async () => {
    gateway.ctx.life.draining = true
    expect((await get('/health')).status).toBe(200)
    gateway.ctx.life.draining = false
  })
})

describe('who asks whether it is ready', () => {
  it('is told yes, with what was looked at', async () => {
    const { status, json } = await get('/ready')
    expect([status, json()]).toEqual([
      200,
      { status: 'ready', checks: { process: 'ok', database: 'ok', provider: 'ok' } },
    ])
  })

  it('is told no while it drains', async () => {
    gateway.ctx.life.draining = true
    expect(await get('/ready').then(({ status, json }) => [status, json()])).toMatchObject([
      503,
      { status: 'not_ready', checks: { process: 'draining' } },
    ])
    gateway.ctx.life.draining = false
  })

  it('is told no when the database cannot be read, without the reason', async () => {
    const { store } = gateway.ctx
    const status = store.status
    store.status = async () => {
      throw new Error('/data/secret-path is corrupt')
    }
    const { text, json, answer } = await get('/ready')
    store.status = status
    expect([answer.status, json()]).toMatchObject([503, { checks: { database: 'cannot read' } }])
    expect(text).not.toContain('secret-path')
  })

  it('is told no when the ledger cannot be written', async () => {
    gateway.ctx.ledger.failing = () => true
    expect((await get('/ready')).json()).toMatchObject({ status: 'not_ready', checks: { database: 'cannot write' } })
  })

  it('is told no when there is no provider key, neither configured nor of a project', async () => {
    const bare = await startTestGateway({ config: { demo: false } })
    const answer = await ask(`${bare.url}/ready`)
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      503,
      { checks: { provider: 'no provider key is configured' } },
    ])
    await bare.stop()
  })
})

describe('metrics', () => {
  it.each(['/metrics', '/api/metrics'])('at %s are for the holder of the management token', async (path) => {
    const { answer, text } = await get(path, { authorization: `Bearer ${MANAGEMENT_TOKEN}` })
    expect([answer.status, answer.header('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(text).toContain('# TYPE llmproxy_requests_total counter')
  })

  it.each([
    ['nothing', {}],
    ['another token', { authorization: 'Bearer wrong' }],
    ['half of it', { authorization: `Bearer ${MANAGEMENT_TOKEN.slice(0, -1)}` }],
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['basic credentials', { authorization: `Basic ${MANAGEMENT_TOKEN}` }],
    ['another header', { 'x-api-key': MANAGEMENT_TOKEN }],
  ])('are refused to who shows %s', async (_what, headers) => {
    const { answer, json, text } = await get('/metrics', headers as Record<string, string>)
    expect([answer.status, json()]).toMatchObject([401, { error: { code: 'unauthorized' } }])
    expect(answer.header('www-authenticate')).toBe('Bearer')
    expect(text).not.toContain('llmproxy_')
  })

  it('are refused to the holder of a proxy token', async () => {
    const { secret } = await gateway.token()
    expect((await get('/metrics', { authorization: `Bearer ${secret}` })).status).toBe(401)
  })
})

describe('the models', () => {
  const status = async () =>
    (await get('/api/status', { authorization: `Bearer ${MANAGEMENT_TOKEN}` })).json() as { models: unknown[] }

  it('at /api/status are told of to the holder of the management token alone', async () => {
    const { secret } = await gateway.token()
    for (const headers of [{}, { authorization: `Bearer ${secret}` }]) {
      const { answer, json } = await get('/api/status', headers as Record<string, string>)
      expect([answer.status, json()]).toMatchObject([401, { error: { code: 'unauthorized' } }])
    }
    expect(await status()).toEqual({ models: [] })
  })

  it('that were asked for are there with how they answer; a name that only ever was refused is not', async () => {
    const { live } = gateway.ctx
    const lane = (provider: string, model: string) => ({ provider, keyId: 'shared', model })
    const answered = live.begin(lane('openai', 'gpt-4o'))
    now += 300
    answered.firstEvent()
    answered.end('answered')
    live.begin(lane('openai', 'made-up')).end('answered')
    for (let i = 0; i < 5; i++) live.begin(lane('anthropic', 'claude-opus-4-8')).end('failed')
    live.begin(lane('azure', 'gpt-4o')).end('failed')
    expect(await status()).toEqual({
      models: [
        { name: 'claude-opus-4-8', available: false, latency_ms: null },
        { name: 'gpt-4o', available: true, latency_ms: 300 },
      ],
    })
  })
})

describe('an address that nobody knows', () => {
  it.each(['/nothing', '/V1/models', '/v2/models', '/health/x', '/metrics/x', '/v1x', '/%00', '/manage2'])(
    'is 404 in the shape of all errors: %s',
    async (path) => {
      const { answer, json } = await get(path)
      expect([answer.status, json()]).toEqual([
        404,
        {
          error: { message: 'Unknown request URL.', type: 'invalid_request_error', param: null, code: 'unknown_route' },
        },
      ])
      expect(answer.header('content-type')).toContain('application/json')
      expect(answer.header('x-powered-by')).toBeUndefined()
    },
  )

  it('with a broken escape is refused in that shape too', async () => {
    const { answer, json } = await get('/%zz')
    expect([answer.status >= 400 && answer.status < 500, json()]).toMatchObject([
      true,
      { error: { type: 'invalid_request_error' } },
    ])
  })

  it('is 404 for every method', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await ask(`${gateway.url}/nothing`, { method, body: '{"a":' })
      expect([method, answer.status]).toEqual([method, 404])
    }
  })
})

it('what fails without a reason is told as 500 without one, and the reason is in the log', async () => {
  gateway.ctx.metrics.registry.metrics = async () => {
    throw new Error('very private reason')
  }
  const { status, text, json } = await get('/metrics', { authorization: `Bearer ${MANAGEMENT_TOKEN}` })
  expect([status, json()]).toMatchObject([500, { error: { code: 'internal_error', type: 'api_error' } }])
  expect([text.includes('private'), gateway.logs().includes('very private reason')]).toEqual([false, true])
})
