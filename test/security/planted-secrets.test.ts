import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import WebSocket from 'ws'
import { type ChildGateway, startChildGateway } from '../helpers/child.ts'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { ask, eventually, type RawAnswer, raw } from '../helpers/http.ts'
import { type Script, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { filesBelow, letters, Planted } from './planted.ts'

/*
 * Recognisable secrets are put everywhere, every error that can be thought of is forced, and then all that was written or said
 * is searched for them.
 */

const planted = new Planted()
const SHARED = planted.plant('provider key of the environment', letters(32))
const OWN = planted.plant('provider key of a project', letters(32))
const STATIC = planted.plant('static client key', letters(24))
const WRONG = planted.plant('key of a stranger', letters(28))
const FOREIGN = planted.plant('a real key sent by mistake', `sk-proj-${letters(40)}`)
const COOKIE = planted.plant('cookie', letters(26))
const ENCRYPTION = Buffer.from(letters(32))
planted.plant('encryption key', ENCRYPTION.toString())
planted.plant('management token', MANAGEMENT_TOKEN)

let upstream: Upstream
let gateway: ChildGateway
/** Everything that any caller was told, with what was asked. */
const said: [string, string][] = []

type Made = { id: string; token: string }
const made: Record<string, Made> = {}
const sent: string[] = []

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startChildGateway({
    upstream: upstream.url,
    env: {
      OPENAI_API_KEY: SHARED,
      PROXY_API_KEYS: STATIC,
      ENCRYPTION_KEY: ENCRYPTION.toString('base64'),
      LOG_LEVEL: 'debug',
      MAX_BODY_MB: '0.01',
      MAX_RETRIES: '1',
      INITIAL_BACKOFF: '1',
      TIMEOUT_HEADERS_MS: '150',
      TIMEOUT_FIRST_TOKEN_MS: '150',
      TIMEOUT_IDLE_MS: '150',
    },
  })
  const project = async (body: object) => (await gateway.manage<{ id: string }>('POST', '/projects', body)).id
  const own = await project({ name: 'own key', api_key: OWN })
  const token = async (name: string, fields: object) => {
    made[name] = await gateway.manage<Made>('POST', '/tokens', { project_id: own, name, ...fields })
    planted.plant(`token: ${name}`, made[name].token)
  }
  await token('own', {})
  await token('revoked', {})
  const soon = Date.now() + 200
  await token('expired', { expires_at: new Date(soon).toISOString() })
  await token('models', { allowed_models: ['none'] })
  await token('endpoints', { allowed_endpoints: ['/v1/none'] })
  await token('ips', { allowed_ips: ['203.0.113.1'] })
  await token('used up', { max_requests: 1 })
  await token('slow', { rate_limit: { requests_per_minute: 1 } })
  await gateway.manage('POST', `/tokens/${made.revoked!.id}/revoke`)
  await eventually(() => Date.now() > soon, 'the token to expire')
})
afterAll(async () => {
  gateway.kill('SIGKILL')
  await gateway.exited
  await upstream.close()
})

type Ask = Parameters<typeof ask>[1]
const CHAT = '{"model":"gpt-4o","messages":[]}'

async function call(what: string, path: string, options: Ask = {}): Promise<RawAnswer | null> {
  sent.push(what)
  const answer = await ask(gateway.url + path, options).catch(() => null)
  if (answer === null) return null
  said.push([
    what,
    `${answer.status} ${answer.statusText}\n${answer.headers.join('\n')}\n${answer.body.toString('latin1')}`,
  ])
  return answer
}

const post = (what: string, token: string, { body = CHAT, headers = {}, path = '/v1/chat/completions' } = {}) =>
  call(what, path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  })

/** Says back the key that it was sent. */
const echo =
  (status: number, pad = ''): Script =>
  (req, res) => {
    const key = req.headers.authorization!.slice('Bearer '.length)
    const body = { error: { message: `${pad}Incorrect API key provided: ${key}.`, type: 'x', param: key, code: null } }
    sendJson(res, status, body)
  }

const tellAll = (ws: WebSocket) =>
  new Promise<string>((resolve) => {
    ws.on('unexpected-response', (_req, res: IncomingMessage) => {
      let body = ''
      res.on('data', (piece) => (body += piece)).on('end', () => resolve(res.rawHeaders.join('\n') + body))
    })
    ws.on('error', () => resolve('')).on('close', () => resolve(''))
  })

describe('errors forced with secrets at hand', () => {
  it('by callers who are turned away', async () => {
    upstream.script((_req, res) => sendJson(res, 200, { ok: true }))
    for (const key of [
      WRONG,
      FOREIGN,
      ...['revoked', 'expired', 'models', 'endpoints', 'ips'].map((name) => made[name]!.token),
    ]) {
      await post('bearer', key)
      const headers = { authorization: `Basic ${Buffer.from(`user:${key}`).toString('base64')}` }
      await call('basic', '/v1/models', { headers })
      await call('x-api-key', '/v1/models', { headers: { 'x-api-key': key } })
      await call('x-goog-api-key', '/v1/models', { headers: { 'x-goog-api-key': key } })
      await call('?key=', `/v1/models?key=${key}&x=1`)
      await call('?api_key= of an unknown page', `/nothing?api_key=${key}&token=${key}`)
      const ws = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=x`, [
        'realtime',
        `openai-insecure-api-key.${key}`,
      ])
      said.push(['sub-protocol', await tellAll(ws)])
    }
    for (const name of ['used up', 'slow']) for (let i = 0; i < 3; i++) await post(name, made[name]!.token)
    await post('static key', STATIC, { headers: { cookie: `session=${COOKIE}` } })
  })

  it('by requests that are wrong', async () => {
    const { token } = made.own!
    await post('not JSON', token, { body: `{"model": ${OWN}, "authorization": "Bearer ${token}"` })
    await post('too large', token, { body: `{"model":"${WRONG}${'x'.repeat(20_000)}"}` })
    await post('compressed', token, { headers: { 'content-encoding': 'gzip' } })
    await post('leaves /v1', token, { path: '/v1/../manage' })
    await post('unknown provider', token, { body: '{"model":"mistral:x"}' })
    said.push([
      'malformed',
      await raw(gateway.url, `GET /v1/models HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nBad Header\r\n\r\n`),
    ])
    said.push([
      '431',
      await raw(gateway.url, `GET / HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
    ])
  })

  it.each(['own', 'shared'])('by a provider that says our key back (%s)', async (name) => {
    const token = name === 'shared' ? STATIC : made[name]!.token
    for (const status of [400, 401, 403, 404, 429, 500, 503]) {
      upstream.script(echo(status))
      await post(`echo ${status}`, token)
      await call(`models ${status}`, '/v1/models', {
        headers: { authorization: `Bearer ${token}` },
      })
    }
    // The log keeps the first 2,000 bytes of what was said: the key may be just there.
    for (const pad of [1_900, 1_910, 1_920, 1_930]) {
      upstream.script(echo(401, 'x'.repeat(pad)))
      await post('echo at the cut', token)
    }
    upstream.script((_req, res) => sendJson(res, 200, 'no list of models'))
    await call('models', '/v1/models', { headers: { authorization: `Bearer ${token}` } })
    const failures: Script[] = [
      (_req, res) => void res.destroy(),
      () => {},
      (req, res) => void res.socket!.end(`HTTP/1.1 ${req.headers.authorization} nonsense\r\n\r\n`),
      (req, res) => void res.socket!.end(`HTTP/1.1 200 OK\r\nx: ${req.headers.authorization}\x01\r\n\r\n`),
      (_req, res) => void res.writeHead(200, sseHead).write('data: {}\n\n', () => res.destroy()),
      (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{', () => res.destroy()),
      (_req, res) => void res.writeHead(200, sseHead).write('data: {}\n\n'),
    ]
    for (const failure of failures) {
      upstream.script(failure)
      await post('provider fails', token)
    }
  })

  it('by the management API', async () => {
    const headers = { authorization: `Bearer ${MANAGEMENT_TOKEN}` }
    const send = (what: string, body: unknown) =>
      call(what, '/manage/projects', {
        method: 'POST',
        headers,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    await send('no name', { api_key: OWN })
    await send('name taken', { name: 'own key', api_key: OWN })
    await send('odd key', { name: 'odd', api_key: `${WRONG} with spaces` })
    await send('unknown provider', { name: 'odd', provider_keys: [{ provider: 'nobody', key: OWN }] })
    await send('unknown field', { name: 'odd', apiKey: OWN })
    await send('not JSON', `{"name":"odd","api_key":"${OWN}`)
    await call('wrong token', '/manage/projects', { headers: { authorization: `Bearer ${WRONG}` } })
    await call('token in the query', `/manage/tokens?token=${WRONG}&key=${WRONG}`)
    await call('proxy token', '/manage/status', { headers: { authorization: `Bearer ${made.own!.token}` } })
    await call('unknown page', `/manage/nothing?api_key=${WRONG}`, { headers })
    for (const path of [
      '/projects',
      '/tokens',
      '/audit?limit=100',
      '/requests?limit=100',
      '/status',
      '/usage',
      '/openapi.json',
    ]) {
      const answer = await call(path, `/manage${path}`, { headers })
      expect(answer?.status).toBe(200)
    }
    for (const path of ['/metrics', '/api/metrics', '/ready', '/health', '/docs', '/'])
      await call(path, path, { headers })
  })
})

describe('none of the secrets is to be found', () => {
  beforeAll(async () => {
    gateway.kill('SIGTERM')
    await gateway.exited
  })

  it('though all of those errors happened', () => {
    expect(sent.length).toBeGreaterThan(100)
    for (const code of [
      'invalid_api_key',
      'token_revoked',
      'token_expired',
      'model_not_allowed',
      'endpoint_not_allowed',
      'ip_not_allowed',
      'insufficient_quota',
      'rate_limit_exceeded',
      'invalid_json',
      'request_too_large',
      'unsupported_parameter',
      'unknown_route',
      'upstream_auth_failed',
      'upstream_unreachable',
      'upstream_timeout',
      'upstream_cut',
      'unauthorized',
      'validation_failed',
      'conflict',
    ]) {
      expect([code, said.some(([, text]) => text.includes(`"code":"${code}"`))]).toEqual([code, true])
    }
  })

  it('in the log', () => {
    expect(planted.foundIn(gateway.stdout() + gateway.stderr())).toEqual([])
  })

  it('in any file of the data folder', () => {
    const files = filesBelow(gateway.dataDir)
    expect(files.map(([name]) => name)).toContain('llm-proxy.db')
    for (const [name, bytes] of files) expect([name, planted.foundIn(bytes)]).toEqual([name, []])
  })

  it('in any answer to anybody', () => {
    for (const [what, text] of said) expect([what, planted.foundIn(text)]).toEqual([what, []])
  })

  it('of the callers’ in any request to the provider', () => {
    const callers = new Planted()
    for (const [name, { token }] of Object.entries(made)) callers.plant(name, token)
    for (const [name, secret] of Object.entries({ STATIC, COOKIE, WRONG, FOREIGN })) callers.plant(name, secret)
    expect(upstream.seen.length).toBeGreaterThan(50)
    for (const { url, rawHeaders } of upstream.seen)
      expect(callers.foundIn([url, ...rawHeaders].join('\n'))).toEqual([])
  })
})
