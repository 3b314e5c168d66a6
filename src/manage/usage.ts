import { z } from 'zod'
import { presentUsage } from '../domain/present.ts'
import type { Store } from '../store/store.ts'
import { type Route, route } from './route.ts'
import { idQuery, timeQuery } from './shapes.ts'

const GROUPS = ['token', 'project', 'model', 'provider', 'day'] as const
const COLUMNS = ['requests', 'input_tokens', 'output_tokens', 'cached_tokens', 'reasoning_tokens'] as const

const usageShape = z
  .object({
    key: z
      .string()
      .nullable()
      .describe('The token id, project id, model, provider, or UTC day; null where requests had none.'),
    requests: z.int(),
    input_tokens: z.int(),
    output_tokens: z.int(),
    cached_tokens: z.int().describe('Part of the input tokens.'),
    reasoning_tokens: z.int().describe('Part of the output tokens.'),
  })
  .meta({ id: 'Usage' })

const reportShape = z.object({ group_by: z.enum(GROUPS), data: z.array(usageShape) })

export function usageRoutes({ ledger }: Pick<Store, 'ledger'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/usage',
      name: 'getUsage',
      tag: 'Usage',
      summary: 'Requests and tokens, summed up',
      description: 'Largest number of requests first; days in their order. As CSV with `Accept: text/csv`.',
      query: z.strictObject({
        group_by: z.enum(GROUPS).default('day'),
        project_id: idQuery().optional(),
        token_id: idQuery().optional(),
        from: timeQuery.optional().describe('Inclusive.'),
        to: timeQuery.optional().describe('Exclusive.'),
      }),
      status: 200,
      answer: reportShape,
      errors: ['validation_failed'],
      toCsv,
      async handle({ query: { group_by, project_id, token_id, from, to } }) {
        const rows = await ledger.usage(group_by, { projectId: project_id, tokenId: token_id, from, to })
        return { group_by, data: rows.map(presentUsage) }
      },
    }),
  ]
}

/** RFC 4180. */
function toCsv({ group_by, data }: z.infer<typeof reportShape>): string {
  const lines = [
    [group_by, ...COLUMNS],
    ...data.map((row) => [cell(row.key ?? ''), ...COLUMNS.map((name) => row[name])]),
  ]
  return lines.map((line) => `${line.join(',')}\r\n`).join('')
}

/** Callers choose the names of models, and a spreadsheet runs what begins like a formula: such a cell gets an apostrophe. */
function cell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
