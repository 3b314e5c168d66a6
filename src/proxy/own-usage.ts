import type { AppContext } from '../context.ts'
import { isoTime, presentBudgetState, presentToken } from '../domain/present.ts'
import { formatUsd } from '../money.ts'
import { windowAt } from '../usage/budget-window.ts'
import { answerJson } from './answer-json.ts'
import { budgetStates } from './budget-states.ts'
import type { HttpExchange } from './exchange.ts'

/** `GET /v1/usage`: what a proxy token may know of itself. Answered here; no provider hears of it, and it counts against no limit. */
export async function answerOwnUsage(ctx: AppContext, exchange: HttpExchange): Promise<void> {
  const { token } = exchange.caller!
  const { at } = exchange
  // The one at hand may be as old as its first request; what it has used since stands in the store.
  const current = (await ctx.store.tokens.get(token.id)) ?? token
  const { id, name, expires_at, max_requests, request_count, last_used_at, rate_limit } = presentToken(current)
  const states = await budgetStates(ctx.budgets, exchange.caller!, at)
  const month = windowAt({ period: 'month', resetAt: null }, at)
  const spent = await ctx.store.ledger.spend({ tokenId: token.id, from: month.from, to: month.to! })
  const usage = {
    object: 'usage',
    token: { id, name, expires_at, last_used_at },
    requests: { used: request_count, limit: max_requests },
    rate_limit,
    budgets: states.map(presentBudgetState),
    this_month: { since: isoTime(month.from), cost_usd: formatUsd(spent.costNanoUsd), tokens: spent.tokens },
  }
  answerJson(ctx, exchange, usage, { answered: false, more: ['cache-control', 'no-store'] })
}
