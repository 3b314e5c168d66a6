import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import { createRouteInput, toRouteBody, updateRouteInput } from '../routing/route-schema.ts'
import { toRoute } from '../routing/stored-route.ts'
import type { Route } from '../routing/types.ts'
import { type Store, type StoredRoute, StoreError } from '../store/store.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import { requireRoute } from './find.ts'
import { presentRoute } from './present-route.ts'
import { parseInput } from './validate.ts'

type Parts = {
  store: Pick<Store, 'routes' | 'audit'>
  now(): number
  /** Those that a target may name. */
  providerNames: readonly string[]
  /** Those of the configuration file, which come first. */
  fileRoutes(): readonly Route[]
}

/** As many as are merged into each change and shown on one page. */
const MAX_ROUTES = 1000

/** Creates a route from the wire's fields. Throws `validation_failed`, `conflict` (there is one of that pattern, or too many). */
export async function createRoute(parts: Parts, actor: Actor, input: unknown): Promise<StoredRoute> {
  return audited(parts, actor, { action: 'route.create' }, async (stamp) => {
    const { pattern, ...given } = parseInput(createRouteInput(parts.providerNames), input)
    refuseFilePattern(parts, pattern)
    if ((await parts.store.routes.list()).length >= MAX_ROUTES)
      throw new GatewayError('conflict', {
        message: `There are ${MAX_ROUTES} routes, which is as many as there can be.`,
      })
    const id = newId('rte')
    const route = { id, pattern, ...toRouteBody(given), createdAt: stamp.at, updatedAt: stamp.at }
    await parts.store.routes.create(route, { ...stamp, targetId: id }).catch(explainTakenPattern)
    return route
  })
}

/** Changes the given fields; null puts one back to what is usual. Throws `not_found`, `validation_failed`, `conflict`. */
export async function updateRoute(parts: Parts, actor: Actor, id: string, input: unknown): Promise<StoredRoute> {
  const { store } = parts
  return audited(parts, actor, { action: 'route.update', targetId: id }, async (stamp) => {
    await requireRoute(store, id)
    const { pattern, ...given } = parseInput(updateRouteInput(parts.providerNames), input)
    if (pattern !== undefined) refuseFilePattern(parts, pattern)
    const patch = { ...(pattern !== undefined && { pattern }), ...onlyGiven(given) }
    const after = await store.routes.update(id, patch, stamp.at, stamp).catch(explainTakenPattern)
    return after ?? requireRoute(store, id)
  })
}

/** False when it was gone already. */
export async function deleteRoute(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  id: string,
): Promise<boolean> {
  return audited({ store, now }, actor, { action: 'route.delete', targetId: id }, async (stamp) => {
    const deleted = await store.routes.delete(id, stamp)
    if (!deleted) await recordNoChange({ store, now }, stamp)
    return deleted
  })
}

type Place = { store: { routes: Pick<Store['routes'], 'list'> }; fileRoutes(): readonly Route[] }

/** The file's routes and the database's, in the order in which they come first. Throws `StoreError`. */
export async function listRoutes({ store, fileRoutes }: Place): Promise<PresentedRoute[]> {
  const file = fileRoutes()
  const stored = await store.routes.list()
  const isTaken = patternsOf(file)
  return [
    ...file.map((route) => presentRoute(route, null, true)),
    ...stored.map((route) => presentRoute(toRoute(route), route, !isTaken.has(route.pattern))),
  ]
}

/** As `listRoutes` shows it. */
export const presentStoredRoute = ({ fileRoutes }: Pick<Place, 'fileRoutes'>, route: StoredRoute): PresentedRoute =>
  presentRoute(toRoute(route), route, !patternsOf(fileRoutes()).has(route.pattern))

export type PresentedRoute = ReturnType<typeof presentRoute>

const patternsOf = (routes: readonly Route[]) => new Set(routes.map(({ pattern }) => pattern))

type Body = ReturnType<typeof toRouteBody>

/** What was said, as rows have it. */
function onlyGiven(given: Partial<Parameters<typeof toRouteBody>[0]>): Partial<Body> {
  const body = toRouteBody({ targets: [], ...given })
  const named: Record<keyof Body, keyof typeof given> = {
    strategy: 'strategy',
    targets: 'targets',
    timeouts: 'timeouts',
    maxRetries: 'max_retries',
    recovery: 'recovery',
    routesAroundRefusals: 'routes_around_refusals',
  }
  const entries = Object.entries(named).filter(([, field]) => given[field] !== undefined)
  return Object.fromEntries(entries.map(([name]) => [name, body[name as keyof Body]]))
}

/** It would never hold: that is better said than stored. */
function refuseFilePattern({ fileRoutes }: Parts, pattern: string): void {
  if (patternsOf(fileRoutes()).has(pattern))
    throw taken('There is a route of this pattern in the configuration file, which comes first.')
}

function explainTakenPattern(error: unknown): never {
  if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error
  throw taken('There is already a route of this pattern.', error)
}

const taken = (message: string, cause?: unknown) =>
  new GatewayError('conflict', {
    message,
    param: 'pattern',
    details: { fields: [{ field: 'pattern', reason: 'is taken by another route' }] },
    cause,
  })
