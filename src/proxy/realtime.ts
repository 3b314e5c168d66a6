import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyMiddleware } from 'http-proxy-middleware'
import type { AppContext } from '../context.ts'
import { fromStoreError } from '../domain/store-errors.ts'
import { GatewayError, toGatewayError, toOpenAiError } from '../errors.ts'
import { admit } from './admit.ts'
import { authenticate, authorize, authorizeNoModel, credentialOf } from './authenticate.ts'
import { type Exchange, newExchange } from './exchange.ts'
import { upstreamHeaders } from './headers.ts'
import { choiceOf, plan, type Target } from './plan.ts'
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
  /** With which status the provider gave a plain answer instead of a WebSocket. */
  plainStatus: number | null
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
        const unwatch = watchHandshake(connection, proxyReq, ctx.config.timeouts.headersMs)
        proxyReq.once('upgrade', (res, providerSocket) => {
          unwatch()
          connection.opened = true
          cleanHeaders(res.headers, connection.target.key)
          // The library joins the two by pipes, which do not pass on that one side is gone.
          providerSocket.once('close', () => connection.socket.destroy())
          connection.socket.once('close', () => providerSocket.destroy())
        })
        // Any answer but the handshake; the library passes on what is left of it here. An error is told in our own words before that.
        proxyReq.once('response', (res) => {
          unwatch()
          const status = res.statusCode ?? 0
          if (status < 400) {
            connection.plainStatus = status
            cleanHeaders(res.headers, connection.target.key)
            res.headers['x-llm-proxy-request-id'] = connection.exchange.requestId
            return
          }
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
        if (connection.plainStatus !== null) {
          connection.failure = new GatewayError('upstream_cut', { cause })
          return void (socket as Socket).destroy()
        }
        connection.failure ??= new GatewayError('upstream_unreachable', { cause })
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
      // A database that cannot be read just now says nothing of the token.
      if (!(error instanceof GatewayError))
        return ctx.log.warn('a WebSocket could not be checked', { request_id: exchange.requestId, cause: error })
      connection.failure ??= error
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
      const target = plan(choiceOf(ctx), caller, exchange.model)
      exchange.target = target
      exchange.provider = target.provider.name
      await admit(ctx, ctx.config.rateLimit, exchange, caller, [target])
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
        plainStatus: null,
      }
      connections.set(req, connection)
      socket.once('close', () => end(req, connection))
      exchange.overheadMs = performance.now() - exchange.startedMs
      ctx.metrics.attemptStarted(target.provider.name)
      prepare(req, exchange, target)
      proxy.upgrade(req, socket, head)
    } catch (error) {
      const refusal = toGatewayError(fromStoreError(error))
      if (!exchange.admitted) ctx.metrics.requestRejected(refusal.code)
      settle(
        ctx,
        exchange,
        { status: refusal.status, answered: false, error: refusal.code, cause: refusal.cause },
        () => refuse(socket, refusal, exchange.requestId),
      )
    }
  }

  const end = (req: IncomingMessage, connection: Connection) => {
    const { exchange, target, socket, opened, failure, refusedWith, plainStatus } = connection
    connections.delete(req)
    exchange.uploadedBytes = socket.bytesRead
    exchange.responseBytes = socket.bytesWritten
    const answered = opened || plainStatus !== null
    const outcome = failure && !opened ? 'failed' : answered ? 'answered' : 'cancelled'
    ctx.metrics.attemptEnded(target.provider.name, outcome)
    exchange.attempts.push({
      provider: target.provider.name,
      model: target.model,
      outcome,
      status: opened ? 101 : plainStatus,
      durationMs: Math.round(performance.now() - exchange.startedMs),
      error: failure?.code ?? null,
    })
    const status = opened ? 101 : (plainStatus ?? refusedWith ?? failure?.status ?? 499)
    settle(
      ctx,
      exchange,
      {
        status,
        answered: answered && (opened || failure === null),
        error:
          refusedWith !== null && refusedWith === status && failure?.code === 'upstream_unreachable'
            ? 'upstream_error'
            : (failure?.code ?? (answered ? null : 'client_closed')),
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

/** The provider's headers, which the library passes on: without its cookies, our names, and our key. */
function cleanHeaders(headers: IncomingMessage['headers'], key: string): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'set-cookie' || name.startsWith('x-llm-proxy-')) delete headers[name]
    else if (String(value).includes(key)) delete headers[name]
  }
}

/** While the provider has not answered: a limit of time, and an eye on the caller, whose leaving nobody would notice. */
function watchHandshake(connection: Connection, proxyReq: ClientRequest, headersMs: number): () => void {
  const { socket } = connection
  const giveUp = setTimeout(() => {
    const cause = new Error(`No answer to the handshake within ${headersMs} ms.`)
    connection.failure = new GatewayError('upstream_timeout', { cause })
    proxyReq.destroy(cause)
  }, headersMs)
  // Without taking what he may have sent already: only an end with nothing before it is read.
  const onReadable = () => {
    if (socket.readableLength === 0) socket.read(0)
  }
  const leave = () => socket.destroy()
  const abandon = () => proxyReq.destroy()
  socket.on('readable', onReadable).once('end', leave).once('close', abandon)
  const stop = () => {
    clearTimeout(giveUp)
    socket.off('readable', onReadable).off('end', leave).off('close', abandon)
  }
  socket.once('close', () => clearTimeout(giveUp))
  return stop
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
