import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import { GatewayError } from '../errors.ts'
import { DIALECTS } from '../formats/dialects.ts'
import { createJsonObserver } from '../usage/json-observer.ts'
import { type Observer, passThrough } from '../usage/observer.ts'
import { createSecretFilter } from '../usage/secret-filter.ts'
import { createStreamObserver } from '../usage/stream-observer.ts'
import { COST_HEADER, costText, wantsCost } from './cost-header.ts'
import { createDecoding, type Decoding, type Source } from './decode.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { type Answer, type Receiver, UpstreamFailure } from './forward.ts'
import { addRequestId, downstreamHeaders, headerOf } from './headers.ts'
import { watchObjects, whenKept } from './pins/watch-answer.ts'
import type { Target } from './plan.ts'
import { breakOff, ownHeaders, sendError } from './respond.ts'
import { type Outcome, type SettleParts, settle } from './settle.ts'
import { createDialectObserver } from './translate/dialect-observer.ts'
import type { Translation } from './translate/translation.ts'

type Framing = { isEventStream: boolean; length: number | null; observer: Observer; translated: boolean }
/** `hideUsage`: usage was asked for on our own account. `drains`: an answer whose client leaves is read on. */
type Manner = { hideUsage: boolean; drains: boolean; translation: Translation | null }
/** The answer's status and headers, sent at once or, for a client who wants the cost among them, when that is known. */
type Head = { waits: boolean; send(more: string[]): void }

/**
 * Passes an answer on, piece by piece as it comes, at the speed of the client; an observer looks at what passes. The answer's last
 * bytes wait until the ledger row is committed. An answer that breaks off is never ended cleanly.
 */
export function relay(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  { hideUsage, drains, translation }: Manner,
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
  const known = { ...framing, length: untouched ? framing.length : null }
  if (drains && framing.isEventStream && exchange.endpoint !== null && answer.status < 400)
    exchange.drain = draining(answer, decoding ?? answer)
  const receiver = createReceiver(parts, exchange, target, answer, decoding ?? answer, head, known)
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
  const facts = { isEventStream, length: length === null ? null : Number(length), translated: translation !== null }
  const { endpoint } = exchange
  if (isEventStream) exchange.stream = true
  if (answer.status >= 400) {
    return { ...facts, observer: createSecretFilter(target.key) }
  }
  if (endpoint === null) return { ...facts, observer: passThrough }
  if (isEventStream && (translation || endpoint.terminator === 'dialect')) {
    const parser = (translation?.to ?? DIALECTS[endpoint.dialect!]!).createStreamParser()
    const builder = translation?.createStreamBuilder?.() ?? null
    return { ...facts, observer: createDialectObserver({ parser, builder, secret: target.key }) }
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

function createReceiver(
  parts: SettleParts,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
  source: Source,
  head: Head,
  { isEventStream, length, observer, translated }: Framing,
): Receiver {
  const { res } = exchange
  let received = 0
  let paused = false
  /** The last bytes of an answer, while the ledger row is on its way. */
  let held: (Buffer | null)[] = []
  let committed = false
  let upstreamOver = false

  const send = (piece: Buffer | null) => {
    if (piece === null || exchange.clientGone) return
    if (head.waits) return wait(piece)
    exchange.responseBytes += piece.length
    if (res.write(piece) || paused) return
    paused = true
    source.pause()
    const stop = giveUpOnSilence(res, exchange.readerPatienceMs)
    res.once('drain', () => {
      stop()
      paused = false
      source.resume()
    })
  }

  /** A whole answer for the sake of its cost, but not a long one. */
  const wait = (piece: Buffer) => {
    held.push(piece)
    if (received <= LONGEST_WAIT) return
    head.waits = false
    head.send([])
    const pieces = held
    held = []
    for (const one of pieces) send(one)
  }

  const close = (outcome: Omit<Outcome, 'observer'>, done: () => void) => {
    note(parts, exchange, target, answer, answer.failure)
    settle(parts, exchange, { ...outcome, observer }, done)
  }

  const complete = () => {
    // Read to its end for the sake of the count alone.
    if (exchange.clientGone && !observer.failed())
      return close({ status: 499, answered: false, error: 'client_closed' }, () => res.destroy())
    const failed = answer.status >= 400 || observer.failed()
    if (translated && !upstreamOver) answer.limit(REST_BYTES, performance.now() + REST_MS)
    for (const piece of held) exchange.responseBytes += piece?.length ?? 0
    close({ status: answer.status, answered: !failed, error: failed ? 'upstream_error' : null }, () =>
      whenKept(parts, exchange, () => {
        committed = true
        finish()
      }),
    )
  }

  const finish = () => {
    if (head.waits) head.send([COST_HEADER, costText(exchange)])
    head.waits = false
    for (const piece of held) if (piece) res.write(piece)
    held = []
    if (isEventStream && wantsCost(exchange)) res.write(`: ${COST_HEADER} ${costText(exchange)}\n\n`)
    // Nothing comes any more that could be told in the client's dialect, whenever the provider hangs up.
    if (upstreamOver || translated) end()
  }

  const end = () => {
    if (res.writableEnded) return
    res.end()
    if (!res.writableFinished) giveUpOnSilence(res, exchange.readerPatienceMs)
  }

  const cut = (failure: UpstreamFailure | null) => {
    if (exchange.clientGone || failure?.kind === 'cancelled') {
      return close({ status: 499, answered: false, error: 'client_closed' }, () => res.destroy())
    }
    const error = new GatewayError(failure?.kind === 'timeout' ? 'upstream_timeout' : 'upstream_cut', {
      cause: failure,
    })
    const status = head.waits ? error.status : answer.status
    close({ status, answered: false, error: error.code, cause: error }, () => {
      // Nothing has been sent yet: it can still be told in full.
      if (head.waits) sendError(exchange, error)
      else breakOff(exchange, error, isEventStream, () => {})
    })
  }

  return {
    onData(piece) {
      received += piece.length
      if (exchange.settled) {
        // Behind the end that the format defines: nothing is expected here, but it is not ours to drop, where the client can read it.
        if (translated) return
        if (committed) res.write(piece)
        else held.push(piece)
        return
      }
      const shown = observer.push(piece)
      // With a known length the client has all of it with this piece, so this piece waits.
      if (received === length) held.push(shown)
      else send(shown)
      if (observer.finished()) {
        held.push(observer.end())
        complete()
      }
    },
    onEnd() {
      upstreamOver = true
      if (exchange.settled) {
        if (committed) end()
        return
      }
      held.push(observer.end())
      if (observer.truncated()) cut(null)
      else complete()
    },
    onFailure(failure) {
      upstreamOver = true
      if (!exchange.settled) return cut(failure)
      // The format's own end came before: the client lacks nothing.
      if (committed) end()
    },
  }
}

/** Bytes. A longer answer goes out as it comes, without its cost. */
const LONGEST_WAIT = 1024 * 1024

/** Throws what `writeHead` would throw. */
function checkHeaders(headers: readonly string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    validateHeaderName(headers[i]!)
    validateHeaderValue(headers[i]!, headers[i + 1]!)
  }
}

/** What a provider may still send behind the end, so that its connection can be used again. */
const REST_BYTES = 64 * 1024
const REST_MS = 5_000

const DRAIN_MS = 60_000
const DRAIN_BYTES = 4 * 1024 * 1024

/** In a function of its own, as `cancelling` in dispatch.ts. */
const draining = (answer: Answer, source: Source) => () => {
  answer.limit(DRAIN_BYTES, performance.now() + DRAIN_MS)
  source.resume()
}

/** Bytes that nobody takes hold a place that others wait for: ends the connection when none has left it for `ms`. */
function giveUpOnSilence(res: ServerResponse, ms: number): () => void {
  const { socket } = res
  const giveUp = () => res.destroy()
  // Node's own timer of a socket, which starts anew as long as its write queue shrinks.
  socket?.setTimeout(ms).once('timeout', giveUp)
  const stop = () => {
    // A slow reader stops many times.
    res.off('close', stop).off('finish', stop)
    socket?.off('timeout', giveUp)
    res.off('close', stop).off('finish', stop)
    if (!res.writableFinished) socket?.setTimeout(0)
  }
  res.once('close', stop).once('finish', stop)
  return stop
}
