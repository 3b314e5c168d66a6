import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startChildGateway } from '../helpers/child.ts'
import { chat, raw } from '../helpers/http.ts'
import { chatAnswer, sendJson, streamChat } from '../helpers/upstream.ts'
import { CHAT, codeOf, leave, openWire, rowsOf, statusOf, type Wire } from './on-the-wire.ts'

let wire: Wire

beforeAll(async () => {
  wire = await openWire()
})
beforeEach(() => wire.upstream.script((_req, res) => sendJson(res, 200, chatAnswer())))
afterAll(() => wire.stop())

const LENGTH = `Content-Length: ${CHAT.length}\r\n`
const ONE_AT_A_TIME = { rateLimit: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: 1 } }
const contents = (heard: string) => [...heard.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content)

describe('requests sent one behind the other without waiting', () => {
  it('get their answers in their order, though the last one is ready first', async () => {
    const { secret, token } = await wire.gateway.token()
    const waiting: (() => void)[] = []
    wire.upstream.script((_req, res, { body }) => {
      const { model } = JSON.parse(body.toString()) as { model: string }
      waiting.unshift(() => sendJson(res, 200, chatAnswer(model)))
      if (waiting.length === 5) for (const answer of waiting) answer()
    })
    const models = ['m0', 'm1', 'm2', 'm3', 'm4']
    const requests = models.map((model, index) => {
      const body = `{"model":"${model}","messages":[]}`
      const head = `Content-Length: ${body.length}\r\n${index === 4 ? 'Connection: close\r\n' : ''}`
      return wire.post('/v1/chat/completions', { token: secret, head, body })
    })
    const heard = await wire.send(requests.join(''))
    expect(contents(heard)).toEqual(models)
    const ids = [...heard.matchAll(/x-llm-proxy-request-id: (\S+)/g)].map(([, id]) => id)
    const rows = await rowsOf(wire.gateway, token.id, 5)
    expect(new Map(rows.map(({ requestId, model }) => [requestId, model]))).toEqual(
      new Map(ids.map((id, index) => [id, models[index]])),
    )
  })

  it('as streams do not run into each other', async () => {
    wire.upstream.script(streamChat(['one', 'two']))
    const body = '{"model":"gpt-4o","stream":true,"messages":[]}'
    const head = `Content-Length: ${body.length}\r\n`
    const request = (more: string) => wire.post('/v1/chat/completions', { body, head: head + more })
    const heard = await wire.send(request('') + request('Connection: close\r\n'))
    expect(contents(heard)).toEqual(['', 'one', 'two', '', 'one', 'two'])
    expect(heard.match(/\[DONE\]/g)).toHaveLength(2)
  })

  it('and then nonsense: no answer is taken for the answer to another request', async () => {
    const heard = await wire.send(`${wire.post('/v1/chat/completions', { head: LENGTH })}NONSENSE\r\n\r\n`)
    expect(heard === '' || statusOf(heard) === 200).toBe(true)
  })
})

describe('a client that leaves half-way through its body', () => {
  it.each(['FIN', 'RST'] as const)('by %s leaves one row and its place to the next one', async (how) => {
    const { secret, token } = await wire.gateway.token(ONE_AT_A_TIME)
    const before = wire.upstream.seen.length
    const request = wire.post('/v1/chat/completions', { token: secret, head: LENGTH }).slice(0, -10)
    // The gateway has the head when it has looked the token up.
    const find = wire.gateway.ctx.tokens.find
    const seen = new Promise<void>((resolve) => {
      wire.gateway.ctx.tokens.find = (given) => {
        resolve()
        return find(given)
      }
    })
    await leave(wire.gateway.url, request, how, () => seen)
    wire.gateway.ctx.tokens.find = find
    expect(await rowsOf(wire.gateway, token.id, 1)).toMatchObject([{ status: 499, error: 'client_closed' }])
    expect(wire.upstream.seen.length).toBe(before)
    expect((await chat(wire.gateway.baseUrl, secret)).status).toBe(200)
    await rowsOf(wire.gateway, token.id, 2)
  })
})

describe('an old or odd way to ask', () => {
  it('HTTP/1.0 gets a whole answer without chunks, also as a stream', async () => {
    const body = '{"model":"gpt-4o","stream":true,"messages":[]}'
    const plain = await wire.send(wire.post('/v1/chat/completions', { version: '1.0', head: LENGTH }))
    expect([statusOf(plain), contents(plain)]).toEqual([200, ['Hello!']])
    wire.upstream.script(streamChat(['one', 'two']))
    const streamed = await wire.send(
      wire.post('/v1/chat/completions', { version: '1.0', body, head: `Content-Length: ${body.length}\r\n` }),
    )
    expect(streamed).not.toMatch(/transfer-encoding/i)
    expect(streamed).toMatch(/\r\n\r\ndata: .*data: \[DONE\]\n\n$/s)
  })

  it('`Expect: 100-continue` is told to go on, then answered', async () => {
    const answer = await wire.send(
      wire.post('/v1/chat/completions', { head: `${LENGTH}Expect: 100-continue\r\nConnection: close\r\n` }),
    )
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
    expect(wire.upstream.seen.at(-1)!.headers.expect).toBeUndefined()
  })

  it('`Upgrade: h2c` is passed over, and the request served as it is', async () => {
    const head = `${LENGTH}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n`
    const answer = await wire.send(wire.post('/v1/chat/completions', { head }), /"usage":\{[^}]*\}\}/)
    expect(statusOf(answer)).toBe(200)
    const { headers } = wire.upstream.seen.at(-1)!
    expect([headers.upgrade, headers['http2-settings']]).toEqual([undefined, undefined])
  })

  it.each([
    ['HTTP/2 at once', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['another HTTP version', 'GET / HTTP/3.7\r\n\r\n'],
    ['no protocol at all', 'hello\r\n'],
  ])('is refused in the shape of all errors: %s', async (_what, bytes) => {
    const answer = await wire.send(bytes)
    expect([statusOf(answer), codeOf(answer)]).toEqual([400, 'invalid_request'])
  })

  it('CONNECT opens no tunnel', async () => {
    const { port } = new URL(wire.upstream.url)
    const answer = await wire.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    expect(answer).not.toMatch(/^HTTP\/1\.1 2/)
  })

  it('TRACE never shows the provider a request to echo', async () => {
    const before = wire.upstream.seen.length
    await wire.send(
      `TRACE /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${wire.secret}\r\n\r\n`,
    )
    expect(wire.upstream.seen.length).toBe(before)
  })
})

/** Sends a character every 20 ms for as long as it can. */
function drip(socket: Socket, character: string): void {
  const timer = setInterval(() => socket.write(character), 20)
  socket.on('close', () => clearInterval(timer)).on('error', () => {})
}

describe('a client that takes its time to ask', () => {
  // The real program with its real limits, its clock for them running fifty times as fast.
  const FASTER = `import http from 'node:http'
    import { syncBuiltinESMExports } from 'node:module'
    const create = http.createServer
    http.createServer = (options, handler) =>
      typeof options === 'function' ? create(options) : create({
        ...options,
        headersTimeout: options.headersTimeout / 50,
        connectionsCheckingInterval: options.connectionsCheckingInterval / 50,
      }, handler)
    syncBuiltinESMExports()`

  it('is cut off: with nothing, with half a head, or with a head that comes byte by byte; others are served', async () => {
    const gateway = await startChildGateway({
      upstream: wire.upstream.url,
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(FASTER)}`],
    })
    const { secret } = await gateway.token()
    const { hostname, port } = new URL(gateway.url)
    const since = performance.now()
    const silent = new Promise<void>((resolve) => {
      connect(Number(port), hostname)
        .on('close', () => resolve())
        .on('error', () => {})
        .resume()
    })
    const half = raw(gateway.url, 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n')
    const dribbled = new Promise<string>((resolve) => {
      let heard = ''
      const socket = connect(Number(port), hostname, () => drip(socket, 'X'))
      socket.write('GET /health HTTP/1.1\r\n')
      socket.on('data', (piece) => (heard += piece)).on('close', () => resolve(heard))
    })
    const served = await chat(gateway.baseUrl, secret)
    const [answer] = await Promise.all([half, dribbled, silent])
    // 30 s, and 5 s until it is noticed, fifty times as fast.
    expect(performance.now() - since).toBeLessThan(2_500)
    expect([statusOf(answer), codeOf(answer)]).toEqual([408, 'request_timeout'])
    expect(served.status).toBe(200)
    gateway.kill('SIGTERM')
    await gateway.exited
  })

  it('over its body is told so after a minute without a byte', async () => {
    const impatient = await openWire({ config: { ...({ bodyIdleMs: 100 } as object) } })
    const answer = await impatient.send(impatient.post('/v1/chat/completions').slice(0, -5))
    expect([statusOf(answer), codeOf(answer)]).toEqual([408, 'request_timeout'])
    expect((await impatient.gateway.rows()).map(({ status, error }) => [status, error])).toEqual([
      [408, 'request_timeout'],
    ])
    await impatient.stop()
  })

  it('over its body, byte by byte, is cut off when the whole of HTTP_TIMEOUT is over', async () => {
    const impatient = await openWire({
      config: { timeouts: { connectMs: 500, headersMs: 500, firstTokenMs: 500, idleMs: 500, totalMs: 600 } },
    })
    const { hostname, port } = new URL(impatient.gateway.url)
    const socket = connect(Number(port), hostname)
    let heard = ''
    const closed = new Promise<string>((resolve) => {
      socket.on('data', (piece) => (heard += piece)).on('error', () => {})
      socket.on('close', () => resolve(heard))
    })
    socket.write(impatient.post('/v1/chat/completions', { head: 'Content-Length: 5000\r\n' }))
    drip(socket, ' ')
    const late = new Promise<string>((resolve) => setTimeout(() => resolve('still waiting'), 2_000))
    const answer = await Promise.race([closed, late])
    socket.destroy()
    await impatient.stop()
    expect(statusOf(answer)).toBe(408)
  })
})
