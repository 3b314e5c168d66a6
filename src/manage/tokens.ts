import { z } from 'zod'
import { requireToken } from '../domain/find.ts'
import type { Parts } from '../domain/parts.ts'
import { presentToken } from '../domain/present.ts'
import { createTokenInput, updateTokenInput } from '../domain/schemas.ts'
import { createToken, deleteToken, revokeProjectTokens, revokeToken, updateToken } from '../domain/tokens.ts'
import { validationError } from '../domain/validate.ts'
import { type Route, route } from './route.ts'
import { budgets, idQuery, isoTime, listOf, metadata, pageQuery, rateLimit, timeQuery } from './shapes.ts'
import { toList } from './to-list.ts'

const tokenShape = z
  .object({
    id: z.string(),
    project_id: z.string(),
    name: z.string().nullable(),
    last4: z.string(),
    is_active: z.boolean().describe('False when switched off, or revoked.'),
    expires_at: isoTime.nullable(),
    revoked_at: isoTime.nullable(),
    max_requests: z.int().nullable(),
    request_count: z.int(),
    last_used_at: isoTime.nullable(),
    rate_limit: rateLimit.nullable(),
    budgets: budgets.nullable(),
    allowed_models: z.array(z.string()).nullable(),
    allowed_endpoints: z.array(z.string()).nullable(),
    allowed_ips: z.array(z.string()).nullable(),
    metadata,
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: 'Token' })

const createdTokenShape = tokenShape
  .extend({ token: z.string().describe('What clients send as their API key: shown this once.') })
  .meta({ id: 'CreatedToken' })

export function tokenRoutes(parts: Parts): Route[] {
  const { store, now } = parts
  return [
    route({
      method: 'get',
      path: '/tokens',
      name: 'listTokens',
      tag: 'Tokens',
      summary: 'Tokens, newest first',
      query: z.strictObject({
        project_id: idQuery().optional(),
        active_only: z
          .enum(['true', 'false'])
          .optional()
          .describe('Only those that work now: active, not revoked, not expired, in an active project.'),
        state: z
          .enum(['active', 'expired', 'revoked', 'off'])
          .optional()
          .describe(
            'Each token is in one: revoked; else off (it, or its project, is switched off); else expired; else active.',
          ),
        search: z
          .string()
          .min(1)
          .max(200)
          .optional()
          .describe('A text in the name or the id, in any case, or the last four characters.'),
        expires_before: timeQuery.optional().describe('Those that have an end, and before this moment.'),
        ...pageQuery,
      }),
      status: 200,
      answer: listOf(tokenShape),
      errors: ['validation_failed'],
      async handle({ query: { project_id, active_only, state, search, expires_before, ...page } }) {
        if (active_only === 'true' && state !== undefined && state !== 'active')
          throw validationError([{ field: 'state', reason: 'cannot be another than active together with active_only' }])
        const filter = {
          projectId: project_id,
          state: active_only === 'true' ? ('active' as const) : state,
          search,
          expiresBefore: expires_before,
          now: now(),
        }
        return toList(await store.tokens.list(filter, page), presentToken)
      },
    }),
    route({
      method: 'post',
      path: '/tokens',
      name: 'createToken',
      tag: 'Tokens',
      summary: 'Create a token for a project',
      action: 'token.create',
      body: createTokenInput(),
      status: 201,
      answer: createdTokenShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed'],
      async handle({ body, actor }) {
        const { token, secret } = await createToken(parts, actor, body)
        return { ...presentToken(token), token: secret }
      },
    }),
    route({
      method: 'get',
      path: '/tokens/{id}',
      name: 'getToken',
      tag: 'Tokens',
      summary: 'A token',
      status: 200,
      answer: tokenShape,
      errors: ['not_found'],
      handle: async ({ params }) => presentToken(await requireToken(store, params.id)),
    }),
    route({
      method: 'patch',
      path: '/tokens/{id}',
      name: 'updateToken',
      tag: 'Tokens',
      summary: 'Change a token',
      description: 'What is left out stays, null clears. In force with the next request.',
      action: 'token.update',
      body: updateTokenInput(),
      status: 200,
      answer: tokenShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed', 'conflict'],
      handle: async ({ params, body, actor }) => presentToken(await updateToken(parts, actor, params.id, body)),
    }),
    route({
      method: 'delete',
      path: '/tokens/{id}',
      name: 'deleteToken',
      tag: 'Tokens',
      summary: 'Delete a token',
      description: 'Its requests stay in the ledger. Deleting what is gone already is no error.',
      action: 'token.delete',
      status: 204,
      errors: [],
      async handle({ params, actor }) {
        await deleteToken(parts, actor, params.id)
      },
    }),
    route({
      method: 'post',
      path: '/tokens/{id}/revoke',
      name: 'revokeToken',
      tag: 'Tokens',
      summary: 'Stop a token for good',
      description: 'A second time changes nothing.',
      action: 'token.revoke',
      status: 200,
      answer: tokenShape,
      errors: ['not_found'],
      handle: async ({ params, actor }) => presentToken(await revokeToken(parts, actor, params.id)),
    }),
    route({
      method: 'post',
      path: '/projects/{id}/tokens/revoke',
      name: 'revokeProjectTokens',
      tag: 'Tokens',
      summary: 'Stop every token of a project for good',
      action: 'token.revoke_all',
      status: 200,
      answer: z.object({ revoked: z.int().describe('How many had not been revoked yet.') }),
      errors: ['not_found'],
      handle: async ({ params, actor }) => ({ revoked: await revokeProjectTokens(parts, actor, params.id) }),
    }),
  ]
}
