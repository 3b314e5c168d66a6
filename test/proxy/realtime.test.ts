import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import WebSocket, { WebSocketServer } from 'ws'
import { PROVIDER_KEY, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'

type Handshake = { url: string; headers: Record<string, string | string[] | undefined> }

let server: Server
let gateway: TestGateway
let handshakes: Handshake[]
let refuseWith: number | null

beforeAll(async () => {
  server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (req, socket, head) => {
    handshakes.push({ url: req.url!, headers: req.headers })
    if (refuseWith !== null) return void socket.end(`HTTP/1.1 ${refuseWith} No\r\ncontent-length: 0\r\n\r\n`)
    sockets.handleUpgrade(req, socket, head, (ws) => ws.on('message', (data) => ws.send(`echo ${data}`)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  gateway = await startTestGateway({ upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` })
})
beforeEach(() => {
  handshakes = []
  refuseWith = null
})
afterAll(async () => {
  await gateway.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const url = (query = '?model=gpt-realtime') => `${gateway.baseUrl.replace('http', 'ws')}/realtime${query}`
const open = (ws: WebSocket) => new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject))
const closed = (ws: WebSocket) => new Promise<void>((resolve) => ws.once('close', () => resolve()))
const refused = (ws: WebSocket) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    ws.once('open', () => reject(new Error('opened')))
    ws.once('unexpected-response', (_req, res) => {
      let body = ''
      res.on('data', (piece) => (body += piece)).on('end', () => resolve({ status: res.statusCode!, body }))
    })
  })

it('carries messages both ways with the provider key, and books one row when it ends', async () => {
  const { secret, token } = await gateway.token()
  const ws = new WebSocket(url(), { headers: { authorization: `Bearer ${secret}`, cookie: 'a=b' } })
  await open(ws)
  ws.send('hello')
  expect(String(await new Promise((resolve) => ws.once('message', resolve)))).toBe('echo hello')
  ws.close()
  await closed(ws)
  expect(handshakes[0]!.url).toBe('/v1/realtime?model=gpt-realtime')
  expect(handshakes[0]!.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`)
  expect(handshakes[0]!.headers.cookie).toBeUndefined()
  const row = await eventually(async () => (await gateway.rows()).find((row) => row.tokenId === token.id), 'the row')
  expect(row).toMatchObject({
    status: 101,
    endpoint: '/v1/realtime',
    model: 'gpt-realtime',
    provider: 'openai',
    error: null,
  })
  expect(row.responseBytes).toBeGreaterThan(0)
})

it('takes the key of a browser from the sub-protocol, and neither passes nor logs it', async () => {
  const { secret } = await gateway.token()
  const ws = new WebSocket(url(), ['realtime', `openai-insecure-api-key.${secret}`])
  await open(ws)
  expect(ws.protocol).toBe('realtime')
  ws.close()
  await closed(ws)
  expect(JSON.stringify(handshakes)).not.toContain(secret)
  expect(handshakes[0]!.headers['sec-websocket-protocol']).toBe('realtime')
  expect(gateway.logs()).not.toContain(secret)
})

it('refuses an unknown token, and a model that is not allowed, before the provider hears of it', async () => {
  const bad = await refused(new WebSocket(url(), { headers: { authorization: `Bearer sk-${'x'.repeat(43)}` } }))
  expect(bad.status).toBe(401)
  expect(JSON.parse(bad.body)).toMatchObject({ error: { code: 'invalid_api_key' } })
  const { secret } = await gateway.token({ allowedModels: ['gpt-4o'] })
  const other = await refused(new WebSocket(url(), { headers: { authorization: `Bearer ${secret}` } }))
  expect([other.status, JSON.parse(other.body).error.code]).toEqual([403, 'model_not_allowed'])
  expect(handshakes).toHaveLength(0)
})

it('closes an open connection when its token is revoked', async () => {
  const { secret, token } = await gateway.token()
  const ws = new WebSocket(url(), { headers: { authorization: `Bearer ${secret}` } })
  await open(ws)
  const gone = closed(ws)
  const stamp = {
    id: 'aud_x',
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
  await gateway.ctx.store.tokens.revoke(token.id, Date.now(), stamp)
  await gone
  const row = await eventually(async () => (await gateway.rows()).find((row) => row.tokenId === token.id), 'the row')
  expect(row).toMatchObject({ status: 101, error: 'token_revoked' })
})

it('counts as a running request', async () => {
  const { secret } = await gateway.token({
    rateLimit: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: 1 },
  })
  const headers = { authorization: `Bearer ${secret}` }
  const first = new WebSocket(url(), { headers })
  await open(first)
  expect((await refused(new WebSocket(url(), { headers }))).status).toBe(429)
  first.close()
  await closed(first)
  const third = await eventually(async () => {
    const ws = new WebSocket(url(), { headers })
    return open(ws).then(
      () => ws,
      () => null,
    )
  }, 'a free slot')
  third.close()
  await closed(third)
})

it('tells of a provider that refuses our key, or cannot be reached, as 502', async () => {
  const { secret } = await gateway.token()
  refuseWith = 401
  const unauthorized = await refused(new WebSocket(url(), { headers: { authorization: `Bearer ${secret}` } }))
  expect([unauthorized.status, JSON.parse(unauthorized.body).error.code]).toEqual([502, 'upstream_auth_failed'])
  refuseWith = 404
  expect((await refused(new WebSocket(url(), { headers: { authorization: `Bearer ${secret}` } }))).status).toBe(404)
  const lonely = await startTestGateway({ upstream: 'http://127.0.0.1:1/v1' })
  const { secret: other } = await lonely.token()
  const unreachable = await refused(
    new WebSocket(`${lonely.baseUrl.replace('http', 'ws')}/realtime`, {
      headers: { authorization: `Bearer ${other}` },
    }),
  )
  expect([unreachable.status, JSON.parse(unreachable.body).error.code]).toEqual([502, 'upstream_unreachable'])
  await lonely.stop()
})
