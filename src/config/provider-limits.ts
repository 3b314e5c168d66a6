import { PROVIDER_NAMES } from '../providers/registry.ts'
import type { ProviderConfig } from './config.ts'
import * as parse from './parsers.ts'

type Limits = NonNullable<ProviderConfig['limits']>

/** What the file alone can say of the line in front of a provider; how long it may be, and how long one waits in it. */
export const QUEUE_FIELDS = {
  max_queued: { parse: parse.integer(0, 100_000) },
  queue_timeout_ms: { parse: parse.integer(1, 86_400_000) },
}
export type QueueField = keyof typeof QUEUE_FIELDS

const DEFAULT_QUEUED = 100
const DEFAULT_QUEUE_TIMEOUT_MS = 10_000

/** Of the built-in providers. */
export const QUEUE_PATHS = PROVIDER_NAMES.flatMap((name) =>
  Object.keys(QUEUE_FIELDS).map((field) => `providers.${name}.${field}`),
)

/** Null: as many requests as come. `label`: how the user knows the provider. */
export function toLimits(
  maxConcurrent: number | null,
  read: (field: QueueField) => number | null,
  label: string,
  warnings: string[],
): Limits | null {
  const maxQueued = read('max_queued')
  const queueTimeoutMs = read('queue_timeout_ms')
  if (maxConcurrent !== null)
    return {
      maxConcurrent,
      maxQueued: maxQueued ?? DEFAULT_QUEUED,
      queueTimeoutMs: queueTimeoutMs ?? DEFAULT_QUEUE_TIMEOUT_MS,
    }
  if (maxQueued !== null || queueTimeoutMs !== null)
    warnings.push(`${label}: max_queued and queue_timeout_ms have no effect without max_concurrent`)
  return null
}
