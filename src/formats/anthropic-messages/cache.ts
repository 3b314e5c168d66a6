import type { Json } from '../dialect.ts'
import type { HubCache } from '../hub.ts'
import { isRecord } from '../read.ts'

/** `{"cache_control":{"type":"ephemeral","ttl":"1h"}}`, as a member to spread. */
export function readCache({ cache_control }: Json): { cache?: HubCache } {
  if (!isRecord(cache_control)) return {}
  const { ttl } = cache_control
  return { cache: { ttl: ttl === '1h' || ttl === '5m' ? ttl : null } }
}

export const writeCache = (cache: HubCache | undefined): Json =>
  cache === undefined ? {} : { cache_control: { type: 'ephemeral', ...(cache.ttl !== null && { ttl: cache.ttl }) } }
