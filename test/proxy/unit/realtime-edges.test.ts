import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import WebSocket, { WebSocketServer } from 'ws'
import type { Config } from '../../../src/config/config.ts'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'

let server: Server
let gateway: TestGateway
let now: number
let handshakes: IncomingMessage[]
let opened: WebSocket[]
let raw: Set<Duplex>
/** What the provider does with a handshake, where it does not take it. */
let instead: ((req: IncomingMessage, socket: Duplex) => void) | null
let extra: string[]

beforeEach(async () => {
  now = Date.now()
  handshakes = []
  opened = []
  raw = new Set()
  instead = null
  extra = []
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('headers', (headers) => headers.push(...extra))
  server = createServer()
  server.on('upgrade', (req, socket, head) => {
    handshakes.push(req)
    raw.add(socket)
    socket.on('error', () => {}).on('end', () => socket.end())
    if (instead) return instead(req, socket)
    sockets.handleUpgrade(req, socket, head, (ws) => void opened.push(ws))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await gateway.stop()
  for (const socket of raw) socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const start = async (config: Partial<Config> = {}) => {
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  gateway = await startTestGateway({ upstream, config, now: () => now })
}
const connect = (secret: string, query = '?model=gpt-realtime') =>
  new WebSocket(`${gateway.baseUrl.replace('http', 'ws')}/realtime${query}`, {
    headers: { authorization: `Bearer ${secret}` },
  })
const open = (ws: WebSocket) => new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject))
const closed = (ws: WebSocket) => new Promise<void>((resolve) => ws.once('close', () => resolve()))
const refused = (ws: WebSocket) =>
  new Promise<{ status: number; code: string; headers: IncomingMessage['headers'] }>((resolve, reject) => {
    ws.once('open', () => reject(new Error('opened')))
    ws.once('error', () => {})
    ws.once('unexpected-response', (_req, res) => {
      let body = ''
      res.on('data', (piece) => {
        body += piece
      })
      res.on('end', () => resolve({ status: res.statusCode!, code: JSON.parse(body).error.code, headers: res.headers }))
    })
  })
const stamp = {
  id: 'aud_r',
  at: 1,
  actor: 'x',
  ip: null,
  userAgent: null,
  action: 'x',
  targetId: null,
  projectId: null,
  outcome: 'success' as const,
  reason: null,
}
const oneRow = () => eventually(async () => (await gateway.rows())[0], 'the row')

describe('a WebSocket is refused', () => {
  it.each([
    ['an expired token', { expiresAt: 1 }, {}, 401, 'token_expired'],
    ['a project that is switched off', {}, { isActive: false }, 403, 'project_inactive'],
    ['an address that is not on the list', { allowedIps: ['10.0.0.1'] }, {}, 403, 'ip_not_allowed'],
    ['an endpoint that is not on the list', { allowedEndpoints: ['/v1/chat/*'] }, {}, 403, 'endpoint_not_allowed'],
    ['a model that is not on the list', { allowedModels: ['gpt-4o'] }, {}, 403, 'model_not_allowed'],
    ['a quota that is used up', { maxRequests: 0 }, {}, 429, 'insufficient_quota'],
  ])('for %s, and it is booked', async (_why, token, project, status, code) => {
    await start()
    const { secret } = await gateway.token(token, project)
    expect(await refused(connect(secret))).toMatchObject({ status, code, headers: { connection: 'close' } })
    expect(await oneRow()).toMatchObject({ status, error: code, endpoint: '/v1/realtime' })
    expect(handshakes).toHaveLength(0)
  })

  it('that names no model, for a token limited to some', async () => {
    await start()
    const { secret } = await gateway.token({ allowedModels: ['gpt-realtime'] })
    for (const query of ['', '?call_id=rtc_1', '?mod%65l='])
      expect((await refused(connect(secret, query))).status).toBe(403)
    const ws = connect(secret)
    await open(ws)
    ws.terminate()
  })

  it('while the gateway drains, and when it has as many as it may', async () => {
    await start({ maxConcurrentRequests: 1 })
    const { secret } = await gateway.token()
    const ws = connect(secret)
    await open(ws)
    expect(await refused(connect(secret))).toMatchObject({
      status: 503,
      code: 'overloaded',
      headers: { 'retry-after': '1' },
    })
    ws.terminate()
    gateway.ctx.life.draining = true
    expect(await refused(connect(secret))).toMatchObject({ status: 503, code: 'draining' })
    gateway.ctx.life.draining = false
  })

  it.each([429, 404, 403, 500, 503])('as the provider refuses it: %d', async (status) => {
    await start()
    instead = (_req, socket) => void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 6\r\n\r\nsecret`)
    const { secret } = await gateway.token()
    expect(await refused(connect(secret))).toMatchObject({ status, code: 'upstream_unreachable' })
    expect(await oneRow()).toMatchObject({ status, error: 'upstream_error', attempts: [{ outcome: 'failed' }] })
  })
})

describe('an open WebSocket is closed', () => {
  it('when its token expires', async () => {
    await start()
    const { secret } = await gateway.token({ expiresAt: now + 60_000 })
    const ws = connect(secret)
    await open(ws)
    now += 60_001
    await closed(ws)
    expect(await oneRow()).toMatchObject({ status: 101, error: 'token_expired' })
  })

  it('when its project is switched off', async () => {
    await start()
    const { secret, project } = await gateway.token({}, {})
    const ws = connect(secret)
    await open(ws)
    await gateway.ctx.store.projects.update(project.id, { isActive: false }, 1, stamp)
    await closed(ws)
    expect(await oneRow()).toMatchObject({ status: 101, error: 'project_inactive' })
  })

  it('when the provider closes it, and the other way round', async () => {
    await start()
    const { secret } = await gateway.token()
    const first = connect(secret)
    await open(first)
    await eventually(() => opened.length === 1, 'the provider')
    opened[0]!.terminate()
    await closed(first)
    const second = connect(secret)
    await open(second)
    await eventually(() => opened.length === 2, 'the provider')
    const gone = closed(opened[1]!)
    second.terminate()
    await gone
    await eventually(async () => (await gateway.rows()).length === 2, 'both rows')
    expect((await gateway.rows()).every(({ status, error }) => status === 101 && error === null)).toBe(true)
  })

  it('but not because the database stumbled over a question', async () => {
    await start()
    const { secret, token } = await gateway.token()
    const ws = connect(secret)
    await open(ws)
    const { tokens } = gateway.ctx.store
    const find = tokens.findByHash.bind(tokens)
    let asked = 0
    tokens.findByHash = async (hash) => {
      asked++
      if (asked === 1) throw new Error('database is locked')
      return find(hash)
    }
    // Any change empties the index, so that the next look asks the database.
    await tokens.update(token.id, { name: 'renamed' }, 1, stamp)
    let isClosed = false
    ws.once('close', () => {
      isClosed = true
    })
    await eventually(() => asked >= 2 || isClosed, 'another look')
    expect(isClosed).toBe(false)
    ws.terminate()
  })
})

describe('a handshake', () => {
  it('goes to the provider with the model’s own name and the rest of the query, and without our credential', async () => {
    await start()
    const { secret } = await gateway.token()
    const ws = connect(secret, '?model=openai:gpt-realtime&intent=transcription&key=sk-x')
    await open(ws)
    const url = new URL(handshakes[0]!.url!, 'http://x')
    expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual([
      '/v1/realtime',
      { model: 'gpt-realtime', intent: 'transcription' },
    ])
    expect(handshakes[0]!.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
    expect(JSON.stringify(handshakes[0]!.rawHeaders)).not.toContain(secret)
    ws.terminate()
  })

  it('comes back without the provider’s cookies and our key', async () => {
    await start()
    extra = ['set-cookie: a=b', `x-echo: Bearer ${PROVIDER_KEY}`, 'x-llm-proxy-provider: forged', 'x-request-id: r-1']
    const { secret } = await gateway.token()
    const ws = connect(secret)
    const headers = new Promise<IncomingMessage['headers']>((resolve) =>
      ws.once('upgrade', (res) => resolve(res.headers)),
    )
    await open(ws)
    expect(await headers).toMatchObject({ 'x-request-id': 'r-1' })
    expect(Object.keys(await headers)).not.toEqual(expect.arrayContaining(['set-cookie']))
    expect(JSON.stringify(await headers)).not.toMatch(/forged|sk-provider/)
    ws.terminate()
  })

  it('that the provider leaves unanswered is given up after the time that headers may take', async () => {
    await start({ timeouts: { connectMs: 200, headersMs: 200, firstTokenMs: 200, idleMs: 200, totalMs: 60_000 } })
    instead = () => {}
    const { secret } = await gateway.token()
    expect(await refused(connect(secret))).toMatchObject({ status: 504, code: 'upstream_timeout' })
    expect(await oneRow()).toMatchObject({ status: 504, error: 'upstream_timeout', attempts: [{ outcome: 'failed' }] })
  })

  it('that the caller leaves is booked as that, and its place is free again', async () => {
    await start()
    const reached = Promise.withResolvers<Duplex>()
    instead = (_req, socket) => reached.resolve(socket)
    const { secret } = await gateway.token({
      rateLimit: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: 1 },
    })
    const ws = connect(secret)
    ws.on('error', () => {})
    const socket = await reached.promise
    const providerGone = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    ws.terminate()
    await providerGone
    expect(await oneRow()).toMatchObject({ status: 499, error: 'client_closed', attempts: [{ outcome: 'cancelled' }] })
    instead = null
    const next = connect(secret)
    await open(next)
    next.terminate()
  })
})
