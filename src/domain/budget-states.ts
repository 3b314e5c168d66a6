import type { Store } from '../store/store.ts'
import type { BudgetState, Budgets } from '../usage/budgets.ts'
import { everyPage } from './every-page.ts'
import { requireProject, requireToken } from './find.ts'

type Parts = { store: Pick<Store, 'projects' | 'tokens'>; budgets: Budgets; now(): number }
export type BudgetFilter = { projectId?: string | undefined; tokenId?: string | undefined }

/** More than this are asked about one by one, or by project. */
const EVERY = { limit: 200, most: 10_000 }

/** Where the budgets of a token, of a project with its tokens, or of all of them stand. Throws `not_found`. */
export async function listBudgets({ store, budgets, now }: Parts, filter: BudgetFilter): Promise<BudgetState[]> {
  const at = now()
  if (filter.tokenId !== undefined) {
    const token = await requireToken(store, filter.tokenId)
    return budgets.states({ kind: 'token', id: token.id }, token.budgets ?? [], at)
  }
  const projects =
    filter.projectId !== undefined
      ? [await requireProject(store, filter.projectId)]
      : await everyPage((page) => store.projects.list(page), idOf, EVERY)
  const ofTokens = { hasBudgets: true, now: at, ...(filter.projectId !== undefined && { projectId: filter.projectId }) }
  const tokens = await everyPage((page) => store.tokens.list(ofTokens, page), idOf, EVERY)
  return budgets.statesOfAll(
    [
      ...projects.map(({ id, budgets }) => ({ owner: { kind: 'project' as const, id }, budgets: budgets ?? [] })),
      ...tokens.map(({ id, budgets }) => ({ owner: { kind: 'token' as const, id }, budgets: budgets ?? [] })),
    ],
    at,
  )
}

const idOf = ({ id }: { id: string }) => id
