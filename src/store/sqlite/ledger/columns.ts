import { type LedgerRow, type OpenRequest, StoreError } from '../../store.ts'

export type Bound = string | number | bigint | null
/** A row as SQLite gives it; money as text, for a JavaScript number loses the last digits of 64 bits. */
export type RawRow = Record<string, string | number | null>

/** What `bindRow` gives, in its order. The hot path of the gateway, hence without Drizzle. */
export const COLUMNS = [
  'at',
  'series',
  'counts',
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

export const bindRow = (row: LedgerRow, series: number, counts: number): Bound[] => [
  row.at,
  series,
  counts,
  row.status,
  row.latencyMs,
  row.costNanoUsd,
  row.error,
  row.model,
  row.requestId,
  row.tokenId,
  row.projectId,
  row.method,
  row.endpoint,
  row.provider,
  row.servedModel,
  row.stream ? 1 : 0,
  row.firstTokenMs,
  row.usage.inputTokens,
  row.usage.outputTokens,
  row.usage.cachedTokens,
  row.usage.cacheWriteTokens,
  row.usage.reasoningTokens,
  row.usage.details && JSON.stringify(row.usage.details),
  row.usage.source,
  row.estimateReason,
  row.priceSource,
  row.reservedNanoUsd,
  row.cache,
  toJson(row.attempts),
  toJson(row.changes),
  row.requestBytes,
  row.responseBytes,
]

const MONEY = new Set(['cost_nano_usd', 'reserved_nano_usd'])
const OWN = new Set(['series', 'counts'])

/** For `SELECT`: what `toRow` reads. */
export const SELECTED = COLUMNS.filter((name) => !OWN.has(name))
  .map((name) => (MONEY.has(name) ? `CAST(${name} AS TEXT) AS ${name}` : name))
  .join(', ')

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
    attempts: json('attempts'),
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

export const OPEN_COLUMNS = [
  'request_id',
  'at',
  'token_id',
  'project_id',
  'method',
  'endpoint',
  'model',
  'provider',
  'stream',
  'input_tokens',
  'reserved_nano_usd',
  'process',
]

export const bindOpen = (open: OpenRequest): Bound[] => [
  open.requestId,
  open.at,
  open.tokenId,
  open.projectId,
  open.method,
  open.endpoint,
  open.model,
  open.provider,
  open.stream ? 1 : 0,
  open.inputTokens,
  open.reservedNanoUsd,
  open.process,
]

export const SELECTED_OPEN = OPEN_COLUMNS.map((name) =>
  MONEY.has(name) ? `CAST(${name} AS TEXT) AS ${name}` : name,
).join(', ')

export function toOpen(raw: RawRow): OpenRequest {
  const text = (name: string) => raw[name] as string
  return {
    requestId: text('request_id'),
    at: raw.at as number,
    tokenId: text('token_id'),
    projectId: text('project_id'),
    method: text('method'),
    endpoint: text('endpoint'),
    model: text('model'),
    provider: text('provider'),
    stream: raw.stream === 1,
    inputTokens: raw.input_tokens as number,
    reservedNanoUsd: BigInt(text('reserved_nano_usd')),
    process: text('process'),
  }
}

function toJson(list: unknown[]): string {
  return list.length === 0 ? '[]' : JSON.stringify(list)
}
