import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyMiddleware } from 'http-proxy-middleware'
import type { AppContext } from '../context.ts'
import { GatewayError, toGatewayError, toOpenAiError } from '../errors.ts'
import { admit } from './admit.ts'
import { authenticate, authorize, authorizeNoModel, credentialOf } from './authenticate.ts'
import { type Exchange, newExchange } from './exchange.ts'
import { upstreamHeaders } from './headers.ts'
import { pickWeighted, plan, type Target } from './plan.ts'
import { settle } from './settle.ts'
import type { StaticCallers } from './static-callers.ts'

/** How browsers send a key, which cannot set headers on a WebSocket. Source: OpenAI's realtime guide and SDK. */
const KEY_PROTOCOL = 'openai-insecure-api-key.'
/** How soon a connection ends after its token stopped being good. */
const RECHECK_MS = 250

export type Realtime = {
  /** For the server's `upgrade` event. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
  /** How many connections are open. */
  open(): number
  closeAll(): void
}

type Connection = {
  exchange: Exchange
  credential: string
  address: string
  target: Target
  socket: Socket
  opened: boolean
  failure: GatewayError | null
  /** With which status the handshake was refused. */
  refusedWith: number | null
}

/**
 * WebSockets below `/v1` (`/v1/realtime`): the same authentication and limits as any request; http-proxy-middleware carries the
 * frames. One ledger row for a connection, written when it ends. A connection whose token is revoked or expires is closed.
 */
export function createRealtime(
  ctx: AppContext,
  statics: StaticCallers,
  addressOf: (req: IncomingMessage) => string,
): Realtime {
  const connections = new Map<IncomingMessage, Connection>()
  const proxy = createProxyMiddleware<IncomingMessage>({
    target: 'http://set-by-router.invalid',
    changeOrigin: true,
    router: (req) => connections.get(req)!.target.provider.origin,
    logger: { info() {}, warn() {}, error() {} },
    on: {
      proxyReqWs(proxyReq, req) {
        const connection = connections.get(req)!
        proxyReq.once('upgrade', (res, providerSocket) => {
          connection.opened = true
          cleanHandshake(res.headers, connection.target.key)
          // The library joins the two by pipes, which do not pass on that one side is gone.
          providerSocket.once('close', () => connection.socket.destroy())
          connection.socket.once('close', () => providerSocket.destroy())
        })
        // A caller who leaves during the handshake.
        connection.socket.once('close', () => proxyReq.destroy())
        // Any answer but the handshake: told in our own words, before the library passes it on with all that is in it.
        proxyReq.once('response', (res) => {
          const status = res.statusCode ?? 0
          const cause = new Error(`The provider answered ${status} to a WebSocket.`)
          // A 401 means our key, not the caller's.
          const code = status === 401 ? 'upstream_auth_failed' : 'upstream_unreachable'
          const message = status === 401 ? undefined : `The provider refused the WebSocket with status ${status}.`
          connection.failure = new GatewayError(code, { message, cause })
          const told = status >= 400 && status !== 401 ? status : connection.failure.status
          connection.refusedWith = told
          refuse(connection.socket, connection.failure, connection.exchange.requestId, told)
        })
      },
      error(cause, req, socket) {
        const connection = connections.get(req)
        if (!connection || connection.opened) return void (socket as Socket).destroy()
        connection.failure = new GatewayError('upstream_unreachable', { cause })
        refuse(connection.socket, connection.failure, connection.exchange.requestId)
      },
    },
  })

  const recheck = setInterval(() => {
    for (const connection of connections.values()) void check(connection)
  }, RECHECK_MS).unref()

  const check = async (connection: Connection) => {
    const { exchange, credential, address, socket } = connection
    try {
      const caller = await authenticate(ctx.tokens, statics, withCredential(credential))
      authorize(caller, exchange.path.endpoint, () => address, ctx.now())
    } catch (error) {
      connection.failure ??= toGatewayError(error)
      socket.destroy()
    }
  }

  const upgrade = async (req: IncomingMessage, socket: Socket, head: Buffer) => {
    const exchange = newExchange({ now: ctx.now, patienceMs: ctx.config.timeouts.idleMs }, req, null)
    exchange.stream = true
    ctx.life.unsettled++
    socket.on('error', () => socket.destroy())
    try {
      const credential = credentialOf(req) ?? protocolKey(req)
      const caller = await authenticate(ctx.tokens, statics, credential === null ? req : withCredential(credential))
      exchange.caller = caller
      if (exchange.path.problem) throw exchange.path.problem
      if (ctx.life.draining) throw new GatewayError('draining')
      if (connections.size >= ctx.config.maxConcurrentRequests)
        throw new GatewayError('overloaded', { headers: { 'retry-after': '1' } })
      const address = addressOf(req)
      authorize(caller, exchange.path.endpoint, () => address, ctx.now())
      if (ctx.ledger.failing()) throw new GatewayError('storage_unavailable', { headers: { 'retry-after': '5' } })
      exchange.model = new URLSearchParams(exchange.path.query).get('model')
      if (exchange.model === null) authorizeNoModel(caller)
      const target = plan(
        { providers: ctx.providers, defaultProvider: ctx.config.defaultProvider, pick: pickWeighted },
        caller,
        exchange.model,
      )
      exchange.target = target
      exchange.provider = target.provider.name
      await admit(ctx, ctx.config.rateLimit, exchange, caller)
      if (socket.destroyed) throw new GatewayError('client_closed')
      const connection: Connection = {
        exchange,
        credential: credential ?? '',
        address,
        target,
        socket,
        opened: false,
        failure: null,
        refusedWith: null,
      }
      connections.set(req, connection)
      socket.once('close', () => end(req, connection))
      exchange.overheadMs = performance.now() - exchange.startedMs
      ctx.metrics.attemptStarted(target.provider.name)
      prepare(req, exchange, target)
      proxy.upgrade(req, socket, head)
    } catch (error) {
      const refusal = toGatewayError(error)
      if (!exchange.admitted) ctx.metrics.requestRejected(refusal.code)
      settle(
        ctx,
        exchange,
        { status: refusal.status, answered: false, error: refusal.code, cause: refusal.cause },
        () => refuse(socket, refusal, exchange.requestId),
      )
    }
  }

  const end = (req: IncomingMessage, { exchange, target, socket, opened, failure, refusedWith }: Connection) => {
    connections.delete(req)
    exchange.uploadedBytes = socket.bytesRead
    exchange.responseBytes = socket.bytesWritten
    const outcome = opened ? 'answered' : failure ? 'failed' : 'cancelled'
    ctx.metrics.attemptEnded(target.provider.name, outcome)
    exchange.attempts.push({
      provider: target.provider.name,
      model: target.model,
      outcome,
      status: opened ? 101 : null,
      durationMs: Math.round(performance.now() - exchange.startedMs),
      error: failure?.code ?? null,
    })
    const status = opened ? 101 : (refusedWith ?? failure?.status ?? 499)
    settle(
      ctx,
      exchange,
      {
        status,
        answered: opened,
        error:
          refusedWith !== null && refusedWith === status && failure?.code === 'upstream_unreachable'
            ? 'upstream_error'
            : (failure?.code ?? (opened ? null : 'client_closed')),
        cause: failure?.cause,
      },
      () => {},
    )
  }

  return {
    upgrade: (req, socket, head) => void upgrade(req, socket as Socket, head),
    open: () => connections.size,
    closeAll() {
      clearInterval(recheck)
      for (const { socket } of connections.values()) socket.destroy()
    },
  }
}

const withCredential = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } })

function protocolKey(req: IncomingMessage): string | null {
  return (
    protocols(req)
      .find((name) => name.startsWith(KEY_PROTOCOL))
      ?.slice(KEY_PROTOCOL.length) ?? null
  )
}

const protocols = (req: IncomingMessage) =>
  (req.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())

/** Replaces what the caller sent by what the provider shall see; the library sends `req.headers` and `req.url` on. */
function prepare(req: IncomingMessage, { path }: Exchange, { provider, model, key }: Target): void {
  const flat = upstreamHeaders(req.rawHeaders, provider.authHeaders(key), null, null)
  const headers: IncomingMessage['headers'] = { connection: 'Upgrade', upgrade: 'websocket' }
  for (let i = 0; i < flat.length; i += 2) headers[flat[i]!.toLowerCase()] = flat[i + 1]!
  const offered = protocols(req).filter((name) => name !== '' && !name.startsWith(KEY_PROTOCOL))
  delete headers['sec-websocket-protocol']
  if (offered.length > 0) headers['sec-websocket-protocol'] = offered.join(', ')
  const query = new URLSearchParams(path.query)
  if (model !== null) query.set('model', model)
  req.headers = headers
  req.url = `${provider.basePath}${path.below}${query.size > 0 ? `?${query}` : ''}`
}

/** The provider's headers of the handshake, which the library passes on: without its cookies, our names, and our key. */
function cleanHandshake(headers: IncomingMessage['headers'], key: string): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'set-cookie' || name.startsWith('x-llm-proxy-')) delete headers[name]
    else if (String(value).includes(key)) delete headers[name]
  }
}

/** An error in place of the handshake's answer. */
function refuse(socket: Socket, error: GatewayError, requestId: string, status: number = error.status): void {
  if (!socket.writable) return void socket.destroy()
  const body = JSON.stringify(toOpenAiError(error))
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    'x-llm-proxy-request-id': requestId,
    ...error.headers,
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('\r\n')}\r\n\r\n${body}`)
}
