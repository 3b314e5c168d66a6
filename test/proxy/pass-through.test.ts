import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let secret: string

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
  secret = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

describe('a request to the provider', () => {
  it('carries the provider key in place of the proxy token, and the body byte for byte', async () => {
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    const body =
      '{ "model":"gpt-4o", "seed": 12345678901234567890, "x":1.0, "messages":[{"role":"user","content":"\\u00e9 caf\u00e9"}] }'
    const answer = await ask(`${gateway.baseUrl}/chat/completions?foo=a%20b&foo=c`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        'openai-beta': 'x',
        'X-Custom': 'y',
      },
      body,
    })
    const seen = await upstream.next()
    expect(answer.status).toBe(200)
    expect(seen.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
    expect(seen.body.toString()).toBe(body)
    expect(seen.url).toBe('/v1/chat/completions?foo=a%20b&foo=c')
    expect(seen.headers['openai-beta']).toBe('x')
    expect(seen.rawHeaders).toContain('X-Custom')
    expect(JSON.stringify(seen.headers)).not.toContain(secret)
  })

  it('leaves hop-by-hop headers, cookies, forwarding headers and what `Connection` names behind', async () => {
    await ask(`${gateway.baseUrl}/files`, {
      headers: {
        authorization: `Bearer ${secret}`,
        connection: 'keep-alive, X-Secret-Hop, authorization',
        'x-secret-hop': '1',
        cookie: 'a=b',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'evil',
        forwarded: 'for=1.2.3.4',
        te: 'trailers',
        'proxy-authorization': 'Basic abc',
        'x-api-key': 'other',
      },
    })
    const { headers } = await upstream.next()
    for (const name of [
      'x-secret-hop',
      'cookie',
      'x-forwarded-for',
      'x-forwarded-host',
      'forwarded',
      'te',
      'proxy-authorization',
      'x-api-key',
    ]) {
      expect(headers[name]).toBeUndefined()
    }
    expect(headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
  })
})

describe('an answer of the provider', () => {
  it('arrives with its status, headers and bytes, without set-cookie, and with the ids of the gateway', async () => {
    upstream.script((_req, res) => {
      res.writeHead(201, 'Made It', [
        ['X-Request-Id', 'up-1'],
        ['x-many', '1'],
        ['x-many', '2'],
        ['set-cookie', 'a=b'],
        ['content-type', 'application/json'],
      ] as never)
      res.end('{"id":1}')
    })
    const answer = await ask(`${gateway.baseUrl}/unknown/thing`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${secret}` },
    })
    expect(answer.status).toBe(201)
    expect(answer.statusText).toBe('Made It')
    expect(answer.body.toString()).toBe('{"id":1}')
    expect(answer.header('x-request-id')).toBe('up-1')
    expect(answer.headers.filter((part) => part === 'x-many')).toHaveLength(2)
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(answer.header('x-llm-proxy-request-id')).toMatch(/^req_/)
    expect(answer.header('x-llm-proxy-provider')).toBe('openai')
    expect(answer.header('x-llm-proxy-attempts')).toBe('1')
    expect(answer.header('server-timing')).toMatch(/^gateway;dur=[\d.]+, upstream;dur=[\d.]+$/)
  })

  it('is an error of the provider byte for byte, and no usage is booked for it', async () => {
    upstream.script((_req, res) =>
      sendJson(res, 400, { error: { message: 'bad', type: 'invalid_request_error', param: 'x', code: 'c' } }),
    )
    const answer = await chat(gateway.baseUrl, secret)
    expect(answer.status).toBe(400)
    expect(answer.body.toString()).toBe(
      '{"error":{"message":"bad","type":"invalid_request_error","param":"x","code":"c"}}',
    )
    const row = (await gateway.rows()).at(-1)!
    expect(row).toMatchObject({ status: 400, error: 'upstream_error', usage: { source: 'none' } })
  })

  it('of 401 for our own key is told as 502, with the reason in the log alone', async () => {
    upstream.script((_req, res) =>
      sendJson(res, 401, { error: { message: 'Incorrect API key provided: special-reason' } }),
    )
    const answer = await chat(gateway.baseUrl, secret)
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_auth_failed', param: null } })
    expect(answer.body.toString()).not.toContain('special-reason')
    expect(gateway.logs()).toContain('special-reason')
  })

  it('to HEAD, OPTIONS and DELETE passes like any other', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'DELETE']) {
      upstream.script(
        (req, res) =>
          void res
            .writeHead(200, { 'x-method': req.method!, 'content-length': '5' })
            .end(method === 'HEAD' ? '' : 'hello'),
      )
      const answer = await ask(`${gateway.baseUrl}/files/f-1`, {
        method,
        headers: { authorization: `Bearer ${secret}` },
      })
      expect(answer.header('x-method')).toBe(method)
      expect(answer.header('content-length')).toBe('5')
      expect(answer.body.toString()).toBe(method === 'HEAD' ? '' : 'hello')
    }
  })
})
