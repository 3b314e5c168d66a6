import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

const ORIGIN = 'https://app.example.com'
let upstream: Upstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startUpstream((_req, res) =>
    sendJson(res, 200, chatAnswer(), { 'access-control-allow-origin': 'https://provider.example' }),
  )
  gateway = await startTestGateway({ upstream: upstream.url, config: { corsOrigins: [ORIGIN], trustProxy: 1 } })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

describe('a page of a browser', () => {
  it('of a configured origin gets its preflight answered here, without a token and without the provider', async () => {
    const answer = await ask(`${gateway.baseUrl}/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-stainless-os',
      },
    })
    expect(answer.status).toBe(204)
    expect(answer.header('access-control-allow-origin')).toBe(ORIGIN)
    expect(answer.header('access-control-allow-headers')).toBe('authorization,x-stainless-os')
    expect(upstream.seen).toHaveLength(0)
  })

  it('of a configured origin may read answers and errors, whatever the provider says of origins', async () => {
    const { secret } = await gateway.token()
    const good = await chat(gateway.baseUrl, secret, {}, { origin: ORIGIN })
    expect(good.headers.filter((part) => part.toLowerCase() === 'access-control-allow-origin')).toHaveLength(1)
    expect(good.header('access-control-allow-origin')).toBe(ORIGIN)
    expect(good.header('vary')).toBe('Origin')
    const bad = await chat(gateway.baseUrl, 'nonsense', {}, { origin: ORIGIN })
    expect([bad.status, bad.header('access-control-allow-origin')]).toEqual([401, ORIGIN])
  })

  it('of another origin is not let in', async () => {
    const answer = await ask(`${gateway.baseUrl}/chat/completions`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
  })
})

describe('an address behind a trusted proxy', () => {
  it('is the one that the allow-list of a token is asked about', async () => {
    const { secret } = await gateway.token({ allowedIps: ['203.0.113.0/24', '2001:db8::/32'] })
    const from = async (address: string) =>
      (await chat(gateway.baseUrl, secret, {}, { 'x-forwarded-for': address })).status
    expect(await from('203.0.113.9')).toBe(200)
    expect(await from('2001:db8::1')).toBe(200)
    expect(await from('198.51.100.1')).toBe(403)
    // The client's own claim, in front of what the trusted proxy saw.
    expect(await from('203.0.113.9, 198.51.100.1')).toBe(403)
  })
})
