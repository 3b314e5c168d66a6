import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import { formatUsd } from '../money.ts'
import type { Amount, BudgetState, Budgets, Reservation } from '../usage/budgets.ts'
import { PROCESS } from '../usage/interrupted.ts'
import type { Ledger } from '../usage/ledger.ts'
import type { Prices } from '../usage/prices/prices.ts'
import { bookedNames, type Exchange } from './exchange.ts'
import { plausibleTokens } from './expected-tokens.ts'
import type { Itinerary } from './itinerary.ts'
import { worksUncounted } from './named-models.ts'
import type { Target } from './plan.ts'

/** Held back for an upload, whose length and model are not known before it has passed: ten US cents. */
const UPLOAD_NANO_USD = 100_000_000n

type Parts = { budgets: Budgets; prices: Prices; ledger: Ledger }

/**
 * Holds back the highest plausible cost of the request in all budgets of its token and project, and writes down that it is about to
 * leave, so that a crash loses neither. Null where there are no budgets. Throws `insufficient_quota`, `model_not_allowed` (a budget in
 * dollars and a model without a price), `endpoint_not_allowed` (nobody reports what is used there), `storage_unavailable`.
 */
export async function reserve(
  { budgets, prices, ledger }: Parts,
  exchange: Exchange,
  caller: Caller,
  targets: readonly Target[],
): Promise<Reservation | null> {
  if (!caller.token.budgets && !caller.project.budgets) return null
  const { amount, inputTokens } = highestCost(prices, exchange, caller, targets)
  const outcome = await budgets.reserve(caller, amount, exchange.at)
  if (!outcome.ok) throw refusal(outcome.refused, amount)
  const { reservation } = outcome
  try {
    await ledger.open({
      requestId: exchange.requestId,
      at: exchange.at,
      tokenId: caller.token.id,
      projectId: caller.project.id,
      method: exchange.method,
      ...bookedNames(exchange),
      provider: exchange.provider,
      stream: exchange.stream,
      inputTokens,
      reservedNanoUsd: amount.nanoUsd,
      process: PROCESS,
    })
  } catch (cause) {
    budgets.release(reservation)
    throw new GatewayError('storage_unavailable', { headers: { 'retry-after': '5' }, cause })
  }
  return reservation
}

/**
 * Holds back what an answer of this target may cost, beside what is held back already: the answer that it takes the place of is paid,
 * too. The body must be there parsed. False: the budgets have no room for it. Throws `model_not_allowed`, `StoreError`.
 */
export async function reserveMore(
  { budgets, prices }: Pick<Parts, 'budgets' | 'prices'>,
  exchange: Exchange,
  target: Target,
): Promise<boolean> {
  const { caller, reservation } = exchange
  if (reservation === null || caller === null) return true
  const { amount } = highestCost(prices, exchange, caller, [target])
  const outcome = await budgets.reserve(caller, amount, exchange.at)
  if (!outcome.ok) return false
  // Of the same moment, and so of the same budgets.
  const { accounts, amount: held } = reservation
  const sum = { nanoUsd: held.nanoUsd + amount.nanoUsd, tokens: held.tokens + amount.tokens }
  exchange.reservation = { accounts, amount: sum, open: true }
  return true
}

/** Of the dearest target: any of them may be the one that answers. */
function highestCost(prices: Prices, exchange: Exchange, caller: Caller, targets: readonly Target[]) {
  const { endpoint, body, at } = exchange
  if (endpoint === null) {
    if (!worksUncounted(exchange)) return { amount: { nanoUsd: 0n, tokens: 0 }, inputTokens: 0 }
    throw new GatewayError('endpoint_not_allowed', {
      message: 'What this request uses cannot be counted, and this token has a budget.',
      details: { endpoint: exchange.path.endpoint },
    })
  }
  if (body.kind === 'stream') return { amount: { nanoUsd: UPLOAD_NANO_USD, tokens: 0 }, inputTokens: 0 }
  const { input, output } = plausibleTokens(body, endpoint.text !== 'input_only')
  let highest = 0n
  for (const { provider, model } of targets) {
    const nanoUsd = prices.highest(provider.name, model, input, output, at)
    if (nanoUsd === null) refuseUnpriced(caller, exchange.model)
    else if (nanoUsd > highest) highest = nanoUsd
  }
  return { amount: { nanoUsd: highest, tokens: input + output }, inputTokens: input }
}

/** Without the stops that have no price, for a caller whose budget is in dollars; as it is where no other stop would be left. */
export function affordable(prices: Prices, caller: Caller, itinerary: Itinerary, at: number): Itinerary {
  if (itinerary.stops.length === 1 || !hasDollarBudget(caller)) return itinerary
  const stops = itinerary.stops.filter(({ provider, model }) => prices.highest(provider.name, model, 0, 0, at) !== null)
  return stops.length === 0 ? itinerary : { ...itinerary, stops }
}

/** The model of an upload, which is known when it passes. Throws `model_not_allowed`, as `reserve` does. */
export function authorizePrice(prices: Prices, caller: Caller, provider: string, model: string, at: number): void {
  if (prices.highest(provider, model, 0, 0, at) === null) refuseUnpriced(caller, model)
}

function refuseUnpriced(caller: Caller, model: string | null): void {
  if (!hasDollarBudget(caller)) return
  throw new GatewayError('model_not_allowed', {
    message: `No price is known for the model \`${model}\`, and this token has a budget in dollars. Set a price under \`prices\` in the configuration.`,
    param: 'model',
  })
}

const hasDollarBudget = ({ token, project }: Caller) =>
  [...(token.budgets ?? []), ...(project.budgets ?? [])].some(({ limitNanoUsd }) => limitNanoUsd !== null)

function refusal({ owner, budget, window, used, reserved }: BudgetState, amount: Amount): GatewayError {
  const isMoney =
    budget.limitNanoUsd !== null && used.nanoUsd + reserved.nanoUsd + amount.nanoUsd > BigInt(budget.limitNanoUsd)
  const show = (value: Amount) => (isMoney ? `$${formatUsd(value.nanoUsd)}` : `${value.tokens} tokens`)
  const limit = isMoney ? `$${formatUsd(BigInt(budget.limitNanoUsd!))}` : `${budget.limitTokens} tokens`
  const hasSomeLeft = isMoney
    ? used.nanoUsd + reserved.nanoUsd < BigInt(budget.limitNanoUsd!)
    : used.tokens + reserved.tokens < budget.limitTokens!
  const resetsAt = window.to === null ? null : new Date(window.to).toISOString()
  const period = budget.period === 'total' ? 'in total' : `a ${budget.period}`
  return new GatewayError('insufficient_quota', {
    message:
      `The budget of this ${owner.kind} (${limit} ${period}) has no room for this request: ${show(used)} used, ` +
      `${show(reserved)} held back for requests under way, ${show(amount)} needed at the most.` +
      (hasSomeLeft ? ' A smaller `max_tokens` needs less.' : '') +
      (resetsAt === null ? '' : ` It begins anew at ${resetsAt}.`),
    details: {
      budget: {
        owner: owner.kind,
        period: budget.period,
        limit_usd: budget.limitNanoUsd === null ? null : formatUsd(BigInt(budget.limitNanoUsd)),
        limit_tokens: budget.limitTokens,
        used_usd: formatUsd(used.nanoUsd),
        used_tokens: used.tokens,
        reserved_usd: formatUsd(reserved.nanoUsd),
        reserved_tokens: reserved.tokens,
        needed_usd: formatUsd(amount.nanoUsd),
        needed_tokens: amount.tokens,
        resets_at: resetsAt,
      },
    },
    headers: { 'x-should-retry': 'false' },
  })
}
