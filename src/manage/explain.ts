import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { parseInput } from '../domain/validate.ts'
import { type Route, route } from './route.ts'
import { isoTime } from './shapes.ts'

const questionShape = z
  .strictObject({
    token_id: z.string().optional().describe('Whose request it would be; this, or `project_id`.'),
    project_id: z.string().optional(),
    endpoint: z.string().startsWith('/').max(2_000).default('/v1/chat/completions'),
    headers: z.record(z.string(), z.string()).default({}).describe('For rules that ask for headers.'),
    request: z.record(z.string(), z.unknown()).describe('The body, as a client would send it.'),
  })
  .refine(({ token_id, project_id }) => (token_id === undefined) !== (project_id === undefined), {
    error: 'give one of token_id and project_id',
    path: ['token_id'],
  })
  .meta({ id: 'ExplainQuestion' })

const errorShape = z.object({ code: z.string(), message: z.string(), status: z.int() })
const explanationShape = z
  .object({
    token_id: z.string().nullable(),
    project_id: z.string(),
    endpoint: z.string(),
    cache: z.enum(['bypass']),
    served: z.boolean().describe('Whether it would leave the gateway, as far as can be told without counting it.'),
    error: errorShape.nullable().describe('What the client would be told instead.'),
    model: z.string().nullable(),
    stream: z.boolean(),
    rule: z.string().nullable(),
    route: z.string().nullable(),
    strategy: z.string().nullable(),
    max_retries: z.int().nullable(),
    recovery: z.string().nullable(),
    limits: z.object({
      rate: z.array(z.record(z.string(), z.number().nullable())),
      max_requests: z.object({ limit: z.int(), used: z.int() }).nullable(),
      budgets: z.array(z.record(z.string(), z.unknown())),
    }),
    stops: z
      .array(
        z.object({
          step: z.int().describe('Of the route, in the order of trying; several keys of one provider are one step.'),
          provider: z.string(),
          model: z.string().nullable(),
          key_id: z.string(),
          base_url: z.string(),
          dialect: z.string().nullable(),
          translated: z.boolean(),
          dropped: z.array(z.string()),
          error: errorShape.nullable().describe('Why it could not be asked.'),
          takes_requests: z.boolean().describe('False: its breaker is open.'),
          key_rests_until: isoTime.nullable(),
          price_source: z.string().nullable(),
          highest_cost_usd: z.string().nullable().describe('What a budget would hold back for it.'),
          context_window: z.int().nullable(),
        }),
      )
      .describe('In the order in which they would be tried, as of now.'),
  })
  .meta({ id: 'Explanation' })

export function explainRoutes({ explain }: Pick<AppContext, 'explain'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/explain',
      name: 'explain',
      tag: 'Routes',
      summary: 'What would become of a request, without sending it',
      body: questionShape,
      status: 200,
      answer: explanationShape,
      errors: ['validation_failed', 'not_found'],
      async handle({ body }) {
        const { token_id, project_id, endpoint, headers, request } = parseInput(questionShape, body)
        const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
        return explain({
          tokenId: token_id ?? null,
          projectId: project_id ?? null,
          endpoint,
          headers: Object.fromEntries(names),
          request,
        })
      },
    }),
  ]
}
