import type { BudgetState } from '../usage/budgets.ts'

/** How much of a budget is gone, what is held back for requests under way included: 1 is all of it. Of two limits the fuller counts. */
export function budgetShare({ budget, used, reserved }: BudgetState): number {
  const money = budget.limitNanoUsd === null ? 0 : Number(used.nanoUsd + reserved.nanoUsd) / budget.limitNanoUsd
  const tokens = budget.limitTokens === null ? 0 : (used.tokens + reserved.tokens) / budget.limitTokens
  return Math.max(money, tokens)
}
