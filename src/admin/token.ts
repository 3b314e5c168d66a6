import { deleteToken, revokeToken, updateToken } from '../domain/tokens.ts'
import type { LedgerRow, Project, Token } from '../store/store.ts'
import { type BudgetRow, budgetRows } from './access/budget-rows.ts'
import { type LastDays, lastDays } from './access/last-days.ts'
import { type LimitUse, limitsLeft } from './access/limits-left.ts'
import { withResetBudget } from './access/reset-budget.ts'
import { type ShownState, stateOf, tokenLabel } from './access/token-state.ts'
import { type Action, definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'

const SHOWN = 20

type Data = {
  token: Token
  label: string
  project: Project
  state: ShownState
  budgets: BudgetRow[]
  limits: LimitUse[]
  days: LastDays
  requests: LedgerRow[]
}

export const token = definePage<Data>({
  path: '/tokens/:id',
  title: ({ label }) => label,
  view: 'token',
  crumbs: ({ project }) => [
    { label: 'Tokens', href: '/admin/tokens' },
    { label: project.name, href: `/admin/projects/${project.id}` },
  ],
  load,
  actions: {
    on: switched(true),
    off: switched(false),
    revoke: {
      needs: 'write',
      async run({ parts, actor, params, reads }) {
        const { id } = await reads.token(params.id!)
        return { to: at(id), notice: `${tokenLabel(await revokeToken(parts, actor, id))} is revoked.` }
      },
    },
    'reset-budget': {
      needs: 'write',
      async run({ parts, actor, params, reads, now }, form) {
        const { id, budgets } = await reads.token(params.id!)
        await updateToken(parts, actor, id, { budgets: withResetBudget(budgets, form, now) })
        return { to: at(id), notice: 'The budget begins anew.' }
      },
    },
    delete: {
      needs: 'write',
      async run({ parts, actor, params, reads }) {
        const found = await reads.token(params.id!)
        await deleteToken(parts, actor, found.id)
        return { to: '/admin/tokens', notice: `${tokenLabel(found)} is deleted.` }
      },
    },
  },
})

const at = (id: string) => `/admin/tokens/${id}`

function switched(isActive: boolean): Action {
  return {
    needs: 'write',
    async run({ parts, actor, params, reads }) {
      const { id } = await reads.token(params.id!)
      const label = tokenLabel(await updateToken(parts, actor, id, { is_active: isActive }))
      return { to: at(id), notice: isActive ? `${label} is on again.` : `${label} is off: it is not let in.` }
    },
  }
}

async function load({ ctx, reads, params, now }: Visit): Promise<Data> {
  const found = await reads.token(params.id!)
  const { id } = found
  const [project, budgets, limits, days, requests] = await Promise.all([
    reads.project(found.projectId),
    budgetRows(reads, found),
    limitsLeft(ctx.kv, found),
    lastDays(reads, { tokenId: id }, now),
    reads.requests({ tokenId: id }, { limit: SHOWN }),
  ])
  return {
    token: found,
    label: tokenLabel(found),
    project,
    state: stateOf(found, project, now),
    budgets,
    limits,
    days,
    requests: requests.data,
  }
}
