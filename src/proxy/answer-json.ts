import type { HttpExchange } from './exchange.ts'
import { ownHeaders } from './respond.ts'
import { type Outcome, type SettleParts, settle } from './settle.ts'

/** Settles the request and answers 200 with JSON of the gateway's own making. `more`: flat list of headers. */
export function answerJson(
  parts: SettleParts,
  exchange: HttpExchange,
  value: object,
  { answered, more = [] }: Pick<Outcome, 'answered'> & { more?: string[] },
): void {
  const body = JSON.stringify(value)
  exchange.responseBytes = Buffer.byteLength(body)
  settle(parts, exchange, { status: 200, answered, error: null }, () => {
    const type = ['content-type', 'application/json; charset=utf-8', 'content-length', String(exchange.responseBytes)]
    exchange.res.writeHead(200, [...type, ...more, ...ownHeaders(exchange, null)])
    exchange.res.end(body)
  })
}
