import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { requireRoute } from '../domain/find.ts'
import type { Parts } from '../domain/parts.ts'
import { createRoute, deleteRoute, listRoutes, presentStoredRoute, updateRoute } from '../domain/routes.ts'
import { createRouteInput, updateRouteInput } from '../routing/route-schema.ts'
import { RECOVERIES, STRATEGIES } from '../routing/types.ts'
import { type Route, route } from './route.ts'
import { isoTime, listOf } from './shapes.ts'

const milliseconds = z.int().nullable()

const timeouts = z
  .object({
    connect_ms: milliseconds,
    headers_ms: milliseconds,
    first_token_ms: milliseconds,
    idle_ms: milliseconds,
    total_ms: milliseconds,
  })
  .meta({ id: 'RouteTimeouts' })

const routeShape = z
  .object({
    id: z.string().nullable().describe('Null: it stands in the configuration file, and can be changed there alone.'),
    pattern: z.string(),
    origin: z.enum(['file', 'database']),
    in_force: z.boolean().describe('False: the configuration file has a route of the same pattern, which comes first.'),
    strategy: z.enum(STRATEGIES),
    targets: z.array(
      z.object({
        provider: z.string(),
        model: z.string().nullable().describe('Null: as the client asked for it.'),
        weight: z.number(),
        timeouts: timeouts.nullable(),
      }),
    ),
    timeouts: timeouts.nullable(),
    max_retries: z.int().nullable(),
    recovery: z.enum(RECOVERIES).nullable(),
    routes_around_refusals: z.boolean(),
    created_at: isoTime.nullable(),
    updated_at: isoTime.nullable(),
  })
  .meta({ id: 'Route' })

export function routeRoutes({ routing, ...parts }: Parts & Pick<AppContext, 'routing'>): Route[] {
  const { store, now, providerNames } = parts
  const fileRoutes = () => routing.ofFile().routes
  const place = { store, now, providerNames, fileRoutes }

  return [
    route({
      method: 'get',
      path: '/routes',
      name: 'listRoutes',
      tag: 'Routes',
      summary: 'All routes, those of the configuration file first',
      description: 'On one page, since there are a thousand of each origin at the most.',
      status: 200,
      answer: listOf(routeShape),
      errors: [],
      handle: async () => ({ data: await listRoutes(place), has_more: false, next_cursor: null }),
    }),
    route({
      method: 'post',
      path: '/routes',
      name: 'createRoute',
      tag: 'Routes',
      summary: 'Create a route',
      description:
        'With the fields that it has in the configuration file, and its pattern. In force with the next request.',
      action: 'route.create',
      body: createRouteInput(providerNames),
      status: 201,
      answer: routeShape,
      errors: ['invalid_json', 'request_too_large', 'validation_failed', 'conflict'],
      handle: async ({ body, actor }) => presentStoredRoute(place, await createRoute(place, actor, body)),
    }),
    route({
      method: 'get',
      path: '/routes/{id}',
      name: 'getRoute',
      tag: 'Routes',
      summary: 'A route of the database',
      status: 200,
      answer: routeShape,
      errors: ['not_found'],
      handle: async ({ params }) => presentStoredRoute(place, await requireRoute(store, params.id)),
    }),
    route({
      method: 'patch',
      path: '/routes/{id}',
      name: 'updateRoute',
      tag: 'Routes',
      summary: 'Change a route of the database',
      description: 'What is left out stays, null puts back to what is usual. In force with the next request.',
      action: 'route.update',
      body: updateRouteInput(providerNames),
      status: 200,
      answer: routeShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed', 'conflict'],
      handle: async ({ params, body, actor }) =>
        presentStoredRoute(place, await updateRoute(place, actor, params.id, body)),
    }),
    route({
      method: 'delete',
      path: '/routes/{id}',
      name: 'deleteRoute',
      tag: 'Routes',
      summary: 'Delete a route of the database',
      description: 'Deleting what is gone already is no error.',
      action: 'route.delete',
      status: 204,
      errors: [],
      async handle({ params, actor }) {
        await deleteRoute(place, actor, params.id)
      },
    }),
  ]
}
