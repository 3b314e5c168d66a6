import { afterEach, describe, expect, it } from '@jest/globals'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const lane = { provider: 'openai', keyId: 'shared', model: 'gpt-4o' }
const state = () => gateway.ctx.live.snapshot()[0]!.breaker

async function given(healthProbeMs: number | null) {
  upstream = await startUpstream((_req, res) => sendJson(res, 200, { object: 'list', data: [] }))
  gateway = await startTestGateway({ upstream: upstream.url, config: { healthProbeMs } })
}

/** Resolves when so many more probes have come, each of which ended before the next one was sent. */
async function probes(count: number) {
  for (let i = 0; i < count; i++) await upstream.next()
}

describe('a provider that is probed', () => {
  it('is asked with the shared key for something cheap, again and again', async () => {
    await given(5)
    await probes(2)
    expect(upstream.seen[0]).toMatchObject({ method: 'GET', url: '/v1/models' })
    expect(upstream.seen[0]!.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
  })

  it('is passed by after five probes that failed, though nobody asked it for anything meanwhile', async () => {
    await given(5)
    gateway.ctx.live.begin(lane).end('answered')
    upstream.script((_req, res) => sendJson(res, 503, {}))
    await probes(1)
    expect(state()).toBe('closed')
    while (state() === 'closed') await probes(1)
    expect(state()).toBe('open')
    expect(gateway.logs()).toContain('a provider does not answer its probe')
  })

  it('is tried again by a request as soon as a probe has seen it back', async () => {
    await given(5)
    for (let i = 0; i < 5; i++) gateway.ctx.live.begin(lane).end('failed')
    upstream.script((_req, res) => void res.destroy())
    await probes(2)
    expect(state()).toBe('open')
    upstream.script((_req, res) => sendJson(res, 200, {}))
    while (state() === 'open') await probes(1)
    expect(state()).toBe('half_open')
  })

  it.each([401, 403, 404, 429])('is alive when it answers %s', async (status) => {
    await given(5)
    gateway.ctx.live.begin(lane).end('answered')
    upstream.script((_req, res) => sendJson(res, status, {}))
    await probes(8)
    expect([state(), gateway.ctx.live.benches()]).toEqual(['closed', []])
  })

  it('is not asked a second time while it owes an answer', async () => {
    await given(1)
    upstream.script(() => {})
    await probes(1)
    // Other requests pass through the same process while probes would be due.
    for (let i = 0; i < 20; i++) await ask(`${gateway.url}/health`)
    const waiting = upstream.seen.filter(({ url }) => url === '/v1/models')
    expect(waiting).toHaveLength(1)
  })
})

it('nobody is probed unless the operator wants it', async () => {
  await given(null)
  for (let i = 0; i < 20; i++) await ask(`${gateway.url}/health`)
  expect(upstream.seen).toEqual([])
})
