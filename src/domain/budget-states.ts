import { setImmediate } from 'node:timers/promises'
import type { Store } from '../store/store.ts'
import type { BudgetState, Budgets } from '../usage/budgets.ts'
import { requireProject, requireToken } from './find.ts'

type Parts = { store: Pick<Store, 'projects' | 'tokens'>; budgets: Budgets; now(): number }
export type BudgetFilter = { projectId?: string | undefined; tokenId?: string | undefined }

const PAGE = 200
/** More tokens than this are asked about one by one, or by project. */
const MOST_TOKENS = 10_000

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
      : await everyPage((page) => store.projects.list(page))
  const ofTokens = { hasBudgets: true, now: at, ...(filter.projectId !== undefined && { projectId: filter.projectId }) }
  const tokens = await everyPage((page) => store.tokens.list(ofTokens, page))
  return budgets.statesOfAll(
    [
      ...projects.map(({ id, budgets }) => ({ owner: { kind: 'project' as const, id }, budgets: budgets ?? [] })),
      ...tokens.map(({ id, budgets }) => ({ owner: { kind: 'token' as const, id }, budgets: budgets ?? [] })),
    ],
    at,
  )
}

async function everyPage<T extends { id: string; budgets: unknown }>(
  list: (page: { limit: number; after?: string }) => Promise<{ data: T[]; hasMore: boolean }>,
): Promise<T[]> {
  const found: T[] = []
  for (let after: string | undefined, seen = 0; seen < MOST_TOKENS; ) {
    const { data, hasMore } = await list(after === undefined ? { limit: PAGE } : { limit: PAGE, after })
    found.push(...data.filter(({ budgets }) => budgets !== null))
    seen += data.length
    after = data.at(-1)?.id
    if (!hasMore || after === undefined) break
    // Requests of clients go in between.
    await setImmediate()
  }
  return found
}
