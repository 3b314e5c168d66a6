import type { ServerResponse } from 'node:http'
import { type GatewayError, toOpenAiError } from '../errors.ts'
import { dataEvent } from '../formats/sse.ts'
import { limitHeaders } from './admit.ts'
import type { Exchange } from './exchange.ts'

/** Answers with an error of the gateway's own, in OpenAI's format. Nothing may have been sent yet. */
export function sendError(res: ServerResponse, error: GatewayError, headers: Record<string, string>): void {
  const body = JSON.stringify(toOpenAiError(error))
  res.writeHead(error.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
    ...error.headers,
  })
  res.end(body)
}

/** Ends an answer that has begun and cannot be finished: an error event where the format has one, then a broken connection. */
export function breakOff(res: ServerResponse, error: GatewayError, isEventStream: boolean, done: () => void): void {
  const close = () => {
    // Without the last chunk of the encoding, so that no client can take this for the end.
    if (res.socket) res.socket.destroySoon()
    else res.destroy()
    done()
  }
  if (!isEventStream || res.destroyed) return close()
  // The provider may have stopped within an event.
  res.write(Buffer.concat([Buffer.from('\n\n'), dataEvent(toOpenAiError(error))]), close)
}

/** The gateway's own headers, by name, for an answer of any kind. */
export function ownHeaders(exchange: Exchange, upstreamMs: number | null): Record<string, string> {
  const headers: Record<string, string> = { 'x-llm-proxy-request-id': exchange.requestId }
  if (exchange.provider !== null && exchange.overheadMs !== null) headers['x-llm-proxy-provider'] = exchange.provider
  if (exchange.target?.model && PRINTABLE.test(exchange.target.model))
    headers['x-llm-proxy-model'] = exchange.target.model
  const tries = exchange.attempts.length + (exchange.relaying ? 1 : 0)
  if (tries > 0) headers['x-llm-proxy-attempts'] = String(tries)
  headers['server-timing'] = serverTiming(exchange, upstreamMs)
  if (exchange.grant) Object.assign(headers, limitHeaders(exchange.grant.states))
  return headers
}

const PRINTABLE = /^[\x21-\x7e]{1,256}$/

function serverTiming(exchange: Exchange, upstreamMs: number | null): string {
  const own = exchange.overheadMs ?? performance.now() - exchange.startedMs
  return upstreamMs === null
    ? `gateway;dur=${own.toFixed(2)}`
    : `gateway;dur=${own.toFixed(2)}, upstream;dur=${upstreamMs.toFixed(1)}`
}
