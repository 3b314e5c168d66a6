import { GatewayError } from '../../errors.ts'
import { type Json, UnreadableAnswer } from '../../formats/dialect.ts'
import { statusOf } from '../../formats/error-kind.ts'
import type { HubError } from '../../formats/hub.ts'
import { passThrough } from '../../usage/observer.ts'
import { COST_HEADER, costText, wantsCost } from '../cost-header.ts'
import type { HttpExchange } from '../exchange.ts'
import type { Answer } from '../forward.ts'
import { addRequestId, downstreamHeaders, headerOf, isEventStream } from '../headers.ts'
import type { Target } from '../plan.ts'
import { ownHeaders } from '../respond.ts'
import { type Outcome, type SettleParts, settle } from '../settle.ts'
import { readEvents } from './read-events.ts'
import { takeWhole } from './take-whole.ts'
import type { Translation } from './translation.ts'

/** Pictures come inside. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Answers with the provider's whole answer, or its error, in the client's dialect. Throws `upstream_cut`, `upstream_timeout`,
 * `upstream_unreachable` (nothing that can be read), `upstream_auth_failed`, `client_closed`; the exchange is not settled then.
 */
export async function answerWhole(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  translation: Translation,
): Promise<void> {
  const text = await takeWhole(parts, exchange, target, answer, MAX_BYTES)
  const json = parseJson(text)
  if (answer.status >= 400) return answerError(parts, exchange, target, answer, translation, json ?? text)
  const { tell } = translation
  const isEvents = tell !== null && isEventStream(answer)
  const events = isEvents ? readable(() => readEvents(text, translation.to)) : null
  // A stream that ended before its end.
  if (isEvents && events === null) throw new GatewayError('upstream_cut')
  if (events && 'kind' in events) return tellError(parts, exchange, target, answer, translation, events, text)
  const told = readable(() => (events ? tell!(events) : json && translation.retell(json)))
  if (told === null && json !== null && tellsError(json))
    return answerError(parts, exchange, target, answer, translation, json)
  if (told === null) {
    const said = text.replaceAll(target.key, '[redacted]').slice(0, 2_000)
    throw new GatewayError('upstream_unreachable', {
      message: 'The provider sent an answer that cannot be read.',
      headers: { 'x-should-retry': 'false' },
      cause: new Error(`${target.provider.name} answered ${answer.status}: ${said}`),
    })
  }
  const observer = { ...passThrough, result: () => told.observed }
  const outcome = { status: 200, answered: true, error: null, observer }
  sendWhole(parts, exchange, { target, answer, translation }, outcome, told.text, told.isStream ? SSE_TYPE : JSON_TYPE)
}

const JSON_TYPE = ['content-type', 'application/json; charset=utf-8']
const SSE_TYPE = ['content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache']

/** OpenRouter says so with a status of success when it had begun to answer. */
const tellsError = ({ error, type, object }: Json) =>
  (typeof error === 'object' && error !== null) || type === 'error' || object === 'error'

function readable<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    // Nested more deeply than can be written.
    if (error instanceof UnreadableAnswer || error instanceof RangeError) return null
    throw error
  }
}

function answerError(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  translation: Translation,
  said: unknown,
): void {
  const error = translation.to.parseError(toldStatus(answer), said)
  tellError(parts, exchange, target, answer, translation, error, said)
}

/** Of an error with a status of success. */
const toldStatus = ({ status }: Answer) => (status >= 400 ? status : 500)

/** `said`: by the provider, for who wants to know. */
function tellError(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  translation: Translation,
  error: HubError,
  said: unknown,
): void {
  const { from } = translation
  const told = toldStatus(answer)
  // Our key is not the caller's affair.
  if (error.kind === 'authentication') {
    const cause = new Error(`${target.provider.name} answered ${answer.status}: ${masked(error.message, target)}`)
    throw new GatewayError('upstream_auth_failed', { headers: { 'x-should-retry': 'false' }, cause })
  }
  const status = told < 500 && error.kind === 'invalid_request' ? told : statusOf(error.kind)
  const shown = from.buildError({ ...error, message: masked(error.message, target) }, status)
  const inner = shown.error as Json
  const upstream = { provider: target.provider.name, status: answer.status, body: maskedJson(said, target) }
  const body = JSON.stringify({ ...shown, error: { ...inner, details: inner.details ?? { upstream } } })
  const outcome = { status, answered: false, error: 'upstream_error', observer: passThrough }
  sendWhole(parts, exchange, { target, answer, translation }, outcome, body, [
    ...JSON_TYPE,
    ...retryHeaders(answer, error, exchange),
  ])
}

function retryHeaders(answer: Answer, { retryAfterMs }: HubError, exchange: HttpExchange): string[] {
  const headers: string[] = []
  // Anthropic tells a number with answers that are none, too.
  const asked = answer.status >= 400 ? headerOf(answer.headers, 'retry-after') : null
  if (asked !== null) headers.push('retry-after', asked)
  else if (retryAfterMs !== null) headers.push('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  // The gateway has done the trying.
  if (exchange.attempts.length > 1) headers.push('x-should-retry', 'false')
  return headers
}

/** Answers with that body once the request is settled, and with the provider's headers but for what is said in `more`. */
export function sendWhole(
  parts: SettleParts,
  exchange: HttpExchange,
  { target, answer, translation }: { target: Target; answer: Answer; translation: Translation | null },
  outcome: Outcome,
  body: string,
  more: string[],
): void {
  const { res } = exchange
  const bytes = Buffer.from(body)
  exchange.responseBytes = bytes.length
  const own = ownHeaders(exchange, answer.headersAt - answer.startedAt)
  const headers = downstreamHeaders(without(answer.headers, more), {
    keepContentLength: false,
    decoded: true,
    limits: exchange.grant?.states ?? [],
    ownCors: res.hasHeader('access-control-allow-origin'),
    secret: target.key,
    extra: [...more, 'content-length', String(bytes.length), ...own],
  })
  if (translation) addRequestId(headers, translation.from.name, exchange.requestId)
  if (exchange.clientGone) {
    settle(parts, exchange, { ...outcome, status: 499, answered: false, error: 'client_closed' }, () => res.destroy())
    return
  }
  settle(parts, exchange, outcome, () => {
    if (wantsCost(exchange)) headers.push(COST_HEADER, costText(exchange))
    res.writeHead(outcome.status, headers)
    res.end(bytes)
  })
}

/** What is said anew, and what was said of the body that is gone. */
function without(raw: readonly string[], anew: readonly string[]): string[] {
  const gone = new Set([...anew.filter((_part, index) => index % 2 === 0), 'retry-after', 'etag', 'content-md5'])
  return raw.filter((_part, index) => !gone.has(raw[index - (index % 2)]!.toLowerCase()))
}

const masked = (text: string, { key }: Target) => text.replaceAll(key, '[redacted]')

/** Characters. No error that says something is longer; what is comes as the beginning of its text. */
const LONGEST_ERROR = 32 * 1024

function maskedJson(said: unknown, target: Target): unknown {
  const text = masked(typeof said === 'string' ? said : JSON.stringify(said), target)
  return typeof said === 'string' || text.length > LONGEST_ERROR ? text.slice(0, 2_000) : JSON.parse(text)
}

function parseJson(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    // Some of Gemini's errors come in a list.
    const one: unknown = Array.isArray(value) ? value[0] : value
    return typeof one === 'object' && one !== null ? (one as Json) : null
  } catch {
    return null
  }
}
