import type { Route, RouteTarget, Timeouts } from '../routing/types.ts'
import type { StoredRoute } from '../store/store.ts'
import { isoTime } from './present.ts'

/** A route as people see it. `inForce`: no other of its pattern stands before it. Those of the file have no id and no times. */
export const presentRoute = (
  route: Route,
  times: Pick<StoredRoute, 'createdAt' | 'updatedAt'> | null,
  inForce: boolean,
) => ({
  id: route.id,
  pattern: route.pattern,
  origin: route.origin,
  in_force: inForce,
  strategy: route.strategy,
  targets: route.targets.map(presentTarget),
  timeouts: presentTimeouts(route.timeouts),
  max_retries: route.maxRetries,
  recovery: route.recovery,
  routes_around_refusals: route.routesAroundRefusals,
  created_at: times && isoTime(times.createdAt),
  updated_at: times && isoTime(times.updatedAt),
})

const presentTarget = ({ provider, model, weight, timeouts }: RouteTarget) => ({
  provider,
  model,
  weight,
  timeouts: presentTimeouts(timeouts),
})

const presentTimeouts = (timeouts: Partial<Timeouts> | null) =>
  timeouts && {
    connect_ms: timeouts.connectMs ?? null,
    headers_ms: timeouts.headersMs ?? null,
    first_token_ms: timeouts.firstTokenMs ?? null,
    idle_ms: timeouts.idleMs ?? null,
    total_ms: timeouts.totalMs ?? null,
  }
