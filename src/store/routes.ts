import type { AuditStamp } from './store.ts'

/** A route that was made through the management API. What its fields mean stands in routing/types.ts. */
export type StoredRoute = {
  id: string
  /** There is one route of a pattern. */
  pattern: string
  strategy: string
  targets: { provider: string; model: string | null; weight: number; timeouts: StoredTimeouts | null }[]
  timeouts: StoredTimeouts | null
  maxRetries: number | null
  recovery: string | null
  routesAroundRefusals: boolean
  createdAt: number
  updatedAt: number
}

type StoredTimeouts = Partial<Record<'connectMs' | 'headersMs' | 'firstTokenMs' | 'idleMs' | 'totalMs', number>>

export type RoutePatch = Partial<Omit<StoredRoute, 'id' | 'createdAt' | 'updatedAt'>>

export interface RouteStore {
  /** All of them, oldest first. */
  list(): Promise<StoredRoute[]>
  get(id: string): Promise<StoredRoute | null>
  /** Throws `conflict` when there is one of that pattern. */
  create(route: StoredRoute, stamp: AuditStamp): Promise<void>
  /** The route after the change, null when there is none. Throws `conflict` when there is another of the new pattern. */
  update(id: string, patch: RoutePatch, at: number, stamp: AuditStamp): Promise<StoredRoute | null>
  /** False when there was none (no audit row then). */
  delete(id: string, stamp: AuditStamp): Promise<boolean>
}
