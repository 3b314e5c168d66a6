import type { Store } from '../store/store.ts'
import type { Sealer } from './secrets.ts'

/** What the rules of this folder work with. Each function takes the part of it that it uses. */
export type Parts = {
  store: Store
  sealer: Sealer
  /** Providers that a key may be for. */
  providerNames: readonly string[]
  /** The provider of a project's `api_key`, which names none. */
  defaultProvider: string
  /** Milliseconds since the epoch. */
  now(): number
}
