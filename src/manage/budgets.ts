import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { listBudgets } from '../domain/budget-states.ts'
import { presentBudgetState } from '../domain/present.ts'
import { type Route, route } from './route.ts'
import { budgetShape, idQuery, isoTime } from './shapes.ts'

const stateShape = budgetShape
  .extend({
    owner: z.object({ type: z.enum(['token', 'project']), id: z.string() }),
    used_usd: z.string(),
    used_tokens: z.int(),
    reserved_usd: z.string().describe('Held back for requests under way.'),
    reserved_tokens: z.int(),
    left_usd: z.string().nullable(),
    left_tokens: z.int().nullable(),
    since: isoTime.describe('From when on spending counts.'),
    resets_at: isoTime.nullable().describe('Null: never.'),
  })
  .meta({ id: 'BudgetState' })

export function budgetRoutes(ctx: Pick<AppContext, 'store' | 'budgets' | 'now'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/budgets',
      name: 'listBudgets',
      tag: 'Usage',
      summary: 'Where budgets stand',
      description: 'Of a token, of a project with its tokens, or of all of them.',
      query: z.strictObject({ project_id: idQuery().optional(), token_id: idQuery().optional() }),
      status: 200,
      answer: z.object({ data: z.array(stateShape) }),
      errors: ['not_found', 'validation_failed'],
      async handle({ query: { project_id, token_id } }) {
        const states = await listBudgets(ctx, { projectId: project_id, tokenId: token_id })
        return { data: states.map(presentBudgetState) }
      },
    }),
  ]
}
