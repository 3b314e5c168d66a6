import { z } from 'zod'
import { presentAlert } from '../domain/present.ts'
import type { Store } from '../store/store.ts'
import { type Route, route } from './route.ts'
import { isoTime, listOf, pageQuery } from './shapes.ts'
import { toList } from './to-list.ts'

const alertShape = z
  .object({
    id: z.string(),
    at: isoTime,
    type: z.string().describe('`budget_threshold`, `unusual_spending`.'),
    text: z.string(),
    data: z.record(z.string(), z.unknown()),
    delivered_at: isoTime.nullable().describe('When the webhook took it.'),
    attempts: z.int(),
    next_attempt_at: isoTime.nullable(),
    last_error: z.string().nullable(),
  })
  .meta({ id: 'Alert' })

export function alertRoutes({ alerts }: Pick<Store, 'alerts'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/alerts',
      name: 'listAlerts',
      tag: 'Usage',
      summary: 'What was told, newest first',
      query: z.strictObject({ ...pageQuery }),
      status: 200,
      answer: listOf(alertShape),
      errors: ['validation_failed'],
      async handle({ query }) {
        return toList(await alerts.list(query), presentAlert)
      },
    }),
  ]
}
