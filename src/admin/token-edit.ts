import { updateToken } from '../domain/tokens.ts'
import type { Token } from '../store/store.ts'
import { type BudgetFields, budgetFields, withBudgets } from './access/budget-fields.ts'
import { TOKEN_FIELDS } from './access/field-kinds.ts'
import { tokenLabel } from './access/token-state.ts'
import { toInput } from './frame/form.ts'
import { definePage } from './frame/page.ts'

/** `expiresAt`: as a browser's field for dates and times has it, in UTC. */
type Data = { token: Token; expiresAt: string; budgetFields: BudgetFields }

export const tokenEdit = definePage<Data>({
  path: '/tokens/:id/edit',
  title: 'Edit',
  view: 'token-edit',
  crumbs: ({ token }) => [
    { label: 'Tokens', href: '/admin/tokens' },
    { label: tokenLabel(token), href: `/admin/tokens/${token.id}` },
  ],
  needs: 'write',
  async load({ reads, params, failure }) {
    const token = await reads.token(params.id!)
    return { token, expiresAt: localTime(token.expiresAt), budgetFields: budgetFields(token.budgets, failure?.values) }
  },
  actions: {
    save: {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const before = await reads.token(params.id!)
        const input = toInput(form, { ...TOKEN_FIELDS, expires_at: 'time' })
        // The field has no fractions of a second: what was not touched stays exactly as it is.
        if (input.expires_at === `${localTime(before.expiresAt)}Z`) delete input.expires_at
        const token = await withBudgets(form, input, (body) => updateToken(parts, actor, before.id, body))
        return {
          to: `/admin/tokens/${token.id}`,
          notice: `${tokenLabel(token)} is saved, and in force with the next request.`,
        }
      },
    },
  },
})

const localTime = (at: number | null): string => (at === null ? '' : new Date(at).toISOString().slice(0, 19))
