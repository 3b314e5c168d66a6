import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { describeError } from '../logger.ts'
import { redact } from '../redact.ts'
import type { Usage } from '../store/store.ts'
import type { Observer } from '../usage/observer.ts'
import { passThrough } from '../usage/observer.ts'
import { NO_USAGE } from '../usage/read-usage.ts'
import type { Exchange } from './exchange.ts'

export type Outcome = {
  /** What the client was told; 499 when it had gone. */
  status: number
  /** A provider answered with success, and the answer came whole. */
  answered: boolean
  /** `GatewayError` code, or `upstream_error` for a provider's own. */
  error: string | null
  /** What really happened, for the log. */
  cause?: unknown
  observer?: Observer
}

type Parts = Pick<AppContext, 'ledger' | 'kv' | 'metrics' | 'log' | 'estimator' | 'life'>

/**
 * Ends a request in the books, exactly once: ledger row, limits, metrics, log line. `done` comes when the row is committed; the
 * last byte of the answer waits for it.
 */
export function settle(parts: Parts, exchange: Exchange, outcome: Outcome, done: () => void): void {
  if (exchange.settled) throw new Error(`Request ${exchange.requestId} was settled twice.`)
  exchange.settled = true
  const written = () => {
    parts.life.unsettled--
    done()
  }
  const { usage, servedModel, text } = (outcome.observer ?? passThrough).result()
  exchange.servedModel = servedModel
  if (usage !== null || !mayEstimate(exchange, outcome))
    return book(parts, exchange, outcome, usage ?? NO_USAGE, written)
  const { body } = exchange
  const requestBytes = body.kind === 'json' ? body.bytes : Buffer.alloc(0)
  const generated = exchange.endpoint?.text === 'input_only' ? '' : (text() ?? '')
  parts.estimator
    .estimate(requestBytes, generated)
    .then((estimate) => book(parts, exchange, outcome, estimate, written))
}

/** Only what a provider has begun to answer, on an endpoint whose text can be counted, has a use that can be estimated. */
function mayEstimate({ endpoint, provider, overheadMs }: Exchange, { status, answered, error }: Outcome): boolean {
  if (!endpoint?.text || provider === null || overheadMs === null) return false
  return answered || status === 499 || error === 'upstream_cut' || error === 'upstream_timeout'
}

function book(
  { ledger, kv, metrics, log }: Parts,
  exchange: Exchange,
  outcome: Outcome,
  usage: Usage,
  done: () => void,
): void {
  const { caller, requestId, provider, servedModel, stream, attempts, changes } = exchange
  // A token pasted into the wrong place must not be kept in plain text.
  const model = exchange.model === null ? null : redact(exchange.model)
  const endpoint = redact(exchange.path.endpoint)
  const latencyMs = tenths(performance.now() - exchange.startedMs)
  const firstTokenMs = stream && exchange.firstByteMs !== null ? tenths(exchange.firstByteMs) : null
  const requestBytes = exchange.body.kind === 'json' ? exchange.body.bytes.length : exchange.uploadedBytes
  if (exchange.grant) kv.release(exchange.grant, { tokens: usage.inputTokens + usage.outputTokens })
  metrics.requestEnded({
    provider,
    model,
    status: outcome.status,
    answered: outcome.answered,
    latencyMs,
    overheadMs: exchange.overheadMs,
    firstTokenMs,
    usage,
  })
  log.request({
    requestId,
    project: caller?.project.id ?? null,
    token: caller?.token.id ?? null,
    method: exchange.method,
    path: endpoint,
    model,
    provider,
    servedModel,
    status: outcome.status,
    error: outcome.error,
    stream,
    latencyMs,
    firstTokenMs,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    usageSource: usage.source,
    requestBytes,
    responseBytes: exchange.responseBytes,
    attempts: attempts.length,
    changes,
    ...(outcome.cause !== undefined && { cause: describeCause(outcome.cause) }),
  })
  // Nobody stands behind an unknown token: there is no account to write it to, and anyone could fill the disk. And while rows
  // cannot be written, those of refused requests would pile up in memory.
  if (caller === null || (ledger.failing() && !exchange.admitted)) return done()
  ledger.record(
    {
      requestId,
      at: exchange.at,
      tokenId: caller.token.id,
      projectId: caller.project.id,
      method: exchange.method,
      endpoint,
      model,
      provider,
      servedModel,
      attempts,
      status: outcome.status,
      stream,
      latencyMs,
      firstTokenMs,
      usage,
      costNanoUsd: null,
      cache: 'bypass',
      error: outcome.error,
      changes,
      requestBytes,
      responseBytes: exchange.responseBytes,
    },
    exchange.admitted && !exchange.taken ? caller.token.id : null,
    done,
  )
}

const describeCause = (cause: unknown) => describeError(cause instanceof GatewayError ? (cause.cause ?? cause) : cause)

const tenths = (ms: number) => Math.round(ms * 10) / 10
