import type { StoredRoute } from '../store/store.ts'
import type { Recovery, Route, Strategy } from './types.ts'

/** A route of the database. Its words were read by the schema before they were stored. */
export const toRoute = ({ createdAt, updatedAt, strategy, recovery, ...route }: StoredRoute): Route => ({
  ...route,
  origin: 'database',
  strategy: strategy as Strategy,
  recovery: recovery as Recovery | null,
})
