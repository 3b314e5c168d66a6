import type { Summed } from './sums.ts'

/** For `SELECT` from the view `ledger`: what `toSummed` reads. */
export const SELECT_SUMMED = [
  'seq',
  'series',
  'at',
  'status',
  'error',
  'latency_ms',
  'first_token_ms',
  'CAST(cost_nano_usd AS TEXT)',
  'cache',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'usage_source',
].join(', ')

export type RawSummed = (number | string | null)[]

export const toSummed = (raw: RawSummed): { seq: number; series: number; row: Summed } => ({
  seq: raw[0] as number,
  series: raw[1] as number,
  row: {
    at: raw[2] as number,
    status: raw[3] as number,
    error: raw[4] as string | null,
    latencyMs: raw[5] as number,
    firstTokenMs: raw[6] as number | null,
    costNanoUsd: raw[7] === null ? null : BigInt(raw[7] as string),
    cache: raw[8] as 'hit' | 'miss' | 'bypass',
    usage: {
      inputTokens: raw[9] as number,
      outputTokens: raw[10] as number,
      cachedTokens: raw[11] as number,
      cacheWriteTokens: raw[12] as number,
      reasoningTokens: raw[13] as number,
      source: raw[14] as 'reported' | 'estimated' | 'none',
    },
  },
})
