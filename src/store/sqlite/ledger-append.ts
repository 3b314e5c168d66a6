import type { LedgerBatch, LedgerRow } from '../store.ts'
import type { Engine } from './engine.ts'

type Bound = string | number | bigint | null

/** Each column with what goes into it: the hot path of the gateway, hence without Drizzle. */
const COLUMNS: Record<string, (row: LedgerRow) => Bound> = {
  request_id: (row) => row.requestId,
  at: (row) => row.at,
  token_id: (row) => row.tokenId,
  project_id: (row) => row.projectId,
  method: (row) => row.method,
  endpoint: (row) => row.endpoint,
  model: (row) => row.model,
  provider: (row) => row.provider,
  served_model: (row) => row.servedModel,
  attempts: (row) => toJson(row.attempts),
  status: (row) => row.status,
  stream: (row) => Number(row.stream),
  latency_ms: (row) => row.latencyMs,
  first_token_ms: (row) => row.firstTokenMs,
  input_tokens: (row) => row.usage.inputTokens,
  output_tokens: (row) => row.usage.outputTokens,
  cached_tokens: (row) => row.usage.cachedTokens,
  reasoning_tokens: (row) => row.usage.reasoningTokens,
  usage_source: (row) => row.usage.source,
  cost_nano_usd: (row) => row.costNanoUsd,
  cache: (row) => row.cache,
  error: (row) => row.error,
  changes: (row) => toJson(row.changes),
  request_bytes: (row) => row.requestBytes,
  response_bytes: (row) => row.responseBytes,
}
const NAMES = Object.keys(COLUMNS)
const READERS = Object.values(COLUMNS)

/**
 * Writes a batch in one transaction, synchronously: some 40 µs for a single row, 10 to 15 µs a row in larger batches. Gives, for each
 * entry of `takes`, whether the token had a request left. Throws `StoreError`, and then nothing is written.
 */
export function createAppend({ connection, guard }: Engine): (batch: LedgerBatch) => boolean[] {
  const insert = connection.prepare(`INSERT INTO requests (${NAMES}) VALUES (${NAMES.map(() => '?')})`)
  const take = connection.prepare<[at: number, id: string]>(
    `UPDATE tokens SET request_count = request_count + 1, last_used_at = ?
     WHERE id = ? AND is_active AND revoked_at IS NULL AND (max_requests IS NULL OR request_count < max_requests)`,
  )
  const add = connection.prepare<[requests: number, at: number, id: string]>(
    'UPDATE tokens SET request_count = request_count + ?, last_used_at = ? WHERE id = ?',
  )

  const write = connection.transaction(({ rows, takes, counts, at }: LedgerBatch): boolean[] => {
    for (const row of rows) insert.run(READERS.map((read) => read(row)))
    for (const [id, requests] of counts) add.run(requests, at, id)
    return takes.map((id) => take.run(at, id).changes === 1)
  })

  return (batch) => guard(() => write.immediate(batch))
}

function toJson(list: unknown[]): string {
  return list.length === 0 ? '[]' : JSON.stringify(list)
}
