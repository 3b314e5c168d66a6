import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { startUpstream, streamChat, type Upstream } from '../helpers/upstream.ts'
import { rowsOf } from './on-the-wire.ts'

const HOUR = 3_600_000
const START = Date.parse('2026-11-21T12:00:00Z')

let upstream: Upstream
let gateway: TestGateway
let now = START

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, now: () => now })
})
beforeEach(() => {
  now = START
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const none = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null }
const statuses = async (secret: string, count: number) => {
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await chat(gateway.baseUrl, secret)).status)
  return all
}

describe('when the clock jumps', () => {
  it.each([
    ['forward', 5 * HOUR],
    ['back', -5 * HOUR],
  ])('%s by hours, a limit per minute neither opens nor closes', async (_where, jump) => {
    const { secret } = await gateway.token({ rateLimit: { ...none, requestsPerMinute: 3 } })
    expect(await statuses(secret, 2)).toEqual([200, 200])
    now += jump
    expect(await statuses(secret, 3)).toEqual([200, 429, 429])
    const refused = await chat(gateway.baseUrl, secret)
    expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(61)
    now -= jump
    expect(await statuses(secret, 1)).toEqual([429])
  })

  it.each([
    ['forward', 5 * HOUR],
    ['back', -5 * HOUR],
  ])('%s in the middle of a stream, the answer is whole and its times are sane', async (_where, jump) => {
    const { secret, token } = await gateway.token({ rateLimit: { ...none, concurrentRequests: 1 } })
    upstream.script((req, res, seen) => {
      now += jump
      return streamChat(['one', 'two'])(req, res, seen)
    })
    const answer = await chat(gateway.baseUrl, secret, { stream: true })
    expect(answer.body.toString()).toContain('[DONE]')
    const [row] = await rowsOf(gateway, token.id, 1)
    expect(row!.at).toBe(START)
    expect(row!.latencyMs).toBeGreaterThanOrEqual(0)
    expect(row!.latencyMs).toBeLessThan(10_000)
    expect(row!.firstTokenMs).toBeLessThan(10_000)
    // The slot is free again.
    upstream.script(streamChat(['x']))
    expect((await chat(gateway.baseUrl, secret, { stream: true })).status).toBe(200)
  })

  it('a token expires by the wall clock, to the millisecond, and is good again when that is set back', async () => {
    const { secret } = await gateway.token({ expiresAt: START + HOUR })
    upstream.script(streamChat(['x']))
    const status = async (at: number) => {
      now = at
      return (await chat(gateway.baseUrl, secret, { stream: true })).status
    }
    expect(await status(START + HOUR - 1)).toBe(200)
    expect(await status(START + HOUR)).toBe(401)
    expect(await status(START + 9 * HOUR)).toBe(401)
    expect(await status(START - 9 * HOUR)).toBe(200)
  })

  it('to before 1970, requests still get ids of their own and rows', async () => {
    const { secret, token } = await gateway.token()
    upstream.script(streamChat(['x']))
    for (const at of [0, -HOUR, START, START + 400 * 24 * HOUR]) {
      now = at
      expect((await chat(gateway.baseUrl, secret, { stream: true })).status).toBe(200)
    }
    const rows = await rowsOf(gateway, token.id, 4)
    expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(4)
    expect(rows.map(({ at }) => at).sort((a, b) => a - b)).toEqual([-HOUR, 0, START, START + 400 * 24 * HOUR])
  })

  it('back, denied management calls are still written to the audit log', async () => {
    const denied = async () => {
      const headers = { authorization: `Bearer ${MANAGEMENT_TOKEN}` }
      const { body } = await ask(`${gateway.url}/manage/audit?action=manage.access&limit=100`, { headers })
      return (JSON.parse(body.toString()) as { data: unknown[] }).data.length
    }
    for (let i = 0; i < 31; i++) await ask(`${gateway.url}/manage/tokens`)
    const before = await denied()
    expect(before).toBe(30)
    // A minute later, and on the wall an hour earlier.
    now -= HOUR
    const since = performance.now.bind(performance)
    const later = jest.spyOn(performance, 'now').mockImplementation(() => since() + 61_000)
    await ask(`${gateway.url}/manage/tokens`)
    later.mockRestore()
    expect(await denied()).toBe(before + 1)
  })
})
