import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import type { Json } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import { factsAt } from '../providers/index.ts'
import { type Continuation, continuationOf } from '../routing/recovery/continuation.ts'
import type { Sent } from '../routing/recovery/sent.ts'
import { begin, firstByte, laneOf, note, takeSlot } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { firstEvent } from './first-event.ts'
import { type Answer, UpstreamFailure, type UpstreamRequest } from './forward.ts'
import { isEventStream } from './headers.ts'
import type { Itinerary, Stop } from './itinerary.ts'
import type { Prepared } from './prepare.ts'
import type { NextAnswer, Recover } from './recover.ts'
import { reserveMore } from './reserve.ts'

type Parts = Pick<AppContext, 'http' | 'metrics' | 'config' | 'live' | 'budgets' | 'prices' | 'slots'>

/**
 * Looks for the rest of a stream that broke off at the other steps of its itinerary, each asked once. Null where there are none, or
 * the operator wants none.
 */
export function findNext(
  parts: Parts,
  exchange: HttpExchange,
  { stops, recovery }: Itinerary,
  first: Stop,
  prepare: (stop: Stop) => Prepared,
): Recover | null {
  const others = stops.filter(({ step }) => step !== first.step)
  if (recovery === 'off' || others.length === 0 || exchange.body.kind !== 'json') return null
  const asked = new Set([first.step])
  return async ({ sent }) => {
    for (const stop of others) {
      if (asked.has(stop.step) || !parts.live.admits(laneOf(stop))) continue
      if (exchange.clientGone) return null
      asked.add(stop.step)
      const next = await ask(parts, exchange, stop, prepare, recovery === 'continue' ? sent : null).catch(orNull)
      if (next) return next
    }
    return null
  }
}

/** That this one cannot be asked so, or may not be paid, is no reason not to ask another. */
function orNull(error: unknown): null {
  if (error instanceof GatewayError && error.status < 500) return null
  throw error
}

/** `sent`: what it is to go on from, if it can. */
async function ask(
  parts: Parts,
  exchange: HttpExchange,
  stop: Stop,
  prepare: (stop: Stop) => Prepared,
  sent: Sent | null,
): Promise<NextAnswer | null> {
  const changes = exchange.changes.length
  const prepared = await prepareAgain(parts, exchange, stop, prepare)
  if (prepared === null) return null
  const { translation } = prepared
  const { from, request } = beginningIn(prepared.request(), exchange, stop, prepared, sent)
  if (!(await takeSlot(parts, exchange, stop, true))) return null
  const answer = begin(parts, exchange, stop, { request: () => request })
  const failure = (await firstByte(answer)) ?? (await failureIn(answer, exchange, prepared))
  if (failure === null) {
    exchange.attempt?.firstEvent()
    return { answer, target: stop, translation, from }
  }
  note(parts, exchange, stop, answer, answer.failure ?? failure)
  answer.cancel(failure)
  exchange.changes.length = changes
  return null
}

/** With money held back for it; null: there is not enough. The parsed body, which both need, was let go when the stream began. */
async function prepareAgain(
  parts: Parts,
  exchange: HttpExchange,
  stop: Stop,
  prepare: (stop: Stop) => Prepared,
): Promise<Prepared | null> {
  const { body } = exchange
  if (body.kind === 'json') exchange.body = { ...body, value: JSON.parse(body.bytes.toString()) as Json }
  try {
    return (await reserveMore(parts, exchange, stop)) ? prepare(stop) : null
  } finally {
    exchange.body = body
  }
}

/** The request, with what has been said as the beginning of the answer where the model takes that. */
function beginningIn(
  request: UpstreamRequest,
  exchange: HttpExchange,
  { provider, model }: Stop,
  { translation }: Prepared,
  sent: Sent | null,
): { from: Continuation | null; request: UpstreamRequest } {
  const dialect = translation?.to ?? DIALECTS[exchange.endpoint!.dialect!]!
  const { body } = request
  if (sent === null || !Buffer.isBuffer(body)) return { from: null, request }
  const from = continuationOf(body, dialect, sent.text, factsAt(provider, model ?? ''))
  return { from, request: from ? withBody(request, from.body) : request }
}

function withBody(request: UpstreamRequest, body: Buffer): UpstreamRequest {
  const headers = [...request.headers]
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === 'content-length') headers[i + 1] = String(body.length)
  return { ...request, headers, body }
}

/** Null: it is the beginning of a stream. */
async function failureIn(
  answer: Answer,
  exchange: HttpExchange,
  { translation }: Prepared,
): Promise<UpstreamFailure | null> {
  if (answer.status >= 400 || !isEventStream(answer))
    return new UpstreamFailure('cut', `Answered ${answer.status}, and not with a stream.`)
  const error = await firstEvent(answer, translation?.to.name ?? exchange.endpoint!.dialect!)
  if (answer.failure) return answer.failure
  return error && new UpstreamFailure('cut', `Told of an error: ${error.kind}.`)
}
