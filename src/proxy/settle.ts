import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { describeError } from '../logger.ts'
import type { EstimateReason, LedgerRow, Usage } from '../store/store.ts'
import type { Observer } from '../usage/observer.ts'
import { passThrough } from '../usage/observer.ts'
import type { Prices } from '../usage/prices/prices.ts'
import { NO_USAGE } from '../usage/read-usage.ts'
import { bookedNames, type Exchange } from './exchange.ts'
import { worksUncounted } from './named-models.ts'

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

/** What the books are made of. */
export type SettleParts = Pick<
  AppContext,
  'ledger' | 'kv' | 'metrics' | 'log' | 'estimator' | 'life' | 'budgets' | 'prices' | 'alerts'
>

/**
 * Ends a request in the books, exactly once: ledger row, limits, metrics, log line. `done` comes when the row is committed; the
 * last byte of the answer waits for it.
 */
export function settle(parts: SettleParts, exchange: Exchange, outcome: Outcome, done: () => void): void {
  if (exchange.settled) throw new Error(`Request ${exchange.requestId} was settled twice.`)
  exchange.settled = true
  const written = () => {
    parts.life.unsettled--
    done()
  }
  const { usage, partial, servedModel, text } = (outcome.observer ?? passThrough).result()
  exchange.servedModel = servedModel
  if (usage !== null || !mayEstimate(exchange, outcome))
    return book(parts, exchange, outcome, usage ?? NO_USAGE, written)
  const { body } = exchange
  const requestBytes = body.kind === 'json' ? body.bytes : Buffer.alloc(0)
  const generated = exchange.endpoint?.text === 'input_only' ? '' : (text() ?? '')
  parts.estimator
    .estimate(requestBytes, generated)
    .then((estimate) => book(parts, exchange, outcome, completed(partial ?? null, estimate), written))
}

/** The provider's own count of the input is better than an estimate, and knows what came from a cache. */
const completed = (partial: Usage | null, estimate: Usage): Usage =>
  partial === null
    ? estimate
    : { ...partial, outputTokens: estimate.outputTokens, reasoningTokens: 0, source: 'estimated' }

/** Only what a provider has begun to answer, on an endpoint whose text can be counted, has a use that can be estimated. */
function mayEstimate(
  { endpoint, provider, overheadMs, responseBytes }: Exchange,
  { status, answered, error }: Outcome,
): boolean {
  if (!endpoint?.text || provider === null || overheadMs === null) return false
  return (
    (answered && status < 300 && responseBytes > 0) ||
    status === 499 ||
    error === 'upstream_cut' ||
    error === 'upstream_timeout'
  )
}

function book(
  { ledger, kv, metrics, log, budgets, prices, alerts }: SettleParts,
  exchange: Exchange,
  outcome: Outcome,
  usage: Usage,
  done: () => void,
): void {
  const { caller } = exchange
  const row = rowOf(exchange, outcome, usage, costOf(prices, exchange, outcome, usage))
  exchange.costNanoUsd = row.costNanoUsd
  if (exchange.grant) kv.release(exchange.grant, { tokens: usage.inputTokens + usage.outputTokens })
  metrics.requestEnded(row, outcome.answered, exchange.overheadMs)
  log.request(row, outcome.cause === undefined ? null : describeCause(outcome.cause))
  // Nobody stands behind an unknown token: there is no account to write it to, and anyone could fill the disk. And while rows
  // cannot be written, those of refused requests would pile up in memory.
  if (caller === null || (ledger.failing() && !exchange.admitted)) return done()
  ledger.record(row, exchange.admitted && !exchange.taken ? caller.token.id : null, () => {
    // Together, so that at no moment the money is neither held back nor spent.
    if (exchange.reservation) budgets.release(exchange.reservation)
    budgets.spent(row)
    alerts.settled(row, budgets.known(caller, row.at))
    done()
  })
}

type Cost = Pick<LedgerRow, 'costNanoUsd' | 'priceSource'>
const FREE: Cost = { costNanoUsd: 0n, priceSource: null }
const UNPRICED: Cost = { costNanoUsd: null, priceSource: null }

/** What fails is free unless the provider counted something; what makes no model work is free; everything else has a price, or none is known. */
function costOf(prices: Prices, exchange: Exchange, { answered }: Outcome, usage: Usage): Cost {
  const { provider, servedModel, target, at, endpoint, reservation } = exchange
  if (provider === null) return FREE
  if (usage.source === 'none') {
    if (!answered || !(endpoint !== null || worksUncounted(exchange))) return FREE
    // Speech, for one: what a budget held back is all that is known.
    return reservation ? { costNanoUsd: reservation.amount.nanoUsd, priceSource: 'reserved' } : UNPRICED
  }
  const priced = prices.price(provider, servedModel, target?.model ?? null, usage, at)
  return priced === null ? UNPRICED : { costNanoUsd: priced.costNanoUsd, priceSource: priced.source }
}

function rowOf(exchange: Exchange, outcome: Outcome, usage: Usage, cost: Cost): LedgerRow {
  const { caller, body, stream, firstByteMs, reservation } = exchange
  const { status, error } = outcome
  const { endpoint, model } = bookedNames(exchange)
  return {
    requestId: exchange.requestId,
    at: exchange.at,
    tokenId: caller?.token.id ?? null,
    projectId: caller?.project.id ?? null,
    method: exchange.method,
    endpoint,
    model,
    provider: exchange.provider,
    servedModel: exchange.servedModel,
    attempts: exchange.attempts,
    status,
    stream,
    latencyMs: tenths(performance.now() - exchange.startedMs),
    firstTokenMs: stream && firstByteMs !== null ? tenths(firstByteMs) : null,
    usage,
    estimateReason: usage.source === 'estimated' ? reasonOf(outcome) : null,
    costNanoUsd: cost.costNanoUsd,
    priceSource: cost.priceSource,
    reservedNanoUsd: reservation?.amount.nanoUsd ?? null,
    cache: 'bypass',
    error,
    changes: exchange.changes,
    requestBytes: body.kind === 'json' ? body.bytes.length : exchange.uploadedBytes,
    responseBytes: exchange.responseBytes,
  }
}

function reasonOf({ status, error }: Outcome): EstimateReason {
  if (status === 499) return 'client_abort'
  return error === 'upstream_cut' || error === 'upstream_timeout' ? 'upstream_cut' : 'not_reported'
}

const describeCause = (cause: unknown) => describeError(cause instanceof GatewayError ? (cause.cause ?? cause) : cause)

const tenths = (ms: number) => Math.round(ms * 10) / 10
