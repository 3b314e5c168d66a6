import type { Caller } from '../domain/token-index.ts'
import type { BudgetState, Budgets } from '../usage/budgets.ts'

/** All budgets that a request of this caller counts in: the token's, then its project's. */
export async function budgetStates(budgets: Budgets, { token, project }: Caller, at: number): Promise<BudgetState[]> {
  const states = await Promise.all([
    budgets.states({ kind: 'token', id: token.id }, token.budgets ?? [], at),
    budgets.states({ kind: 'project', id: project.id }, project.budgets ?? [], at),
  ])
  return states.flat()
}
