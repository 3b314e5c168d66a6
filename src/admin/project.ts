import { deleteProject, updateProject } from '../domain/projects.ts'
import {
  addProviderKey,
  deleteProviderKey,
  replaceProviderKey,
  requireProviderKey,
  updateProviderKey,
} from '../domain/provider-keys.ts'
import { benchProviderKey, unbenchProviderKey } from '../domain/provider-operations.ts'
import { revokeProjectTokens } from '../domain/tokens.ts'
import { validationError } from '../domain/validate.ts'
import type { KeyBench } from '../routing/live.ts'
import type { LedgerRow, Project, ProviderKey, Token } from '../store/store.ts'
import { type BudgetRow, budgetRows, fullestBudgets } from './access/budget-rows.ts'
import { type LastDays, lastDays } from './access/last-days.ts'
import { type LimitUse, limitsLeft } from './access/limits-left.ts'
import { withResetBudget } from './access/reset-budget.ts'
import { type ShownState, stateOf } from './access/token-state.ts'
import { toInput } from './frame/form.ts'
import { count } from './frame/format.ts'
import { type Action, definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'

const SHOWN = 20

type Data = {
  project: Project
  keys: { key: ProviderKey; rest: KeyBench | null; running: number }[]
  providerNames: readonly string[]
  budgets: BudgetRow[]
  limits: LimitUse[]
  days: LastDays
  tokens: { token: Token; state: ShownState; budget: BudgetRow | null }[]
  tokenCount: number
  requests: LedgerRow[]
}

export const project = definePage<Data>({
  path: '/projects/:id',
  title: (data) => data.project.name,
  view: 'project',
  crumbs: () => [{ label: 'Projects', href: '/admin/projects' }],
  load,
  actions: {
    on: switched(true),
    off: switched(false),
    'add-key': {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id, name } = await reads.project(params.id!)
        const input = toInput(form, { provider: 'text', key: 'text', weight: 'number' })
        // Left blank it is the usual one.
        if (input.weight === null) delete input.weight
        const key = await addProviderKey(parts, actor, id, input)
        return { to: at(id), notice: `${name} has a key of ${key.provider}.` }
      },
    },
    'weigh-key': {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        const key = await updateProviderKey(parts, actor, id, form.text('key_id'), toInput(form, { weight: 'number' }))
        return { to: at(id), notice: `The key of ${key.provider} has the weight ${key.weight}.` }
      },
    },
    'replace-key': {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        const key = await replaceProviderKey(parts, actor, id, form.text('key_id'), toInput(form, { key: 'text' }))
        return { to: at(id), notice: `The key of ${key.provider} is replaced.` }
      },
    },
    'rest-key': {
      needs: 'write',
      async run({ ctx, parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        await benchProviderKey({ ...parts, live: ctx.live }, actor, id, form.text('key_id'))
        return { to: at(id), notice: 'The key rests for an hour.' }
      },
    },
    'wake-key': {
      needs: 'write',
      async run({ ctx, parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        const key = await requireProviderKey(parts.store, id, form.text('key_id'))
        await unbenchProviderKey({ ...parts, live: ctx.live }, actor, { provider: key.provider, key })
        return { to: at(id), notice: 'The key is used again.' }
      },
    },
    'remove-key': {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        const wasThere = await deleteProviderKey(parts, actor, id, form.text('key_id'))
        return { to: at(id), notice: wasThere ? 'The key is gone.' : 'The key was gone already.' }
      },
    },
    'reset-budget': {
      needs: 'write',
      async run({ parts, actor, params, reads, now }, form) {
        const { id, budgets } = await reads.project(params.id!)
        await updateProject(parts, actor, id, { budgets: withResetBudget(budgets, form, now) })
        return { to: at(id), notice: 'The budget begins anew.' }
      },
    },
    'revoke-tokens': {
      needs: 'write',
      async run({ parts, actor, params, reads }) {
        const { id } = await reads.project(params.id!)
        const revoked = await revokeProjectTokens(parts, actor, id)
        return {
          to: at(id),
          notice: revoked === 0 ? 'There was no token to revoke.' : `${count(revoked, 'token')} revoked.`,
        }
      },
    },
    delete: {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id, name } = await reads.project(params.id!)
        if (form.text('confirm_name') !== name.trim())
          throw validationError([{ field: 'confirm_name', reason: 'is not the name of the project' }])
        await deleteProject(parts, actor, id)
        return { to: '/admin/projects', notice: `The project ${name} is deleted.` }
      },
    },
  },
})

const at = (id: string) => `/admin/projects/${id}`

function switched(isActive: boolean): Action {
  return {
    needs: 'write',
    async run({ parts, actor, params, reads }) {
      const { id } = await reads.project(params.id!)
      const { name } = await updateProject(parts, actor, id, { is_active: isActive })
      return { to: at(id), notice: isActive ? `${name} is on again.` : `${name} is off: none of its tokens is let in.` }
    },
  }
}

async function load({ ctx, reads, params, parts, now }: Visit): Promise<Data> {
  const found = await reads.project(params.id!)
  const { id } = found
  const [keys, budgets, limits, days, tokens, counts, requests] = await Promise.all([
    reads.providerKeys(id),
    budgetRows(reads, found),
    limitsLeft(ctx.kv, found),
    lastDays(reads, { projectId: id }, now),
    reads.tokens({ projectId: id }, { limit: SHOWN }),
    reads.tokenCounts(id),
    reads.requests({ projectId: id }, { limit: SHOWN }),
  ])
  const tokenBudgets = await fullestBudgets(reads, tokens.data)
  const benches = new Map(ctx.live.benches().map((bench) => [bench.keyId, bench]))
  return {
    project: found,
    keys: keys.map((key) => ({
      key,
      rest: benches.get(key.id) ?? null,
      running: ctx.live.inFlight(key.provider, key.id),
    })),
    providerNames: parts.providerNames,
    budgets,
    limits,
    days,
    tokens: tokens.data.map((token) => ({
      token,
      state: stateOf(token, found, now),
      budget: tokenBudgets.get(token.id) ?? null,
    })),
    tokenCount: counts.get(id) ?? 0,
    requests: requests.data,
  }
}
