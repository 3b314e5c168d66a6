import { newRequestId } from '../src/ids.ts'
import { createMonthFiles } from '../src/store/sqlite/ledger/month-file.ts'
import type { LedgerRow } from '../src/store/store.ts'

const IN_ONE_COMMIT = 20_000
const GENERATE_MS = 20 * 60_000

export const TOKENS = 50
export const PROJECTS = 7
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-small']

export const tokenId = (i: number) => `tok_${String(i).padStart(21, '0')}`
export const projectId = (i: number) => `proj_${String(i).padStart(21, '0')}`

/** Rows spread evenly over the time, month by month. How many were written: fewer than asked for when time runs out. */
export function fillLedger(
  dataDir: string,
  rows: number,
  { start, spanMs }: { start: number; spanMs: number },
): number {
  const months = createMonthFiles(dataDir)
  const deadline = performance.now() + GENERATE_MS
  const timeOf = (i: number) => start + (i / rows) * spanMs
  let written = 0
  while (written < rows && performance.now() < deadline) {
    const month = monthOf(timeOf(written))
    const batch: LedgerRow[] = []
    for (let i = written; i < rows && batch.length < IN_ONE_COMMIT && monthOf(timeOf(i)) === month; i++)
      batch.push(aRow(i, timeOf(i)))
    months.writer(month).write({ rows: batch, counts: batch.map(() => false), opens: [] })
    written += batch.length
    if (process.stderr.isTTY) process.stderr.write(`\r${written} rows`)
  }
  months.close()
  return written
}

const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7)

/** Numbers that repeat in no short period, without chance: two runs are alike. */
function mixed(i: number, salt: number): number {
  let x = Math.imul(i ^ (salt << 25), 2_654_435_761)
  x = Math.imul(x ^ (x >>> 16), 2_246_822_507)
  x = Math.imul(x ^ (x >>> 13), 3_266_489_909)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
}

export function aRow(i: number, time: number): LedgerRow {
  const at = Math.floor(time)
  const token = Math.floor(mixed(i, 1) * TOKENS)
  const model = MODELS[Math.floor(mixed(i, 2) ** 2 * MODELS.length)]!
  const luck = mixed(i, 3)
  const error = luck < 0.001 ? 'upstream_timeout' : luck < 0.01 ? 'rate_limit_exceeded' : null
  const status = error === 'upstream_timeout' ? 504 : error ? 429 : luck < 0.02 ? 499 : 200
  const latencyMs = Math.round((200 + mixed(i, 4) ** 8 * 60_000) * 10) / 10
  return {
    requestId: newRequestId(at),
    at,
    tokenId: tokenId(token),
    projectId: projectId(token % PROJECTS),
    method: 'POST',
    endpoint: luck > 0.8 ? '/v1/embeddings' : '/v1/chat/completions',
    model,
    provider: error === 'rate_limit_exceeded' ? null : 'openai',
    servedModel: error ? null : model,
    attempts: error
      ? []
      : [{ provider: 'openai', model, outcome: 'answered', status: 200, durationMs: latencyMs, error: null }],
    status,
    stream: luck > 0.5,
    latencyMs,
    firstTokenMs: luck > 0.5 ? Math.round(latencyMs * 2.5) / 10 : null,
    usage: {
      inputTokens: Math.floor(mixed(i, 5) * 4_000),
      outputTokens: Math.floor(mixed(i, 6) * 1_000),
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      details: null,
      source: 'reported',
    },
    estimateReason: null,
    costNanoUsd: model === 'mistral-small' ? null : BigInt(Math.floor(mixed(i, 7) ** 6 * 1e9)),
    priceSource: 'genai-prices 0.1.8',
    reservedNanoUsd: null,
    cache: 'bypass',
    error,
    changes: [],
    requestBytes: 1_000,
    responseBytes: 2_000,
  }
}
