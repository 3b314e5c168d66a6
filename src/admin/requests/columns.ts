import type { Form } from '../frame/form.ts'

/** What the list can show of a request, in the order of the columns. The time, which leads to the request, is always there. */
export const COLUMNS = [
  { name: 'status', label: 'Status' },
  { name: 'error', label: 'Error' },
  { name: 'token', label: 'Token' },
  { name: 'project', label: 'Project' },
  { name: 'model', label: 'Model' },
  { name: 'served_model', label: 'Served model' },
  { name: 'provider', label: 'Provider' },
  { name: 'endpoint', label: 'Endpoint' },
  { name: 'attempts', label: 'Tries', isNumber: true },
  { name: 'input', label: 'Input', isNumber: true },
  { name: 'cached', label: 'Cached', isNumber: true },
  { name: 'output', label: 'Output', isNumber: true },
  { name: 'reasoning', label: 'Reasoning', isNumber: true },
  { name: 'cost', label: 'Cost', isNumber: true },
  { name: 'latency', label: 'Latency', isNumber: true },
  { name: 'first_token', label: 'First token', isNumber: true },
  { name: 'stream', label: 'Stream' },
  { name: 'cache', label: 'Cache' },
  { name: 'bytes', label: 'Sizes', isNumber: true },
  { name: 'id', label: 'Id' },
] as const satisfies readonly { name: string; label: string; isNumber?: boolean }[]

export type Column = { name: ColumnName; label: string; isNumber?: boolean }
export type ColumnName = (typeof COLUMNS)[number]['name']

const USUAL: readonly ColumnName[] = [
  'status',
  'error',
  'token',
  'model',
  'provider',
  'input',
  'output',
  'cost',
  'latency',
]

/** Those that `cols` names, as a list with commas or several times over; the usual ones where it names none that there is. */
export function columnsOf(query: Pick<Form, 'all'>): { shown: Column[]; isUsual: boolean } {
  const named = new Set(query.all('cols').flatMap((text) => text.split(',')))
  const shown = COLUMNS.filter(({ name }) => named.has(name))
  const usual = COLUMNS.filter(({ name }) => USUAL.includes(name))
  const isUsual = shown.length === 0 || (shown.length === usual.length && shown.every((one) => usual.includes(one)))
  return { shown: isUsual ? usual : shown, isUsual }
}
