import { setTimeout as delay } from 'node:timers/promises'
import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { isRetryableStatus, retryAfterMs, waitBeforeRetry } from '../routing/retry.ts'
import type { Exchange } from './exchange.ts'
import { type Answer, UpstreamFailure, type UpstreamRequest } from './forward.ts'
import { headerOf } from './headers.ts'
import type { Target } from './plan.ts'

type Parts = Pick<AppContext, 'http' | 'metrics' | 'config' | 'now' | 'slots'>
export type Build = (target: Target) => UpstreamRequest

/**
 * The only loop that tries. It ends with an answer whose first byte is here (a success, or an error that is the provider's last
 * word), or throws `upstream_unreachable`, `upstream_timeout`, `client_closed`, `overloaded`. Once a byte has reached the client nothing is
 * tried again. A body that passes as a stream can be sent once.
 */
export async function dispatch(parts: Parts, exchange: Exchange, target: Target, build: Build): Promise<Answer> {
  const once = exchange.body.kind === 'stream'
  for (;;) {
    const slot = parts.slots.acquire(target.provider.name, exchange.caller?.project.id ?? '', exchange)
    exchange.slot = slot instanceof Promise ? await slot : slot
    const answer = begin(parts, exchange, build(target))
    const failure = await firstByte(answer)
    const attempt = () => note(parts, exchange, target, answer, failure)
    if (failure?.kind === 'cancelled' || exchange.clientGone || exchange.refusal) {
      attempt()
      throw exchange.refusal ?? new GatewayError('client_closed', { cause: failure })
    }
    const wait = once ? null : waitFor(parts, exchange, answer, failure)
    if (wait === null) {
      if (failure === null) return answer
      attempt()
      throw toClientError(failure, exchange.attempts.length > 1)
    }
    attempt()
    if (failure === null) answer.cancel(new UpstreamFailure('cancelled', 'Tried again.'))
    await pause(exchange, wait)
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

function begin({ http, metrics, config }: Parts, exchange: Exchange, request: UpstreamRequest): Answer {
  const now = performance.now()
  exchange.overheadMs ??= now - exchange.startedMs
  const answer = http.start(request, exchange.startedMs + config.timeouts.totalMs)
  metrics.attemptStarted(exchange.provider!)
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

const firstByte = (answer: Answer): Promise<UpstreamFailure | null> =>
  answer.ready.then(
    () => null,
    (failure: UpstreamFailure) => failure,
  )

/** Milliseconds to the next try, null when this answer (or failure) is the last. */
function waitFor(
  { config, now }: Parts,
  exchange: Exchange,
  answer: Answer,
  failure: UpstreamFailure | null,
): number | null {
  // Once sent, a request may have been carried out, and paid for: only what changes nothing is sent again. The caller, whose money
  // it is, may well do so. And a provider that was silent once is not asked to be silent twice.
  if (failure !== null && !failure.unsent && (failure.kind === 'timeout' || !SAFE_METHODS.has(exchange.method)))
    return null
  if (failure === null && !isRetryableStatus(answer.status)) return null
  const tried = exchange.attempts.length + 1
  const { headers } = answer
  if (headerOf(headers, 'x-should-retry') === 'false') return null
  const asked =
    failure === null ? retryAfterMs(headerOf(headers, 'retry-after-ms'), headerOf(headers, 'retry-after'), now()) : null
  const wait = waitBeforeRetry(config.retry, tried, asked, Math.random)
  const deadline = exchange.startedMs + config.timeouts.totalMs
  return wait !== null && performance.now() + wait < deadline ? wait : null
}

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
): void {
  const outcome = outcomeOf(answer, failure)
  exchange.slot?.()
  exchange.slot = null
  metrics.attemptEnded(target.provider.name, outcome)
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
