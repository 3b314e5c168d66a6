import type { BudgetState } from '../../usage/budgets.ts'
import { budgetShare } from '../budget-share.ts'
import type { Reads } from '../frame/reads.ts'
import type { Visit } from '../frame/visit.ts'
import { readNames, tokenLabel } from '../names.ts'
import { createSharedReads } from './shared-reads.ts'

const NEAR = 0.8
const MAX_SHOWN = 8

export type NearLimit = { state: BudgetState; share: number; label: string; href: string }

/** It looks at every budget there is: not more often than this. */
const found = createSharedReads<NearLimit[]>(15_000)

/** The budgets that are nearly used up, the fullest first. */
export function readNearLimit({ ctx, reads, now }: Visit): Promise<NearLimit[]> {
  return found(ctx, [reads.only], now, () => read(reads))
}

async function read(reads: Reads): Promise<NearLimit[]> {
  const near = (await reads.budgets({}))
    .map((state) => ({ state, share: budgetShare(state) }))
    .filter(({ share }) => share >= NEAR)
    .sort((a, b) => b.share - a.share)
    .slice(0, MAX_SHOWN)
  const ids = near.map(({ state: { owner } }) => ({
    tokenId: owner.kind === 'token' ? owner.id : null,
    projectId: owner.kind === 'project' ? owner.id : null,
  }))
  const { tokens, projects } = await readNames(reads, ids)
  return near.map((one) => {
    const { kind, id } = one.state.owner
    if (kind === 'project') return { ...one, label: projects.get(id)?.name ?? id, href: `/admin/projects/${id}` }
    const token = tokens.get(id)
    return { ...one, label: token ? tokenLabel(token) : id, href: `/admin/tokens/${id}` }
  })
}
