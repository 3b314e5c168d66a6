import type { GatewayError } from '../errors.ts'
import { dataEvent } from '../formats/sse.ts'
import type { LimitState } from '../kv/kv.ts'
import { limitHeaders } from './admit.ts'
import { errorBody, errorDialect } from './error-body.ts'
import type { Exchange, HttpExchange } from './exchange.ts'

/** Answers with an error of the gateway's own, in the format of the client's SDK. Nothing may have been sent yet. */
export function sendError(exchange: HttpExchange, error: GatewayError): void {
  const { res, requestId } = exchange
  const body = JSON.stringify(errorBody(errorDialect(exchange), error, requestId))
  // The SDKs read the id of a failed request from these.
  const own = ['x-request-id', requestId, 'request-id', requestId, ...ownHeaders(exchange, null)]
  const type = ['content-type', 'application/json; charset=utf-8', 'content-length', String(Buffer.byteLength(body))]
  // The error's own say about a limit is fresher than what the request was let in with.
  const extra = Object.entries(error.headers)
  const kept = own.filter((_part, index) => !(own[index - (index % 2)]! in error.headers))
  res.writeHead(error.status, [...type, ...kept, ...extra.flat()])
  res.end(body)
}

/** So long a client has to take the last event of a broken answer. */
const LAST_WORD_MS = 1_000

/** Ends an answer that has begun and cannot be finished: an error event where the format has one, then a broken connection. */
export function breakOff(exchange: HttpExchange, error: GatewayError, isEventStream: boolean, done: () => void): void {
  const { res, requestId } = exchange
  // Who does not read is not waited for.
  setTimeout(() => res.destroy(), LAST_WORD_MS).unref()
  const close = () => {
    // Without the last chunk of the encoding, so that no client can take this for the end.
    if (res.socket) res.socket.destroySoon()
    else res.destroy()
    done()
  }
  if (!isEventStream || res.destroyed) return close()
  // The provider may have stopped within an event.
  const dialect = errorDialect(exchange)
  const event = dataEvent(errorBody(dialect, error, requestId))
  const name = dialect?.name === 'anthropic-messages' ? 'event: error\n' : ''
  res.write(Buffer.concat([Buffer.from(`\n\n${name}`), event]), close)
}

/** The gateway's own headers for an answer of any kind: a flat list of names and values. */
export function ownHeaders(exchange: Exchange, upstreamMs: number | null): string[] {
  const headers = ['x-llm-proxy-request-id', exchange.requestId, 'server-timing', serverTiming(exchange, upstreamMs)]
  if (exchange.provider !== null && exchange.overheadMs !== null)
    headers.push('x-llm-proxy-provider', exchange.provider)
  const model = exchange.target?.model
  if (model && isPrintable(model)) headers.push('x-llm-proxy-model', model)
  const tries = exchange.attempts.length + (exchange.relaying ? 1 : 0)
  if (tries > 0) headers.push('x-llm-proxy-attempts', String(tries))
  if (exchange.route !== null && isPrintable(exchange.route)) headers.push('x-llm-proxy-route', exchange.route)
  if (exchange.req.headers['x-llm-proxy-trace'] === 'true') headers.push('x-llm-proxy-trace', traceOf(exchange))
  if (exchange.dropped.length > 0) headers.push('x-llm-proxy-dropped', exchange.dropped.filter(isPrintable).join(','))
  if (exchange.grant) addLimits(headers, exchange.grant.states)
  return headers
}

/** `openai:gpt-4o 429 12ms; anthropic:claude-sonnet-4-5 200`: every try, and the answer that is passed on. */
function traceOf({ attempts, relaying, target, answer }: Exchange): string {
  const nameOf = (provider: string, model: string | null) =>
    model !== null && isPrintable(model) ? `${provider}:${model}` : provider
  const tries = attempts.map(
    ({ provider, model, status, error, durationMs }) =>
      `${nameOf(provider, model)} ${[status, error].filter((part) => part !== null).join(' ')} ${durationMs}ms`,
  )
  if (relaying && target) tries.push(`${nameOf(target.provider.name, target.model)} ${answer?.status ?? ''}`)
  return tries.join('; ')
}

function addLimits(headers: string[], states: readonly LimitState[]): void {
  if (states.length === 0) return
  const limits = limitHeaders(states)
  for (const name in limits) headers.push(name, limits[name]!)
}

const isPrintable = (text: string) => /^[\x21-\x7e]{1,256}$/.test(text)

function serverTiming(exchange: Exchange, upstreamMs: number | null): string {
  const own = exchange.overheadMs ?? performance.now() - exchange.startedMs
  return upstreamMs === null
    ? `gateway;dur=${round(own)}`
    : `gateway;dur=${round(own)}, upstream;dur=${round(upstreamMs)}`
}

const round = (ms: number) => Math.round(ms * 100) / 100
