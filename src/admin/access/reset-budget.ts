import { isoTime, presentBudget } from '../../domain/present.ts'
import { GatewayError } from '../../errors.ts'
import type { Budget } from '../../store/store.ts'
import type { Form } from '../frame/form.ts'

/**
 * The budgets as the API takes them, with the one that the form means beginning anew now. Throws `conflict` when it is not there any
 * more: somebody changed them meanwhile.
 */
export function withResetBudget(budgets: readonly Budget[] | null, form: Form, now: number) {
  const index = Number(form.text('index'))
  const budget = budgets?.[index]
  if (form.text('index') === '' || budget === undefined || budget.period !== form.text('period'))
    throw new GatewayError('conflict', {
      message: 'The budgets were changed meanwhile. Look at them again before one is reset.',
    })
  return budgets!.map((one, at) => ({ ...presentBudget(one), ...(at === index && { reset_at: isoTime(now) }) }))
}
