import { z } from 'zod'
import type { Store, UsageGroup } from '../store/store.ts'
import type { RenderUsage } from './render-usage.ts'
import { type Route, route } from './route.ts'
import { idQuery, timeQuery } from './shapes.ts'

const GROUPS = ['token', 'project', 'model', 'provider', 'endpoint', 'status', 'day', 'hour'] as const
const MAX_GROUPS = 4
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', '499'] as const

const groupByQuery = z
  .string()
  .max(300)
  .refine(isGroupList, {
    error: `must be at most ${MAX_GROUPS} of ${GROUPS.join(', ')}, metadata.<key>, separated by commas`,
  })
  .meta({ examples: ['day', 'project,model', 'metadata.team'] })
  .describe(
    `At most ${MAX_GROUPS} of ${GROUPS.join(', ')} and \`metadata.<key>\` (of the token), separated by commas. Days and hours are of UTC.`,
  )

const percentiles = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })

const sums = {
  requests: z.int(),
  errors: z.int().describe('Status 400 and above, or an error of the gateway.'),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_tokens: z.int().describe('Part of the input tokens.'),
  cache_write_tokens: z.int().describe('Part of the input tokens.'),
  reasoning_tokens: z.int().describe('Part of the output tokens.'),
  cost_usd: z.string().describe('Decimal US dollars, of the requests whose price is known.'),
  unpriced_requests: z.int().describe('Requests for whose model no price is known: not in the cost.'),
  unpriced_tokens: z.int().describe('Their input and output tokens.'),
  estimated_requests: z.int().describe('Requests whose tokens were estimated.'),
  cache_hits: z.int(),
  latency_ms: percentiles.describe('Interpolated between bounds that double.'),
  first_token_ms: percentiles.describe('Of streams.'),
}

const usageShape = z
  .object({
    key: z.string().nullable().optional().describe('The value of the group, where there is one.'),
    keys: z
      .record(z.string(), z.string().nullable())
      .describe('The value of each group, by its name; null where requests had none. Metadata is JSON.'),
    ...sums,
  })
  .meta({ id: 'Usage' })

const totalsShape = z.object(sums).meta({ id: 'UsageTotals' })
const reportShape = z.object({ group_by: z.string(), data: z.array(usageShape), totals: totalsShape })
export type Report = z.infer<typeof reportShape>

const RENDERER = new URL('./render-usage.ts', import.meta.url).href

export function usageRoutes({ ledger }: Pick<Store, 'ledger'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/usage',
      name: 'getUsage',
      tag: 'Usage',
      summary: 'Requests, tokens, costs and latencies, summed up',
      description:
        'Largest number of requests first; days and hours in their order. As CSV with `Accept: text/csv`. Callers choose the names ' +
        'of models and paths: beyond some thousands in a month they are summed up as `(other)`.',
      query: z.strictObject({
        group_by: groupByQuery.default('day'),
        project_id: idQuery().optional(),
        token_id: idQuery().optional(),
        model: idQuery().optional(),
        provider: idQuery().optional(),
        endpoint: idQuery().optional(),
        status: z.enum(CLASSES).optional(),
        from: timeQuery.optional().describe('Inclusive.'),
        to: timeQuery.optional().describe('Exclusive.'),
      }),
      status: 200,
      answer: reportShape,
      errors: ['validation_failed'],
      hasCsv: true,
      async render({ query: { group_by, project_id, token_id, ...filter } }, format) {
        const groupBy = toGroups(group_by)
        const query = { groupBy, filter: { projectId: project_id, tokenId: token_id, ...filter } }
        const input: RenderUsage = { groupBy, format }
        return ledger.render({ module: RENDERER, input }, { usage: query })
      },
    }),
  ]
}

const toGroups = (text: string) => text.split(',') as UsageGroup[]

function isGroupList(text: string): boolean {
  const groups = text.split(',')
  const known = (group: string) =>
    (GROUPS as readonly string[]).includes(group) || /^metadata\.[^,]{1,100}$/.test(group)
  return groups.length <= MAX_GROUPS && groups.every(known) && new Set(groups).size === groups.length
}
