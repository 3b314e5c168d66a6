import { z } from 'zod'
import { ADMIN_ROLES, createAdminUserInput, updateAdminUserInput } from '../domain/admin-schemas.ts'
import { revokeSession } from '../domain/admin-sessions.ts'
import { createAdminUser, deleteAdminUser, requireAdminUser, updateAdminUser } from '../domain/admin-users.ts'
import type { Parts } from '../domain/parts.ts'
import { presentAdminSession, presentAdminUser } from '../domain/present-admin.ts'
import { type Route, route } from './route.ts'
import { idQuery, isoTime, listOf, pageQuery } from './shapes.ts'
import { toList } from './to-list.ts'

const userShape = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ADMIN_ROLES),
    project_id: z.string().nullable().describe('Of a viewer: the only project that is seen; null: all.'),
    is_active: z.boolean(),
    has_password: z.boolean(),
    single_sign_on: z.boolean().describe('Has signed in through OpenID Connect.'),
    second_factor: z.boolean(),
    recovery_codes: z.int().describe('How many are left.'),
    last_sign_in_at: isoTime.nullable(),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: 'AdminUser' })

const sessionShape = z
  .object({
    id: z.string(),
    user_id: z.string(),
    method: z.enum(['password', 'oidc']),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: isoTime,
    last_seen_at: isoTime.describe('To the minute.'),
    expires_at: isoTime.describe('At the latest; sooner when it is not used.'),
  })
  .meta({ id: 'AdminSession' })

export function adminUserRoutes(parts: Parts): Route[] {
  const { store } = parts
  return [
    route({
      method: 'get',
      path: '/admin-users',
      name: 'listAdminUsers',
      tag: 'Admin users',
      summary: 'Users of the admin console, newest first',
      query: z.strictObject(pageQuery),
      status: 200,
      answer: listOf(userShape),
      errors: ['validation_failed'],
      handle: async ({ query }) => toList(await store.adminUsers.list(query), presentAdminUser),
    }),
    route({
      method: 'post',
      path: '/admin-users',
      name: 'createAdminUser',
      tag: 'Admin users',
      summary: 'Create a user of the admin console',
      description: 'The first has to be an owner.',
      action: 'admin_user.create',
      body: createAdminUserInput,
      status: 201,
      answer: userShape,
      errors: ['invalid_json', 'request_too_large', 'validation_failed', 'conflict', 'overloaded'],
      handle: async ({ body, actor }) => presentAdminUser(await createAdminUser(parts, actor, body)),
    }),
    route({
      method: 'get',
      path: '/admin-users/{id}',
      name: 'getAdminUser',
      tag: 'Admin users',
      summary: 'A user of the admin console',
      status: 200,
      answer: userShape,
      errors: ['not_found'],
      handle: async ({ params }) => presentAdminUser(await requireAdminUser(store, params.id)),
    }),
    route({
      method: 'patch',
      path: '/admin-users/{id}',
      name: 'updateAdminUser',
      tag: 'Admin users',
      summary: 'Change a user of the admin console',
      description:
        'What is left out stays. A new password, role or project, and being made inactive, ends the sessions. The last active owner stays one.',
      action: 'admin_user.update',
      body: updateAdminUserInput,
      status: 200,
      answer: userShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed', 'conflict', 'overloaded'],
      handle: async ({ params, body, actor }) => presentAdminUser(await updateAdminUser(parts, actor, params.id, body)),
    }),
    route({
      method: 'delete',
      path: '/admin-users/{id}',
      name: 'deleteAdminUser',
      tag: 'Admin users',
      summary: 'Delete a user of the admin console',
      description: 'With its sessions. Deleting who is gone already is no error; the last active owner stays.',
      action: 'admin_user.delete',
      status: 204,
      errors: ['conflict'],
      async handle({ params, actor }) {
        await deleteAdminUser(parts, actor, params.id)
      },
    }),
    route({
      method: 'get',
      path: '/admin-sessions',
      name: 'listAdminSessions',
      tag: 'Admin users',
      summary: 'Who is signed in to the admin console, newest first',
      query: z.strictObject({ user_id: idQuery().optional(), ...pageQuery }),
      status: 200,
      answer: listOf(sessionShape),
      errors: ['validation_failed'],
      handle: async ({ query: { user_id: userId, ...page } }) =>
        toList(await store.adminSessions.list({ userId }, page), presentAdminSession),
    }),
    route({
      method: 'delete',
      path: '/admin-sessions/{id}',
      name: 'deleteAdminSession',
      tag: 'Admin users',
      summary: 'Sign somebody out of the admin console',
      description: 'Ending what has ended already is no error.',
      action: 'admin_session.revoke',
      status: 204,
      errors: [],
      async handle({ params, actor }) {
        await revokeSession(parts, actor, params.id)
      },
    }),
  ]
}
