import { createServer, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp } from './app.ts'
import type { AppContext } from './context.ts'
import { ensureDefaultProject } from './domain/default-project.ts'
import { type ErrorCode, GatewayError, toOpenAiError } from './errors.ts'
import { createRealtime, type Realtime } from './proxy/realtime.ts'
import { recordedResponse } from './proxy/recorded-response.ts'
import { createStaticCallers } from './proxy/static-callers.ts'

export type Gateway = {
  ctx: AppContext
  /** Where it listens: `http://127.0.0.1:8080`. */
  url: string
  /** Of the project `default`. */
  projectId: string
  /** Lets what is under way finish, for `graceMs` at the most, then closes everything. */
  close(graceMs?: number): Promise<void>
}

/** The running gateway on `config.host` and `config.port` (0: any free one). Throws what `listen` throws (`EADDRINUSE` …). */
export async function startGateway(ctx: AppContext): Promise<Gateway> {
  const project = await ensureDefaultProject(ctx.store, ctx.now)
  const statics = createStaticCallers(ctx)
  const { listener, addressOf } = createApp(ctx, statics)
  const realtime = createRealtime(ctx, statics, addressOf)
  const keeps = ctx.bodies?.keeps
  const server = createServer(
    {
      maxHeaderSize: 32 * 1024,
      headersTimeout: 30_000,
      // Bodies have their own limit of silence; a slow upload of a large file is no attack.
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 65_000,
      noDelay: true,
      // Finds out about clients that are gone without a word.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      // Any other upgrade (h2c) is an offer that a server may pass over: the request is served as it is.
      ...(keeps?.response && { ServerResponse: recordedResponse(keeps.maxBytes) }),
      shouldUpgradeCallback: ({ method, url, headers }) =>
        method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && /^\/v1(?:[/?]|$)/.test(url ?? ''),
    },
    listener,
  )
  server.on('clientError', answerMalformed)
  server.on('upgrade', realtime.upgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(ctx.config.port, ctx.config.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    ctx,
    url: urlOf(server),
    projectId: project.id,
    close: (graceMs = 0) => close(ctx, server, realtime, graceMs),
  }
}

/**
 * While requests are under way the port stays open, so that whoever asks is told: /ready says 503, /v1 `draining`. Then, or when
 * `graceMs` is over, everything is closed.
 */
async function close(ctx: AppContext, server: Server, realtime: Realtime, graceMs: number): Promise<void> {
  ctx.life.draining = true
  const deadline = performance.now() + graceMs
  while (ctx.life.running + realtime.open() > 0 && performance.now() < deadline) await delay(DRAIN_CHECK_MS)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  realtime.closeAll()
  server.closeIdleConnections()
  // The last answers are out, but their connections need a moment to know it.
  const late = setTimeout(() => server.closeAllConnections(), ctx.life.running > 0 ? 0 : CLOSING_MS)
  await closed
  clearTimeout(late)
  // What was cut off just now is still on its way into the ledger.
  const patience = performance.now() + BOOKING_MS
  while (ctx.life.unsettled > 0 && performance.now() < patience) await delay(5)
  await ctx.close()
}

const DRAIN_CHECK_MS = 50
const CLOSING_MS = 250
const BOOKING_MS = 5_000

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** What Node's parser refuses never becomes a request: it is answered here, in the format of all other errors. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  // Node's own note of whose answer this connection waits for. When that request is here whole, the nonsense came behind it, and
  // what is written now would be taken for its answer.
  const due = (socket as Socket & { _httpMessage?: { headersSent: boolean; req: { complete: boolean } } | null })
    ._httpMessage
  const isDue = due != null && (due.headersSent || due.req.complete)
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0 || isDue) return void socket.destroy()
  const code: ErrorCode =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request_timeout'
        : 'invalid_request'
  const refusal = new GatewayError(code)
  const body = JSON.stringify(toOpenAiError(refusal))
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
