import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { readBodies } from '../domain/bodies.ts'
import { presentBodies } from '../domain/present.ts'
import { GatewayError } from '../errors.ts'
import { type Route, route } from './route.ts'
import { isoTime } from './shapes.ts'

const headers = z
  .array(z.object({ name: z.string(), value: z.string() }))
  .describe('`[redacted]` for the value of a header that is not known to be harmless.')

const body = z.object({
  content_type: z.string().nullable(),
  size_bytes: z.int().describe('Of all of it.'),
  text: z.string().nullable().describe('Without secrets. Null where it is omitted.'),
  truncated: z.boolean().describe('There was more of it than is kept.'),
  complete: z.boolean().describe('It came to its end; false when a client or a provider left before.'),
  omitted: z
    .enum(['not_text', 'compressed', 'unread'])
    .nullable()
    .describe(
      'Why there is no text: an upload or another body of bytes, compressed by who sent it, or refused unread.',
    ),
})

const bodiesShape = z
  .object({
    id: z.string(),
    at: isoTime,
    request: z
      .object({ method: z.string(), path: z.string(), headers, body })
      .nullable()
      .describe('As the client sent it. Null where it was not to be kept.'),
    response: z
      .object({ status: z.int().nullable().describe('Null when nothing was sent.'), headers, body })
      .nullable()
      .describe('As the client was sent it. Null where it was not to be kept.'),
  })
  .meta({ id: 'Bodies' })

export function bodyRoutes(ctx: Pick<AppContext, 'store' | 'bodies' | 'config' | 'now'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/requests/{id}/bodies',
      name: 'getRequestBodies',
      tag: 'Usage',
      summary: 'What a client sent and was sent, where it is kept',
      description: 'Each reading is in the audit log, as `request.read_bodies`.',
      status: 200,
      answer: bodiesShape,
      errors: ['not_found'],
      async handle({ params, actor }) {
        const row = await ctx.store.ledger.get(params.id)
        if (row === null) throw new GatewayError('not_found', { message: 'There is no such request.' })
        return presentBodies(row, await readBodies(ctx, actor, row))
      },
    }),
  ]
}
