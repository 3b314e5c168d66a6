import type { PresentedRoute } from '../../domain/routes.ts'
import { validationError } from '../../domain/validate.ts'
import { GatewayError } from '../../errors.ts'
import type { Timeouts } from '../../routing/types.ts'
import { type FieldKind, type Form, toInput } from '../frame/form.ts'
import type { Failure } from '../frame/visit.ts'

/** As `/manage` calls them, with what people call them. */
export const TIME_LIMITS: [field: string, name: keyof Timeouts, label: string][] = [
  ['connect_ms', 'connectMs', 'Until the connection stands'],
  ['headers_ms', 'headersMs', 'Until the answer’s headers'],
  ['first_token_ms', 'firstTokenMs', 'Until the first event'],
  ['idle_ms', 'idleMs', 'Longest silence'],
  ['total_ms', 'totalMs', 'The whole answer'],
]

/** A route's targets at the most, and rows that stand ready for more. */
const MAX_TARGETS = 50
const EMPTY_ROWS = 3

const ROUTE_FIELDS: Record<string, FieldKind> = {
  pattern: 'text',
  strategy: 'text',
  max_retries: 'number',
  recovery: 'text',
  routes_around_refusals: 'flag',
  ...timeoutFields('timeouts'),
}

function timeoutFields(prefix: string): Record<string, FieldKind> {
  return Object.fromEntries(TIME_LIMITS.map(([field]) => [`${prefix}.${field}`, 'number']))
}

const targetFields: Record<string, FieldKind> = {
  provider: 'text',
  model: 'text',
  weight: 'number',
  ...timeoutFields('timeouts'),
}

type Row = { index: number; position: number; target: Record<string, unknown> }

/**
 * Saves what the form says by `save`, which gets the wire's fields. Rows may be empty, taken out and put in another order: reasons for
 * refusals come back under the names of the rows that were typed. Throws what `save` throws.
 */
export async function saveRoute<T>(form: Form, save: (input: Record<string, unknown>) => Promise<T>): Promise<T> {
  const rows = readRows(form)
  try {
    return await save({ ...toInput(form, ROUTE_FIELDS), targets: rows.map(({ target }) => target) })
  } catch (thrown) {
    throw thrown instanceof GatewayError ? renamed(thrown, rows) : thrown
  }
}

function readRows(form: Form): Row[] {
  return Array.from({ length: MAX_TARGETS + EMPTY_ROWS }, (_, index) => index)
    .flatMap((index): Row[] => {
      const prefix = `targets.${index}.`
      if (form.checked(`${prefix}remove`)) return []
      const names = Object.keys(targetFields).map((name) => `${prefix}${name}`)
      if (names.every((name) => form.text(name) === '')) return []
      const kinds = Object.fromEntries(Object.entries(targetFields).map(([name, kind]) => [`${prefix}${name}`, kind]))
      const { targets } = toInput(form, kinds) as { targets: Record<string, unknown>[] }
      const { provider, ...rest } = targets[index]!
      const position = Number(form.text(`${prefix}position`) || index + 1)
      // No choice is no wrong choice.
      return [{ index, position, target: { ...(provider !== null && { provider }), ...rest } }]
    })
    .sort((a, b) => a.position - b.position || a.index - b.index)
}

/** `targets.0.model` is of the first row that was sent: of which of the form? */
function renamed(error: GatewayError, rows: readonly Row[]): GatewayError {
  const fields = error.details?.fields as { field: string; reason: string }[] | undefined
  if (error.code !== 'validation_failed' || fields === undefined) return error
  const toForm = (field: string) =>
    field.replace(/^targets\.(\d+)/, (whole, at: string) =>
      rows[Number(at)] ? `targets.${rows[Number(at)]!.index}` : whole,
    )
  return validationError(fields.map(({ field, reason }) => ({ field: toForm(field), reason })))
}

/** What stands in the form's fields, by their names, before anybody typed. */
export function valuesOf(route: PresentedRoute | null): Record<string, string> {
  if (route === null) return {}
  const flat = (prefix: string, value: unknown): [string, string][] =>
    value === null || value === undefined
      ? []
      : typeof value === 'object'
        ? Object.entries(value).flatMap(([name, part]) => flat(prefix === '' ? name : `${prefix}.${name}`, part))
        : [[prefix, String(value)]]
  return Object.fromEntries(flat('', route))
}

/** The rows of the form: those that were typed, or those of the route and some empty ones. */
export function rowsOf(route: PresentedRoute | null, failure: Failure | null): number[] {
  const typed = Object.keys(failure?.values ?? {}).flatMap((name) => /^targets\.(\d+)\./.exec(name)?.[1] ?? [])
  const last = Math.max(-1, ...typed.map(Number))
  const rows = last >= 0 ? last + 1 : (route?.targets.length ?? 0) + EMPTY_ROWS
  return Array.from({ length: Math.min(rows, MAX_TARGETS + EMPTY_ROWS) }, (_, index) => index)
}
