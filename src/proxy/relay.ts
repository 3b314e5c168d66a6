import { validateHeaderName, validateHeaderValue } from 'node:http'
import { GatewayError } from '../errors.ts'
import type { StreamBuilder } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import type { HubEvent } from '../formats/hub.ts'
import { createJsonObserver } from '../usage/json-observer.ts'
import { type Observer, passThrough } from '../usage/observer.ts'
import { createSecretFilter } from '../usage/secret-filter.ts'
import { createStreamObserver } from '../usage/stream-observer.ts'
import { wantsCost } from './cost-header.ts'
import { createDecoding, type Decoding, type Source } from './decode.ts'
import { createDelivery, type Head } from './delivery.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { type Answer, UpstreamFailure } from './forward.ts'
import { addRequestId, downstreamHeaders, headerOf } from './headers.ts'
import type { KeepaliveEvery } from './keepalive.ts'
import { watchObjects } from './pins/watch-answer.ts'
import type { Target } from './plan.ts'
import { createRecovery, type Recover } from './recover.ts'
import { ownHeaders } from './respond.ts'
import type { SettleParts } from './settle.ts'
import { createDialectObserver } from './translate/dialect-observer.ts'
import type { Translation } from './translate/translation.ts'

type Framing = {
  isEventStream: boolean
  length: number | null
  observer: Observer
  translated: boolean
  /** Of a stream that is translated. */
  builder: StreamBuilder | null
}
type Manner = {
  /** Usage was asked for on our own account. */
  hideUsage: boolean
  /** An answer whose client leaves is read on. */
  drains: boolean
  translation: Translation | null
  /** Finds another answer for a stream that breaks off. Null: it ends in an error. */
  recover?: Recover | null
  /** Null: waiting clients hear nothing. */
  keepalive?: KeepaliveEvery | null
}

/**
 * Passes an answer on, piece by piece as it comes, at the speed of the client; an observer looks at what passes. The answer's last
 * bytes wait until the ledger row is committed. An answer that breaks off is never ended cleanly.
 */
export function relay(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  { hideUsage, drains, translation, recover = null, keepalive = null }: Manner,
): void {
  const { res } = exchange
  exchange.relaying = true
  const encoding = headerOf(answer.headers, 'content-encoding')
  const framing = frame(exchange, target, answer, hideUsage, translation)
  if (translation === null) {
    const { observer, isEventStream } = framing
    framing.observer = watchObjects(parts, exchange, target, answer, isEventStream, observer)
  }
  const decodes = framing.observer !== passThrough && encoding !== null && encoding !== 'identity'
  const untouched = !decodes && !(framing.isEventStream && hideUsage) && !framing.translated
  const extra = ownHeaders(exchange, answer.headersAt - answer.startedAt)
  if (exchange.attempts.length > 0 && answer.status >= 400) extra.push('x-should-retry', 'false')
  exchange.firstByteMs = answer.firstByteAt === 0 ? null : answer.firstByteAt - exchange.startedMs
  const ownCors = res.hasHeader('access-control-allow-origin')
  const facts = {
    keepContentLength: untouched,
    decoded: decodes,
    limits: exchange.grant?.states ?? [],
    ownCors,
    extra,
    secret: target.key,
  }
  const headers = downstreamHeaders(answer.headers, facts)
  if (translation) addRequestId(headers, translation.from.name, exchange.requestId)
  const statusText = answer.statusText.replaceAll(target.key, '')
  const head: Head = {
    waits: wantsCost(exchange) && !framing.isEventStream,
    send: (more) => void res.writeHead(answer.status, statusText, more.length === 0 ? headers : [...headers, ...more]),
  }
  let decoding: Decoding | null = null
  try {
    if (decodes) decoding = createDecoding(encoding, answer)
    if (head.waits) checkHeaders(headers)
    else head.send([])
  } catch (cause) {
    const failure = new UpstreamFailure('cut', 'The provider sent an answer that cannot be passed on.', { cause })
    answer.cancel(failure)
    note(parts, exchange, target, answer, failure)
    exchange.relaying = false
    throw new GatewayError('upstream_unreachable', { cause: failure })
  }

  if (decodes) exchange.changes.push('content-encoding')
  // They have served; a stream may stay open for minutes.
  answer.headers = []
  const isAnswerStream = framing.isEventStream && exchange.endpoint !== null && answer.status < 400
  const recovery = isAnswerStream && recover ? createRecovery(exchange, target, framing.builder) : null
  const source = decoding ?? answer
  const drain = drains && isAnswerStream ? draining : null
  if (drain) exchange.drain = drain(answer, source)
  const length = untouched ? framing.length : null
  const first = { target, answer, source, observer: framing.observer, translated: framing.translated, length }
  const receiver = createDelivery(parts, exchange, head, first, {
    isEventStream: framing.isEventStream,
    keepalive: isAnswerStream ? keepalive : null,
    recovery: recovery && { ...recovery, next: recover! },
    drain,
  })
  answer.deliverTo(decoding ? decoding.receive(receiver) : receiver)
}

function frame(
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  hideUsage: boolean,
  translation: Translation | null,
): Framing {
  const type = headerOf(answer.headers, 'content-type') ?? ''
  const isEventStream = type.startsWith('text/event-stream')
  const length = headerOf(answer.headers, 'content-length')
  const facts = {
    isEventStream,
    length: length === null ? null : Number(length),
    translated: translation !== null,
    builder: null,
  }
  const { endpoint } = exchange
  if (isEventStream) exchange.stream = true
  if (answer.status >= 400) {
    return { ...facts, observer: createSecretFilter(target.key) }
  }
  if (endpoint === null) return { ...facts, observer: passThrough }
  if (isEventStream && (translation || endpoint.terminator === 'dialect')) {
    const parser = (translation?.to ?? DIALECTS[endpoint.dialect!]!).createStreamParser()
    const builder = translation?.createStreamBuilder?.() ?? null
    const sealed = builder && { push: (event: HubEvent) => builder.push(translation!.seal(event)) }
    return { ...facts, builder, observer: createDialectObserver({ parser, builder: sealed, secret: target.key }) }
  }
  if (isEventStream)
    return {
      ...facts,
      observer: createStreamObserver({
        terminator: endpoint.terminator === 'dialect' ? 'none' : endpoint.terminator,
        hideUsage,
        secret: target.key,
      }),
    }
  return {
    ...facts,
    observer: type.startsWith('application/json')
      ? createJsonObserver(endpoint.text !== null && endpoint.text !== 'input_only')
      : passThrough,
  }
}

/** Throws what `writeHead` would throw. */
function checkHeaders(headers: readonly string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    validateHeaderName(headers[i]!)
    validateHeaderValue(headers[i]!, headers[i + 1]!)
  }
}

const DRAIN_MS = 60_000
const DRAIN_BYTES = 4 * 1024 * 1024

/** In a function of its own, as `cancelling` in dispatch.ts. */
const draining = (answer: Answer, source: Source) => () => {
  answer.limit(DRAIN_BYTES, performance.now() + DRAIN_MS)
  source.resume()
}
