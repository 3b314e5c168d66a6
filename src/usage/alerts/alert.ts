import { presentBudgetState } from '../../domain/present.ts'
import { formatUsd } from '../../money.ts'
import type { Drift } from '../../store/store.ts'
import type { BudgetState } from '../budgets.ts'

/** Something that somebody should hear of, once. */
export type Alert = {
  /** The same thing has the same key, so that it is told once. */
  key: string
  kind: 'budget_threshold' | 'unusual_spending' | 'ledger_drift' | 'test'
  at: number
  /** One sentence for people. */
  text: string
  /** As it goes over the wire: snake_case, money as decimal strings. */
  data: Record<string, unknown>
}

/** Of a budget that has passed `percent` of its limit. */
export function budgetAlert(state: BudgetState, percent: number, at: number): Alert {
  const { owner, budget, window, used } = state
  const used$ = budget.limitNanoUsd !== null && share(state) === dollarShare(state)
  const spent = used$ ? `$${formatUsd(used.nanoUsd)}` : `${used.tokens} tokens`
  const limit = used$ ? `$${formatUsd(BigInt(budget.limitNanoUsd!))}` : `${budget.limitTokens} tokens`
  const period = budget.period === 'total' ? 'in total' : `this ${budget.period}`
  return {
    key: `budget ${owner.id} ${budget.period} ${budget.limitNanoUsd} ${budget.limitTokens} ${window.from} ${percent}`,
    kind: 'budget_threshold',
    at,
    text: `The ${owner.kind} ${owner.id} has used ${percent} % of its budget ${period}: ${spent} of ${limit}.`,
    data: { [`${owner.kind}_id`]: owner.id, percent, budget: presentBudgetState(state) },
  }
}

/** Of a part of the ledger that does not add up, once a day while it lasts. `first`: one of the `places` that differ. */
export function ledgerAlert({ month, table, key, field, expected, found }: Drift, places: number, at: number): Alert {
  const where = month === null ? table : `${table} of ${month}`
  return {
    key: `ledger_drift ${where} ${new Date(at).toISOString().slice(0, 10)}`,
    kind: 'ledger_drift',
    at,
    text: `The ledger does not add up in ${places} ${places === 1 ? 'place' : 'places'} of ${where}, for one ${field} of ${key}: ${found} in place of ${expected}. "llm-proxy ledger verify" tells more.`,
    data: { month, table, places, first: { key, field, expected, found } },
  }
}

/** To see whether alerts arrive. `by`: who asked for it. */
export const testAlert = (id: string, by: string, at: number): Alert => ({
  key: `test ${id}`,
  kind: 'test',
  at,
  text: `This is a test of the alerts of LLM Proxy, sent by ${by}. Nothing is wrong.`,
  data: { sent_by: by },
})

/** How much of a budget is used, in percent: of dollars or of tokens, whichever is more. */
export const share = (state: BudgetState): number => Math.max(dollarShare(state), tokenShare(state))

/** In steps of a hundredth of a percent, down, so that 100 means all of it. */
const dollarShare = ({ budget, used }: BudgetState) =>
  budget.limitNanoUsd === null ? 0 : Number((used.nanoUsd * 10_000n) / BigInt(budget.limitNanoUsd)) / 100

const tokenShare = ({ budget, used }: BudgetState) =>
  budget.limitTokens === null ? 0 : Math.floor((used.tokens * 10_000) / budget.limitTokens) / 100
