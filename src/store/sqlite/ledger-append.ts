import type { LedgerBatch, LedgerRow } from '../store.ts'
import type { Engine } from './engine.ts'

type Bound = string | number | bigint | null

/** The columns in the order of `bind`. The hot path of the gateway, hence without Drizzle. */
const COLUMNS = [
  'request_id',
  'at',
  'token_id',
  'project_id',
  'method',
  'endpoint',
  'model',
  'provider',
  'served_model',
  'attempts',
  'status',
  'stream',
  'latency_ms',
  'first_token_ms',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'usage_details',
  'usage_source',
  'estimate_reason',
  'cost_nano_usd',
  'price_source',
  'reserved_nano_usd',
  'cache',
  'error',
  'changes',
  'request_bytes',
  'response_bytes',
]

const bind = (row: LedgerRow): Bound[] => [
  row.requestId,
  row.at,
  row.tokenId,
  row.projectId,
  row.method,
  row.endpoint,
  row.model,
  row.provider,
  row.servedModel,
  toJson(row.attempts),
  row.status,
  Number(row.stream),
  row.latencyMs,
  row.firstTokenMs,
  row.usage.inputTokens,
  row.usage.outputTokens,
  row.usage.cachedTokens,
  row.usage.cacheWriteTokens,
  row.usage.reasoningTokens,
  row.usage.details && JSON.stringify(row.usage.details),
  row.usage.source,
  row.estimateReason,
  row.costNanoUsd,
  row.priceSource,
  row.reservedNanoUsd,
  row.cache,
  row.error,
  toJson(row.changes),
  row.requestBytes,
  row.responseBytes,
]

/**
 * Writes a batch in one transaction, synchronously: some 40 µs for a single row, 10 to 15 µs a row in larger batches. Gives, for each
 * entry of `takes`, whether the token had a request left. Throws `StoreError`, and then nothing is written.
 */
export function createAppend({ connection, guard }: Engine): (batch: LedgerBatch) => boolean[] {
  const insert = connection.prepare(`INSERT INTO requests (${COLUMNS}) VALUES (${COLUMNS.map(() => '?')})`)
  const take = connection.prepare<[at: number, id: string]>(
    `UPDATE tokens SET request_count = request_count + 1, last_used_at = ?
     WHERE id = ? AND is_active AND revoked_at IS NULL AND (max_requests IS NULL OR request_count < max_requests)`,
  )
  const add = connection.prepare<[requests: number, at: number, id: string]>(
    'UPDATE tokens SET request_count = request_count + ?, last_used_at = ? WHERE id = ?',
  )

  const write = connection.transaction(({ rows, takes, counts, at }: LedgerBatch): boolean[] => {
    for (const row of rows) insert.run(bind(row))
    for (const [id, requests] of counts) add.run(requests, at, id)
    return takes.map((id) => take.run(at, id).changes === 1)
  })

  return (batch) => guard(() => write.immediate(batch))
}

function toJson(list: unknown[]): string {
  return list.length === 0 ? '[]' : JSON.stringify(list)
}
