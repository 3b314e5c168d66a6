import type { Project, Token } from '../../store/store.ts'
import type { BudgetState } from '../../usage/budgets.ts'
import { budgetShare } from '../budget-share.ts'
import type { Reads } from '../frame/reads.ts'

/** `index`: which of its owner's budgets it is. `share`: 1 is all of it. */
export type BudgetRow = { index: number; state: BudgetState; share: number }

/** Where the budgets of this owner stand, in the order in which they were given. */
export async function budgetRows(reads: Reads, owner: Project | Token): Promise<BudgetRow[]> {
  const states = await reads.budgetsOf([owner])
  return states.map((state, index) => ({ index, state, share: budgetShare(state) }))
}

/** The fullest budget of each owner, by id. */
export async function fullestBudgets(
  reads: Reads,
  owners: readonly (Project | Token)[],
): Promise<Map<string, BudgetRow>> {
  const fullest = new Map<string, BudgetRow>()
  for (const state of await reads.budgetsOf(owners)) {
    const row = { index: 0, state, share: budgetShare(state) }
    const found = fullest.get(state.owner.id)
    if (found === undefined || row.share > found.share) fullest.set(state.owner.id, row)
  }
  return fullest
}
