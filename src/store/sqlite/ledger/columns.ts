import { type AttemptRecord, type LedgerRow, StoreError } from '../../store.ts'

export type Bound = string | number | bigint | null
/** A row as SQLite gives it; money as text, for a JavaScript number loses the last digits of 64 bits. */
export type RawRow = Record<string, string | number | null>

/** A request with all that is known of it: in the view `ledger`, and in the tables of older versions. */
const COLUMNS = [
  'at',
  'status',
  'latency_ms',
  'cost_nano_usd',
  'error',
  'model',
  'request_id',
  'token_id',
  'project_id',
  'method',
  'endpoint',
  'provider',
  'served_model',
  'stream',
  'first_token_ms',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'usage_details',
  'usage_source',
  'estimate_reason',
  'price_source',
  'reserved_nano_usd',
  'cache',
  'attempts',
  'changes',
  'request_bytes',
  'response_bytes',
]

const MONEY = new Set(['cost_nano_usd', 'reserved_nano_usd'])

/** Money is selected as text. */
export const selected = (names: string[]) =>
  names.map((name) => (MONEY.has(name) ? `CAST(${name} AS TEXT) AS ${name}` : name)).join(', ')

/** For `SELECT` from the view `ledger`, and from the tables of older versions: what `toRow` reads. */
export const SELECTED = selected([...COLUMNS, 'attempt_ms', 'own'])
export const SELECTED_OLD = selected(COLUMNS)

/** Throws `StoreError` `corrupt` for what no row can be. */
export function toRow(raw: RawRow): LedgerRow {
  try {
    return readRow(raw)
  } catch (cause) {
    throw new StoreError(
      'corrupt',
      `The ledger's row of ${raw.request_id} cannot be read (${Object(cause).message}).`,
      {
        cause,
      },
    )
  }
}

function readRow(raw: RawRow): LedgerRow {
  if (raw.status === null || raw.method === null) throw new Error('its series or form is lost')
  // The view leaves out what cannot be parsed.
  if (raw.own) JSON.parse(String(raw.own))
  // The table's own constraints say which of these can be null.
  const text = (name: string) => raw[name] as string
  const number = (name: string) => raw[name] as number
  const json = (name: string) => (raw[name] === null ? null : JSON.parse(text(name)))
  const money = (name: string) => (raw[name] === null ? null : BigInt(text(name)))
  return {
    requestId: text('request_id'),
    at: number('at'),
    tokenId: text('token_id'),
    projectId: text('project_id'),
    method: text('method'),
    endpoint: text('endpoint'),
    model: text('model'),
    provider: text('provider'),
    servedModel: text('served_model'),
    attempts: toAttempts(json('attempts'), raw.attempt_ms ?? null),
    status: number('status'),
    stream: raw.stream === 1,
    latencyMs: number('latency_ms'),
    firstTokenMs: number('first_token_ms'),
    usage: {
      inputTokens: number('input_tokens'),
      outputTokens: number('output_tokens'),
      cachedTokens: number('cached_tokens'),
      cacheWriteTokens: number('cache_write_tokens'),
      reasoningTokens: number('reasoning_tokens'),
      details: json('usage_details'),
      source: text('usage_source') as LedgerRow['usage']['source'],
    },
    estimateReason: text('estimate_reason') as LedgerRow['estimateReason'],
    costNanoUsd: money('cost_nano_usd'),
    priceSource: text('price_source'),
    reservedNanoUsd: money('reserved_nano_usd'),
    cache: text('cache') as LedgerRow['cache'],
    error: text('error'),
    changes: json('changes'),
    requestBytes: number('request_bytes'),
    responseBytes: number('response_bytes'),
  }
}

/** Older versions kept the times with the attempts. */
function toAttempts(attempts: AttemptRecord[], ms: RawRow[string]): AttemptRecord[] {
  if (ms === null) return attempts
  const times: unknown[] = typeof ms === 'string' ? JSON.parse(ms) : [ms]
  return attempts.map((attempt, i) => {
    const { provider, model, outcome, status, error } = attempt
    return { provider, model, outcome, status, durationMs: Number(times[i]), error }
  })
}
