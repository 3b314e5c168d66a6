import type { Page, PageOf } from './store.ts'

/* What is written of requests, and what can be asked about them. */

/**
 * In one meaning, whoever reported it: input includes what was read from a cache and written to one, output includes reasoning.
 * `cachedTokens + cacheWriteTokens <= inputTokens`, `reasoningTokens <= outputTokens`.
 */
export type Usage = {
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  cacheWriteTokens: number
  reasoningTokens: number
  /** What is charged apart and is rare, as genai-prices calls it where it knows it: parts of the tokens above, or other units. */
  details: UsageDetails | null
  source: 'reported' | 'estimated' | 'none'
}

export type UsageUnit =
  | 'cache_write_1h_tokens'
  | 'input_audio_tokens'
  | 'cache_audio_read_tokens'
  | 'output_audio_tokens'
  | 'input_image_tokens'
  | 'cache_image_read_tokens'
  | 'output_image_tokens'
  | 'input_audio_seconds'
  | 'web_searches'
  | 'storage_searches'
  | 'code_executions'
  | 'image_generations'
export type UsageDetails = Readonly<Partial<Record<UsageUnit, number>>>

/** Why usage had to be estimated. */
export type EstimateReason = 'client_abort' | 'upstream_cut' | 'not_reported' | 'interrupted'

/** One try at one target, as kept on the row. */
export type AttemptRecord = {
  provider: string
  model: string | null
  outcome: 'answered' | 'unsent' | 'failed' | 'cancelled'
  status: number | null
  durationMs: number
  error: string | null
}

export type LedgerRow = {
  requestId: string
  /** When the request came in. */
  at: number
  tokenId: string | null
  projectId: string | null
  method: string
  /** Path without its query: `/v1/chat/completions`. */
  endpoint: string
  /** As the caller asked. */
  model: string | null
  provider: string | null
  /** As the provider answered. */
  servedModel: string | null
  attempts: AttemptRecord[]
  /** What the client was told; 499 when it hung up first. */
  status: number
  stream: boolean
  latencyMs: number
  firstTokenMs: number | null
  usage: Usage
  estimateReason: EstimateReason | null
  /** Null: no price is known for the model. */
  costNanoUsd: bigint | null
  /** Where the price came from: `genai-prices 0.1.8`, `config`, `free`; null without one. */
  priceSource: string | null
  /** What a budget held back for this request; null where no budget did. More cost than this is what the reservation missed. */
  reservedNanoUsd: bigint | null
  cache: 'hit' | 'miss' | 'bypass'
  /** A `GatewayError` code, or null. */
  error: string | null
  /** What the gateway changed on the way: `model`, `stream_options` … */
  changes: string[]
  requestBytes: number
  responseBytes: number
}

/** A request that has left with money reserved for it, so that a crash loses neither the request nor the money. */
export type OpenRequest = Pick<
  LedgerRow,
  'requestId' | 'at' | 'tokenId' | 'projectId' | 'method' | 'endpoint' | 'model' | 'provider' | 'stream'
> & {
  /** Estimated. */
  inputTokens: number
  reservedNanoUsd: bigint
  /** Which process it belongs to: host, process id and start. */
  process: string
}

/** What one turn of the event loop wants written: all or nothing. */
export type LedgerBatch = {
  rows: LedgerRow[]
  /** Requests about to leave. The row of the same id ends one. */
  opens: OpenRequest[]
  /** Token ids, one entry a request, to count against `max_requests`: counted only while below it. */
  takes: string[]
  /** Requests of tokens without `max_requests`, counted when they end. */
  counts: Map<string, number>
  /** Written to `last_used_at` of every token named above. */
  at: number
}

export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | '499'
/** `metadata.<key>`: the value of that key in the token's metadata, as JSON. `day` and `hour` are of UTC. */
export type UsageGroup =
  | 'token'
  | 'project'
  | 'model'
  | 'provider'
  | 'endpoint'
  | 'status'
  | 'day'
  | 'hour'
  | `metadata.${string}`
/** `from` inclusive, `to` exclusive. */
export type UsageFilter = {
  projectId?: string
  tokenId?: string
  model?: string
  provider?: string
  endpoint?: string
  status?: StatusClass
  from?: number
  to?: number
}
/**
 * At most four groups; none gives one row of all. A report of more than `maxRows` is refused (`StoreError` `too_many`), not cut. `top`:
 * only so many rows, those that cost most (of equal cost, those with most requests) first; the totals are of all. `times: false`: without
 * percentiles, which are null then and take longer to read than all the rest.
 */
export type UsageQuery = { groupBy: UsageGroup[]; filter: UsageFilter; maxRows?: number; top?: number; times?: boolean }

/** Interpolated in buckets that double, so within some ten per cent; null where there is nothing to measure. */
export type Percentiles = { p50: number | null; p95: number | null; p99: number | null }

export type UsageSums = {
  requests: number
  /** Status 400 and above, or an error of the gateway. */
  errors: number
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  cacheWriteTokens: number
  reasoningTokens: number
  costNanoUsd: bigint
  /** Requests for whose model no price is known, and their input and output tokens: not in the cost. */
  unpricedRequests: number
  unpricedTokens: number
  estimatedRequests: number
  cacheHits: number
  latencyMs: Percentiles
  firstTokenMs: Percentiles
}
/**
 * `keys` beside `groupBy`: the token id, project id, model, provider, endpoint, status class, UTC day `2026-11-21`, UTC hour
 * `2026-11-21T13:00:00Z` or JSON value; null where rows have none. Names beyond the bound of a month are `(other)`.
 */
export type UsageReportRow = UsageSums & { keys: (string | null)[] }
export type UsageReport = { rows: UsageReportRow[]; totals: UsageSums }

export type RequestFilter = Omit<UsageFilter, 'status'> & {
  status?: number
  /** An error code. */
  error?: string
  /** Status 400 and above, or an error of the gateway. */
  failed?: boolean
  minCostNanoUsd?: bigint
  minLatencyMs?: number
  /** Requests of tokens whose metadata, as JSON, contains this text (in any case). */
  metadata?: string
}

/** A price that was found for a row. */
export type RowCost = { costNanoUsd: bigint; priceSource: string | null }

/** `from` inclusive, `to` exclusive, both exact to the millisecond. */
export type SpendQuery = { tokenId?: string; projectId?: string; from?: number; to?: number }
export type Spend = {
  costNanoUsd: bigint
  /** Input and output. */
  tokens: number
}

export type VerifyQuery = {
  /** Only requests that came in on the UTC day of this moment or later, and no counters. All when left out. */
  since?: number
  /** A request that was opened before this moment has a row by now. Not looked at when left out. */
  openedBefore?: number
}

/** Two places that should say the same of the ledger and do not. */
export type Drift = {
  /** `2026-11`; null when it concerns the main database. */
  month: string | null
  /** Of sums: `hourly`, `daily`, `callers`, `kinds`, `project_kinds`. Else `series`, `forms`, `requests`, `open_requests`, `tokens`; `file`: it cannot be read. */
  table: string
  /** What the numbers belong to: a series, an hour, a request, a token. */
  key: string
  field: string
  /** By the rows. */
  expected: string
  found: string
}

/**
 * A module (its URL) whose default export makes a text of what was read: `(value, input) => string`. It runs where the reading does,
 * so that a report of many rows never passes through the event loop as objects.
 */
export type Renderer = { module: string; input?: unknown }
export type Question = { usage: UsageQuery } | { list: RequestFilter; page: Page }

export interface LedgerStore {
  /**
   * Writes the batch: all or nothing, within a month. A batch over two months whose second part fails is given again by the caller
   * with the same row objects, and what is written is skipped then. Gives, for each entry of `takes` in order, whether it was counted.
   * An embedded engine answers at once, without a promise. Throws `StoreError` (`full`, `busy`, `unavailable` …).
   */
  append(batch: LedgerBatch): boolean[] | Promise<boolean[]>
  list(filter: RequestFilter, page: Page): Promise<PageOf<LedgerRow>>
  get(requestId: string): Promise<LedgerRow | null>
  /** Largest number of requests first; where a day or an hour is among the groups, in its order. Throws `StoreError` `too_large`. */
  usage(query: UsageQuery): Promise<UsageReport>
  /** What `list` or `usage` gives, as the renderer's text in UTF-8. */
  render(renderer: Renderer, question: Question): Promise<Uint8Array>
  spend(query: SpendQuery): Promise<Spend>
  /** Opened, and not ended by their row: what a crash left behind, oldest first. A month that cannot be read is told of and left out. */
  openRequests(onDamage?: (month: string, error: unknown) => void): Promise<OpenRequest[]>
  /** Deletes all months that end at or before this moment, but none that is being written to. The months deleted (`2026-08`). */
  retention(before: number): Promise<string[]>
  /**
   * Gives rows of past requests another cost: asks `costOf` about each one that came in between the two moments (null: it stays), and
   * changes row and rollups together, little by little. Takes the thread that calls it, for minutes where there are millions of rows.
   */
  reprice(range: { from: number; to: number }, costOf: (row: LedgerRow) => RowCost | null): Promise<void>
  /**
   * Compares rows, rollups, counters and what is open. Empty: it all adds up. Takes the thread that calls it for as long as it takes
   * to read every row.
   */
  verify(query?: VerifyQuery): Promise<Drift[]>
  /**
   * Builds everything about these months (all when left out) anew from their rows, and raises counters that are below their rows.
   * Nothing else may have the files open. What could not be mended, and why.
   */
  repair(months?: string[]): Promise<{ month: string; reason: string }[]>
}
