import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../helpers/http.ts'
import { type Script, sendJson } from '../helpers/upstream.ts'
import { MB, textOf } from './big.ts'
import { FORM_TYPE, openUploads, type Uploads } from './form.ts'

let uploads: Uploads
const script = (next: Script) => uploads.provider.script(next)

beforeAll(async () => {
  uploads = await openUploads({
    config: {
      maxUploadBytes: 2 * MB,
      timeouts: { connectMs: 500, headersMs: 500, firstTokenMs: 500, idleMs: 500, totalMs: 10_000 },
    },
  })
})
afterAll(() => uploads.stop())

const open = new Set<ClientRequest>()
afterEach(() => {
  for (const req of open) req.destroy()
  open.clear()
  uploads.reset()
})

/** An upload that is under way: write to it, end it, destroy it. */
async function begin(headers: Record<string, string> = {}, path = '/files') {
  const { secret, token } = await uploads.gateway.token({
    rateLimit: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: 1 },
  })
  const req = request(uploads.gateway.baseUrl + path, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/octet-stream', ...headers },
  })
  open.add(req)
  const answer = new Promise<{ status: number; body: string }>((resolve, reject) => {
    req.on('error', reject)
    req.on('response', async (res: IncomingMessage) => resolve({ status: res.statusCode!, body: await textOf(res) }))
  })
  answer.catch(() => {})
  return { req, answer, secret, row: () => uploads.rowOf(token.id) }
}

const codeOf = (body: string) => (JSON.parse(body) as { error: { code: string } }).error.code
const noneRunning = () =>
  eventually(async () => {
    const text = await uploads.gateway.ctx.metrics.registry.getSingleMetricAsString('llmproxy_active_requests')
    return !/\} [1-9]/.test(text)
  }, 'no request at the provider')

describe('an upload that its client breaks off', () => {
  it.each([
    ['with a length', { 'content-length': String(MB) }],
    ['without one', {}],
    ['of a form', { 'content-type': FORM_TYPE }],
  ])('is broken off at the provider too, and booked once: %s', async (_what, headers) => {
    const before = uploads.got.length
    const upload = await begin(headers)
    upload.req.write(Buffer.alloc(100_000, 'x'))
    upload.req.write(Buffer.alloc(100_000, 'x'))
    await eventually(() => (uploads.got[before]?.bytes ?? 0) > 0, 'the provider to get some of it')
    upload.req.destroy()
    expect(await upload.row()).toMatchObject({ status: 499, error: 'client_closed' })
    await noneRunning()
    expect(uploads.got[before]!.whole).toBe(false)
  })

  it('gives its place to the next one', async () => {
    const before = uploads.got.length
    const first = await begin()
    first.req.write(Buffer.alloc(100_000, 'x'))
    first.req.write(Buffer.alloc(100_000, 'x'))
    await eventually(() => (uploads.got[before]?.bytes ?? 0) > 0, 'the provider to get some of it')
    first.req.destroy()
    await first.row()
    const second = request(`${uploads.gateway.baseUrl}/files`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${first.secret}`, 'content-type': 'application/octet-stream' },
    }).end('x')
    const [res] = (await once(second, 'response')) as [IncomingMessage]
    expect([res.statusCode, await textOf(res)]).toEqual([200, '{"text":"heard"}'])
  })

  it('by silence is ended after the idle time, on both sides', async () => {
    const before = uploads.got.length
    const upload = await begin({ 'content-length': String(MB) })
    upload.req.write(Buffer.alloc(100_000, 'x'))
    upload.req.write(Buffer.alloc(100_000, 'x'))
    const { status } = await upload.answer
    expect([408, 504]).toContain(status)
    await noneRunning()
    expect(uploads.got[before]!.whole).toBe(false)
  })
})

describe('a provider that answers before the upload is over', () => {
  it.each([
    [413, 413, 'too_big'],
    [400, 400, 'too_big'],
    [401, 502, 'upstream_auth_failed'],
    [429, 429, 'too_big'],
  ])('is heard at once: %i comes out as %i', async (said, status, code) => {
    script((_req, res) => sendJson(res, said, { error: { code: 'too_big' } }))
    const upload = await begin({ 'content-length': String(MB) })
    upload.req.write(Buffer.alloc(100_000, 'x'))
    upload.req.write(Buffer.alloc(100_000, 'x'))
    const answer = await upload.answer
    expect([answer.status, codeOf(answer.body)]).toEqual([status, code])
    expect(await upload.row()).toMatchObject({ status })
    await noneRunning()
  })

  it('is heard by a client that goes on sending', async () => {
    script((_req, res) => sendJson(res, 413, { error: { code: 'too_big' } }))
    const upload = await begin({ 'content-length': String(MB) })
    for (let sent = 0; sent < MB; sent += 64 * 1024) upload.req.write(Buffer.alloc(64 * 1024))
    upload.req.end()
    const answer = await upload.answer
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'too_big'])
  })

  it('and hangs up is told as 502 or by its answer, in one row', async () => {
    script((_req, res) => sendJson(res, 413, { error: { code: 'too_big' } }, { connection: 'close' }))
    const upload = await begin({ 'content-length': String(MB) })
    for (let sent = 0; sent < MB; sent += 64 * 1024) upload.req.write(Buffer.alloc(64 * 1024))
    upload.req.end()
    const { status } = await upload.answer
    expect([413, 502]).toContain(status)
    expect((await upload.row()).status).toBe(status)
  })
})

describe('an upload larger than MAX_UPLOAD_MB', () => {
  it('is refused by its content-length before the provider hears of it', async () => {
    const before = uploads.provider.seen.length
    const upload = await begin({ 'content-length': String(3 * MB) })
    upload.req.write(Buffer.alloc(1000))
    const answer = await upload.answer
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'request_too_large'])
    expect(uploads.provider.seen.length).toBe(before)
  })

  it('without a content-length is broken off at the provider', async () => {
    const before = uploads.got.length
    const upload = await begin()
    for (let sent = 0; sent < 3 * MB; sent += 64 * 1024) upload.req.write(Buffer.alloc(64 * 1024))
    upload.req.end()
    expect((await upload.answer).status).toBeGreaterThanOrEqual(400)
    await noneRunning()
    for (const { whole, bytes } of uploads.got.slice(before)) expect([whole, bytes <= 2 * MB]).toEqual([false, true])
  })

  it('without a content-length is told as 413', async () => {
    const upload = await begin()
    for (let sent = 0; sent < 3 * MB; sent += 64 * 1024) upload.req.write(Buffer.alloc(64 * 1024))
    upload.req.end()
    const answer = await upload.answer
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'request_too_large'])
  })
})
