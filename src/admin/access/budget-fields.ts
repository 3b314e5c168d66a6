import { presentBudget } from '../../domain/present.ts'
import { validationError } from '../../domain/validate.ts'
import { GatewayError } from '../../errors.ts'
import type { Budget } from '../../store/store.ts'
import { type Form, toInput } from '../frame/form.ts'

/** As many as an owner may have. */
const MAX_ROWS = 10
const SPARE_ROWS = 2

/**
 * Runs `work` with the body of the form and its budgets. Rows whose limits are blank are no budgets; a refusal names the rows as they
 * stand in the form. Throws what `work` throws.
 */
export async function withBudgets<T>(
  form: Form,
  input: Record<string, unknown>,
  work: (input: Record<string, unknown>) => Promise<T>,
): Promise<T> {
  const rows = rowsOf(form)
  try {
    return await work(rows === null ? input : { ...input, budgets: rows.map(({ budget }) => budget) })
  } catch (error) {
    throw rows === null
      ? error
      : namedAsInForm(
          error,
          rows.map(({ index }) => index),
        )
  }
}

/** Null: a row that is empty yet. */
export type BudgetFields = (ReturnType<typeof presentBudget> | null)[]

/** Of each row what stands in its fields: the budgets there are, or what was typed, and some rows more. */
export function budgetFields(
  budgets: readonly Budget[] | null,
  typed: Readonly<Record<string, string>> = {},
): BudgetFields {
  const present = (budgets ?? []).map(presentBudget)
  const sent = Object.keys(typed).flatMap((name) => /^budgets\.(\d+)\.period$/.exec(name)?.[1] ?? [])
  const length = Math.min(MAX_ROWS, Math.max(present.length + SPARE_ROWS, ...sent.map((index) => Number(index) + 1)))
  return Array.from({ length }, (_, index) => present[index] ?? null)
}

/** Null: the form has no budgets. */
function rowsOf(form: Form): { index: number; budget: unknown }[] | null {
  const indexes = Array.from({ length: MAX_ROWS }, (_, index) => index).filter(
    (index) => form.all(`budgets.${index}.period`).length > 0,
  )
  if (indexes.length === 0) return null
  return indexes.flatMap((index) => {
    const row = `budgets.${index}`
    const { budgets } = toInput(form, {
      [`${row}.period`]: 'text',
      [`${row}.limit_usd`]: 'text',
      [`${row}.limit_tokens`]: 'number',
      [`${row}.reset_at`]: 'time',
    }) as { budgets: Record<string, unknown>[] }
    const budget = budgets[index]!
    return budget.limit_usd === null && budget.limit_tokens === null ? [] : [{ index, budget }]
  })
}

function namedAsInForm(error: unknown, indexes: number[]): unknown {
  if (!(error instanceof GatewayError) || !Array.isArray(error.details?.fields)) return error
  const fields = error.details.fields as { field: string; reason: string }[]
  if (!fields.some(({ field }) => field.startsWith('budgets.'))) return error
  return validationError(
    fields.map(({ field, reason }) => ({
      field: field.replace(/^budgets\.(\d+)/, (_, at: string) => `budgets.${indexes[Number(at)] ?? at}`),
      reason,
    })),
  )
}
