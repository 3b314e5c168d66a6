import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { describeError } from '../logger.ts'
import type { EstimateReason, LedgerRow, Usage } from '../store/store.ts'
import type { Observer } from '../usage/observer.ts'
import { passThrough } from '../usage/observer.ts'
import type { Prices } from '../usage/prices/prices.ts'
import { NO_USAGE } from '../usage/read-usage.ts'
import { sumUsage } from '../usage/sum-usage.ts'
import { withTools } from '../usage/tool-calls.ts'
import { type BrokenPart, bookedNames, type Exchange } from './exchange.ts'
import { keepBodies } from './keep-bodies.ts'
import { worksUncounted } from './named-models.ts'
import type { Target } from './plan.ts'

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
  /** What the provider was asked, where that is more than the client's own request. */
  asked?: Buffer | null
}

/** What the books are made of. */
export type SettleParts = Pick<
  AppContext,
  | 'ledger'
  | 'kv'
  | 'metrics'
  | 'log'
  | 'estimator'
  | 'life'
  | 'budgets'
  | 'prices'
  | 'alerts'
  | 'bodies'
  | 'pins'
  | 'pace'
>

/**
 * Ends a request in the books, exactly once: ledger row, limits, metrics, log line. `done` comes when the row is committed; the
 * last byte of the answer waits for it.
 */
export function settle(parts: SettleParts, exchange: Exchange, outcome: Outcome, done: () => void): void {
  if (exchange.settled) throw new Error(`Request ${exchange.requestId} was settled twice.`)
  exchange.settled = true
  exchange.slot?.()
  const written = () => {
    parts.life.unsettled--
    done()
  }
  const { usage, partial, servedModel, tools, changes = [], text } = (outcome.observer ?? passThrough).result()
  exchange.servedModel = servedModel
  exchange.changes.push(...changes)
  if (usage !== null || !(mayEstimate(exchange, outcome) || failedHalfWay(exchange, outcome, text)))
    return book(parts, exchange, outcome, withTools(usage ?? NO_USAGE, tools, servedModel), written)
  estimate(parts, exchange, outcome.asked, text()).then((estimated) =>
    book(parts, exchange, outcome, withTools(completed(partial, estimated), tools, servedModel), written),
  )
}

function estimate(
  { estimator }: Pick<SettleParts, 'estimator'>,
  exchange: Exchange,
  asked: Buffer | null | undefined,
  text: string | null,
) {
  const { body, endpoint } = exchange
  const bytes = asked ?? (body.kind === 'json' ? body.bytes : Buffer.alloc(0))
  return estimator.estimate(bytes, endpoint?.text === 'input_only' ? '' : (text ?? ''))
}

/** What an answer has used that broke off, and with which another one goes on: paid like one that ends so. */
export async function brokenPart(
  parts: Pick<SettleParts, 'estimator' | 'prices'>,
  exchange: Exchange,
  { provider, model }: Target,
  observer: Observer,
  asked: Buffer | null,
): Promise<BrokenPart> {
  const { usage: reported, partial, servedModel, tools, text } = observer.result()
  const counted = reported ?? completed(partial, await estimate(parts, exchange, asked, text()))
  const usage = withTools(counted, tools, servedModel)
  const priced = parts.prices.price(provider.name, servedModel, model ?? exchange.model, usage, exchange.at)
  return { usage, costNanoUsd: priced?.costNanoUsd ?? null, priceSource: priced?.source ?? null }
}

/** The provider's own count of the input is better than an estimate, and knows what came from a cache. */
const completed = (partial: Usage | null | undefined, estimate: Usage): Usage =>
  partial ? { ...partial, outputTokens: estimate.outputTokens, reasoningTokens: 0, source: 'estimated' } : estimate

/** Only what a provider has begun to work on, on an endpoint whose text can be counted, has a use that can be estimated. */
function mayEstimate(exchange: Exchange, outcome: Outcome): boolean {
  const { endpoint, provider, responseBytes, inBackground } = exchange
  if (!endpoint?.text || provider === null || inBackground) return false
  return (outcome.answered && outcome.status < 300 && responseBytes > 0) || brokeOff(exchange, outcome)
}

/** An answer that told of an error of the provider's own when some of its text had come: that had been worked for. */
const failedHalfWay = ({ endpoint }: Exchange, { status, error }: Outcome, text: () => string | null): boolean =>
  error === 'upstream_error' && status < 300 && endpoint !== null && endpoint.text !== null && Boolean(text())

/** The provider had the request and had not refused it when client, connection or time ended it: it may have worked, and will be paid. */
function brokeOff({ res, attempts }: Exchange, { status, error }: Outcome): boolean {
  const last = attempts.at(-1)
  // The handshake of a WebSocket makes nothing work yet.
  if (res === null || last === undefined || last.outcome === 'unsent' || (last.status ?? 0) >= 400) return false
  return status === 499 || error === 'upstream_cut' || error === 'upstream_timeout'
}

function book(
  { ledger, kv, metrics, log, budgets, prices, alerts, bodies, pace }: SettleParts,
  exchange: Exchange,
  outcome: Outcome,
  usage: Usage,
  done: () => void,
): void {
  const { caller, reservation } = exchange
  const last = costOf(prices, exchange, outcome, usage)
  const isJoined = exchange.broken.length > 0
  const row = isJoined ? joinedRow(exchange, outcome, usage, last) : rowOf(exchange, outcome, usage, last)
  exchange.costNanoUsd = row.costNanoUsd
  const { inputTokens, outputTokens } = row.usage
  if (exchange.grant) kv.release(exchange.grant, { tokens: inputTokens + outputTokens })
  pace.count(row.projectId)
  metrics.requestEnded(row, outcome.answered, exchange.overheadMs)
  log.request(row, outcome.cause === undefined ? null : describeCause(outcome.cause))
  // Nobody stands behind an unknown token: there is no account to write it to, and anyone could fill the disk. And while rows
  // cannot be written, those of refused requests would pile up in memory; but one that is written down as open has to be ended.
  if (caller === null || (ledger.failing() && !exchange.admitted && reservation === null)) return done()
  ledger.record(row, exchange.admitted && !exchange.taken ? caller.token.id : null, () => {
    // Together, so that at no moment the money is neither held back nor spent.
    if (reservation) budgets.release(reservation)
    budgets.spent(row)
    alerts.settled(row, budgets.known(caller, row.at))
    exchange.booked = true
    done()
    if (bodies !== null) keepBodies(bodies, exchange)
  })
}

type Cost = Pick<LedgerRow, 'costNanoUsd' | 'priceSource'>
const FREE: Cost = { costNanoUsd: 0n, priceSource: null }
const UNPRICED: Cost = { costNanoUsd: null, priceSource: null }

/**
 * What fails is free unless the provider counted something; what makes no model work is free; everything else has a price, or none
 * is known, and then what a budget held back is charged.
 */
function costOf(prices: Prices, exchange: Exchange, outcome: Outcome, usage: Usage): Cost {
  const { provider, servedModel, target, model, at, endpoint } = exchange
  if (provider === null) return FREE
  if (usage.source === 'none') {
    const worked = outcome.answered || brokeOff(exchange, outcome)
    if (!worked || !(endpoint !== null || worksUncounted(exchange))) return FREE
    return unpriced(exchange)
  }
  // The model of an upload is known when it has passed, as it was sent on.
  const priced = prices.price(provider, servedModel, target?.model ?? model, usage, at)
  return priced === null ? unpriced(exchange) : { costNanoUsd: priced.costNanoUsd, priceSource: priced.source }
}

function unpriced({ reservation }: Exchange): Cost {
  const held = reservation?.amount.nanoUsd ?? 0n
  return held > 0n ? { costNanoUsd: held, priceSource: 'reserved' } : UNPRICED
}

/** Of an answer that is made of several: all that they have used and cost. */
function joinedRow(exchange: Exchange, outcome: Outcome, usage: Usage, last: Cost): LedgerRow {
  const all = [...exchange.broken, { usage, ...last }]
  const costs = all.map(({ costNanoUsd }) => costNanoUsd)
  const sources = new Set(all.map(({ priceSource }) => priceSource))
  sources.delete(null)
  const cost = costs.includes(null)
    ? unpriced(exchange)
    : { costNanoUsd: costs.reduce((sum: bigint, one) => sum + one!, 0n), priceSource: [...sources].join(' + ') || null }
  const row = rowOf(
    exchange,
    outcome,
    exchange.broken.reduceRight((sum, part) => sumUsage(part.usage, sum), usage),
    cost,
  )
  const isCut = exchange.broken.some((part) => part.usage.source === 'estimated') && row.estimateReason !== null
  return isCut ? { ...row, estimateReason: 'upstream_cut' } : row
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
  return error === null ? 'not_reported' : 'upstream_cut'
}

const describeCause = (cause: unknown) => describeError(cause instanceof GatewayError ? (cause.cause ?? cause) : cause)

const tenths = (ms: number) => Math.round(ms * 10) / 10
