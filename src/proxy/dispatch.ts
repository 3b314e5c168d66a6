import { setTimeout as delay } from 'node:timers/promises'
import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { statusOf } from '../formats/error-kind.ts'
import type { Lane, TryEnd } from '../routing/live.ts'
import { retryAfterMs } from '../routing/retry.ts'
import type { Routing } from '../routing/types.ts'
import type { Exchange } from './exchange.ts'
import { firstEvent } from './first-event.ts'
import { type Answer, UpstreamFailure } from './forward.ts'
import { headerOf, isEventStream } from './headers.ts'
import type { Itinerary, Stop } from './itinerary.ts'
import type { Target } from './plan.ts'
import type { Prepared } from './prepare.ts'
import { readError } from './read-error.ts'
import { type Ending, judge, type Situation, type Verdict } from './verdict.ts'

type Parts = Pick<AppContext, 'http' | 'metrics' | 'config' | 'live' | 'prices' | 'slots' | 'now'>
/** Where the request arrived, and what it was told there. */
export type Arrival = { stop: Stop; answer: Answer; prepared: Prepared }

/**
 * The only loop that tries: stop by stop, and the same stop again where that may help. It ends with an answer that has begun in
 * earnest (a success, or an error that is the last word), or throws `upstream_unreachable`, `upstream_timeout`, `client_closed`, `overloaded`, or
 * what `prepare` throws where no other stop is left. Once a byte has reached the client nothing is tried again. A body that passes as
 * a stream can be sent once.
 */
export async function dispatch(
  parts: Parts,
  exchange: Exchange,
  routing: Routing,
  itinerary: Itinerary,
  prepare: (stop: Stop) => Prepared,
): Promise<Arrival> {
  const stops = politely(parts, itinerary.stops)
  const bare = exchange.changes.length
  for (let at = 0; ; ) {
    const stop = stops[at]!
    const others = exchange.body.kind === 'stream' ? [] : stops.slice(at + 1)
    exchange.target = stop
    exchange.provider = stop.provider.name
    // What was changed for another target is not for this one.
    exchange.changes.length = bare
    exchange.dropped = []
    const prepared = tryToPrepare(prepare, stop, others.length > 0)
    if (prepared === null) {
      at++
      continue
    }
    const next = await visit(parts, exchange, routing, itinerary, { stop, prepared, others })
    if (next.answer) return { stop, answer: next.answer, prepared }
    at = stops.indexOf(next.to)
  }
}

/** Those first that are believed to be well; the others are there where nobody else can help. */
function politely({ live }: Parts, stops: readonly Stop[]): readonly Stop[] {
  if (stops.length === 1) return stops
  const fit: Stop[] = []
  const unfit: Stop[] = []
  for (const stop of stops) {
    const isFit = live.benchedUntil(stop.provider.name, stop.keyId) === null && live.admits(laneOf(stop))
    ;(isFit ? fit : unfit).push(stop)
  }
  return unfit.length === 0 ? stops : [...fit, ...unfit]
}

export const laneOf = ({ provider, keyId, model }: Target): Lane => ({
  provider: provider.name,
  keyId,
  model: model ?? '',
})

/** Null: this stop cannot be asked so, and another one may. */
function tryToPrepare(prepare: (stop: Stop) => Prepared, stop: Stop, hasOthers: boolean): Prepared | null {
  try {
    return prepare(stop)
  } catch (error) {
    if (hasOthers && error instanceof GatewayError && error.status < 500) return null
    throw error
  }
}

/** A place at the provider, as many as the operator allows. False: there is none, and somebody else can be asked. Throws `overloaded`. */
export async function takeSlot(
  { slots }: Pick<Parts, 'slots'>,
  exchange: Exchange,
  stop: Stop,
  hasOther: boolean,
): Promise<boolean> {
  try {
    const slot = slots.acquire(stop.provider.name, exchange.caller?.project.id ?? '', exchange)
    exchange.slot = slot instanceof Promise ? await slot : slot
    return true
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'overloaded' && hasOther) return false
    throw error
  }
}

const otherStep = (stop: Stop, others: readonly Stop[]): Stop | undefined =>
  others.find(({ step, provider }) => step !== stop.step && provider !== stop.provider)

type Visit = { stop: Stop; prepared: Prepared; others: readonly Stop[] }

/** One stop, until it gave an answer that goes to the client, or another one is to be asked. */
async function visit(
  parts: Parts,
  exchange: Exchange,
  routing: Routing,
  itinerary: Itinerary,
  { stop, prepared, others }: Visit,
): Promise<{ answer: Answer; to?: undefined } | { answer: null; to: Stop }> {
  const policy = { ...routing.retry, maxRetries: itinerary.maxRetries }
  for (let tries = 1; ; tries++) {
    const other = otherStep(stop, others)
    if (!(await takeSlot(parts, exchange, stop, other !== undefined))) return { answer: null, to: other! }
    const answer = begin(parts, exchange, stop, prepared)
    const failure = await firstByte(answer)
    const ending = failure
      ? ({ kind: 'failure', failure } as const)
      : await endingOf(parts, exchange, answer, { stop, prepared, others })
    if (
      exchange.clientGone ||
      exchange.refusal ||
      (ending?.kind === 'failure' && ending.failure.kind === 'cancelled')
    ) {
      note(parts, exchange, stop, answer, answer.failure ?? failure)
      answer.cancel(new UpstreamFailure('cancelled', 'The client closed the connection.'))
      throw exchange.refusal ?? new GatewayError('client_closed', { cause: failure })
    }
    if (ending === null) {
      exchange.attempt?.firstEvent()
      return { answer }
    }
    // What it did to the breaker counts for what comes next.
    exchange.attempt?.end(endOf(ending))
    exchange.attempt = null
    const situation: Situation = {
      tries,
      otherKey: others.some(({ step }) => step === stop.step),
      otherStep: others.some(({ step }) => step !== stop.step),
      isRepeatable: isRepeatable(exchange),
      isHarmless: SAFE_METHODS.has(exchange.method),
      isOpen: !parts.live.admits(laneOf(stop)),
      routesAroundRefusals: itinerary.route?.routesAroundRefusals ?? false,
      leftMs: exchange.startedMs + routing.timeouts.totalMs - performance.now(),
    }
    const verdict =
      exchange.body.kind === 'stream' ? ({ go: 'stop' } as const) : judge(ending, situation, policy, Math.random)
    bench(parts, routing, stop, verdict)
    const to = nextStop(parts, stop, others, verdict)
    if (verdict.go !== 'again' && to === null) {
      if (ending.kind === 'error') return { answer }
      note(parts, exchange, stop, answer, ending.failure)
      throw toClientError(ending.failure, exchange.attempts.length > 1)
    }
    note(parts, exchange, stop, answer, ending.kind === 'failure' ? ending.failure : null, endOf(ending))
    answer.cancel(new UpstreamFailure('cancelled', 'Tried again.'))
    if (to !== null) return { answer: null, to }
    await pause(exchange, verdict.go === 'again' ? verdict.waitMs : 0)
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Asked twice, a model answers twice, and no more; what else a request may set going is not done twice. */
const isRepeatable = ({ method, endpoint, inBackground }: Exchange) =>
  SAFE_METHODS.has(method) || (endpoint !== null && !inBackground)

/** Starts one attempt, which a client that leaves ends. */
export function begin(
  { http, metrics, config, live }: Pick<Parts, 'http' | 'metrics' | 'config' | 'live'>,
  exchange: Exchange,
  stop: Stop,
  { request }: Pick<Prepared, 'request'>,
): Answer {
  const now = performance.now()
  exchange.overheadMs ??= now - exchange.startedMs
  const answer = http.start(request(), exchange.startedMs + (stop.timeouts ?? config.timeouts).totalMs, stop.timeouts)
  metrics.attemptStarted(stop.provider.name)
  exchange.attempt = live.begin(laneOf(stop))
  exchange.answer = answer
  exchange.cancel = cancelling(answer)
  return answer
}

/**
 * In a function of its own: V8 gives a function literal that is assigned to a property a place in the old generation, where it
 * would keep all that it sees (the request and its answer) through every small garbage collection.
 */
const cancelling = (answer: Answer) => () =>
  answer.cancel(new UpstreamFailure('cancelled', 'The client closed the connection.'))

export const firstByte = (answer: Answer): Promise<UpstreamFailure | null> =>
  answer.ready.then(
    () => null,
    (failure: UpstreamFailure) => failure,
  )

/** Null: it is a good answer, as far as one can tell before the client has any of it. */
async function endingOf(
  { live, now }: Parts,
  exchange: Exchange,
  answer: Answer,
  { stop, prepared, others }: Visit,
): Promise<Ending | null> {
  live.noteHeaders(laneOf(stop), answer.headers)
  const dialect = prepared.translation?.to.name ?? stop.provider.speaks[0]?.dialect ?? 'openai-chat'
  if (answer.status < 400) {
    const streamed = exchange.endpoint?.dialect ?? null
    // Without anybody else to ask there is nothing to wait for.
    if (others.length === 0 || streamed === null || !isEventStream(answer)) return null
    const error = await firstEvent(answer, prepared.translation ? dialect : streamed)
    if (answer.failure) return { kind: 'failure', failure: answer.failure }
    // It was told with a status of success.
    return error && { kind: 'error', status: statusOf(error.kind), error, waitMs: error.retryAfterMs, mayRetry: true }
  }
  const { headers, status } = answer
  const asked = retryAfterMs(headerOf(headers, 'retry-after-ms'), headerOf(headers, 'retry-after'), now())
  // What it says is read where it decides, or where it may say how long to wait.
  const isRead = status < 500 && status !== 401 && (others.length > 0 || (status === 429 && asked === null))
  const error = isRead ? await readError(answer, dialect) : null
  return {
    kind: 'error',
    status,
    error,
    waitMs: asked ?? error?.retryAfterMs ?? null,
    mayRetry: headerOf(headers, 'x-should-retry') !== 'false',
  }
}

function bench({ live, now }: Parts, { keys }: Routing, { provider, keyId }: Stop, verdict: Verdict): void {
  if (verdict.go === 'again' || verdict.benchMs === undefined) return
  if (verdict.benchWhy === 'limited' && !keys.cooldownOn429) return
  live.benchKey(provider.name, keyId, now() + verdict.benchMs, verdict.benchWhy!)
}

function nextStop({ prices }: Parts, stop: Stop, others: readonly Stop[], verdict: Verdict): Stop | null {
  if (verdict.go === 'again' || verdict.go === 'stop') return null
  if (verdict.go === 'key') return others.find(({ step }) => step === stop.step) ?? null
  const sizeOf = ({ provider, model }: Stop) => (model === null ? null : prices.contextWindow(provider.name, model))
  const size = verdict.larger ? sizeOf(stop) : null
  return (
    others.find((other) => {
      if (other.step === stop.step) return false
      const itsSize = size === null ? null : sizeOf(other)
      return size === null || itsSize === null || itsSize > size
    }) ?? null
  )
}

const endOf = (ending: Ending): TryEnd => {
  if (ending.kind === 'failure') return endOfFailure(ending.failure)
  if (ending.status === 429 || ending.error?.kind === 'rate_limit' || ending.error?.kind === 'billing') return 'limited'
  if (ending.status === 401 || ending.error?.kind === 'authentication') return 'refused'
  // That the request is wrong says nothing of the provider.
  return ending.status >= 500 ? 'failed' : 'answered'
}

/** A client that leaves, or stalls its upload, says nothing of the provider. */
const endOfFailure = ({ kind }: UpstreamFailure): TryEnd =>
  kind === 'cancelled' || kind === 'client_stalled' ? 'cancelled' : 'failed'

/** Of an answer that was not judged before. */
const usualEnd = ({ status }: Answer, failure: UpstreamFailure | null): TryEnd =>
  failure ? endOfFailure(failure) : endOf({ kind: 'error', status, error: null, waitMs: null, mayRetry: false })

async function pause(exchange: Exchange, ms: number): Promise<void> {
  const controller = new AbortController()
  exchange.cancel = () => controller.abort()
  await delay(ms, undefined, { signal: controller.signal }).catch(() => {
    throw new GatewayError('client_closed')
  })
}

/** Writes the attempt down; for an answer that is relayed, the relay does it at its end. */
export function note(
  { metrics }: Pick<Parts, 'metrics'>,
  exchange: Exchange,
  target: Target,
  answer: Answer,
  failure: UpstreamFailure | null,
  end: TryEnd | null = null,
): void {
  const outcome = end === 'failed' && failure === null ? 'failed' : outcomeOf(answer, failure)
  exchange.slot?.()
  exchange.slot = null
  metrics.attemptEnded(target.provider.name, outcome)
  exchange.attempt?.end(end ?? usualEnd(answer, failure))
  exchange.attempt = null
  exchange.attempts.push({
    provider: target.provider.name,
    model: target.model,
    outcome,
    status: answer.status === 0 ? null : answer.status,
    durationMs: Math.round(performance.now() - answer.startedAt),
    error: failure === null ? null : failure.kind,
  })
}

function outcomeOf(answer: Answer, failure: UpstreamFailure | null) {
  if (failure === null) return answer.status < 400 ? ('answered' as const) : ('failed' as const)
  if (failure.kind === 'cancelled') return 'cancelled' as const
  return failure.unsent ? ('unsent' as const) : ('failed' as const)
}

function toClientError(failure: UpstreamFailure, triedAgain: boolean): GatewayError {
  if (failure.kind === 'client_stalled') return new GatewayError('request_timeout', { cause: failure })
  const code = failure.kind === 'timeout' ? 'upstream_timeout' : 'upstream_unreachable'
  // The gateway has done the trying: three tries of the SDK on top would be nine.
  const headers: Record<string, string> = triedAgain && failure.kind !== 'timeout' ? { 'x-should-retry': 'false' } : {}
  return new GatewayError(code, { headers, cause: failure })
}
