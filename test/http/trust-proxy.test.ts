import { afterEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

/** What a token for 203.0.113.9 alone is told when this stands in X-Forwarded-For. */
async function statusOf(trustProxy: boolean | number | string, forwardedFor: string | null) {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, config: { trustProxy } })
  const { secret } = await gateway.token({ allowedIps: ['203.0.113.9'] })
  const headers: Record<string, string> = { authorization: `Bearer ${secret}` }
  if (forwardedFor !== null) headers['x-forwarded-for'] = forwardedFor
  return (await ask(`${gateway.baseUrl}/files`, { headers })).status
}

describe('the address of a caller', () => {
  it.each([
    [false, null, 403],
    [false, '203.0.113.9', 403],
    [1, '203.0.113.9', 200],
    [1, '203.0.113.9, 198.51.100.7', 403],
    [1, '198.51.100.7, 203.0.113.9', 200],
    [2, '203.0.113.9, 198.51.100.7', 200],
    ['loopback', '203.0.113.9', 200],
    ['10.0.0.0/8', '203.0.113.9', 403],
  ])('with TRUST_PROXY %j and X-Forwarded-For %j leads to %d', async (trust, forwarded, status) => {
    expect(await statusOf(trust, forwarded)).toBe(status)
  })

  it('is never passed on to the provider', async () => {
    expect(await statusOf(1, '203.0.113.9')).toBe(200)
    expect(JSON.stringify(upstream.seen[0]!.headers)).not.toContain('203.0.113.9')
  })
})
