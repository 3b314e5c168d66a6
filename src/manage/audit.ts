import { z } from 'zod'
import { presentAuditEntry } from '../domain/present.ts'
import type { Store } from '../store/store.ts'
import { type Route, route } from './route.ts'
import { idQuery, isoTime, listOf, pageQuery, timeQuery } from './shapes.ts'
import { toList } from './to-list.ts'

const OUTCOMES = ['success', 'failure', 'denied'] as const

const snapshot = z.record(z.string(), z.unknown()).nullable()

const auditShape = z
  .object({
    id: z.string(),
    at: isoTime,
    actor: z.string().describe('`management_token`, `cli`, `system`, `admin:<name>`, or `anonymous`.'),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    action: z.string(),
    target_id: z.string().nullable(),
    project_id: z.string().nullable(),
    outcome: z.enum(OUTCOMES),
    reason: z.string().nullable().describe('Why not: an error code.'),
    before: snapshot,
    after: snapshot,
  })
  .meta({ id: 'AuditEntry' })

export function auditRoutes({ audit }: Pick<Store, 'audit'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/audit',
      name: 'listAudit',
      tag: 'Audit',
      summary: 'Who did what, newest first',
      query: z.strictObject({
        action: idQuery().optional(),
        actor: idQuery().optional(),
        target_id: idQuery().optional(),
        project_id: idQuery().optional(),
        outcome: z.enum(OUTCOMES).optional(),
        from: timeQuery.optional().describe('Inclusive.'),
        to: timeQuery.optional().describe('Exclusive.'),
        ...pageQuery,
      }),
      status: 200,
      answer: listOf(auditShape),
      errors: ['validation_failed'],
      async handle({ query: { target_id, project_id, limit, after, ...filter } }) {
        const found = await audit.list({ ...filter, targetId: target_id, projectId: project_id }, { limit, after })
        return toList(found, presentAuditEntry)
      },
    }),
  ]
}
