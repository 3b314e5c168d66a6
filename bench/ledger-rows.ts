import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { newRequestId } from '../src/ids.ts'
import { openStore } from '../src/store/open.ts'
import { createMonthFiles } from '../src/store/sqlite/ledger/month-file.ts'
import type { LedgerRow, RequestFilter, Store, UsageGroup } from '../src/store/store.ts'
import { measureDataPath } from './data-path.ts'
import type { Workshop } from './processes.ts'
import { columns } from './report.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A month that is over, with 30 days, so that the report of 30 days reads all rows there are. */
const START = Date.UTC(2026, 8, 1)
const SPAN_MS = 30 * DAY_MS
const IN_ONE_COMMIT = 20_000
const GENERATE_MS = 20 * 60_000
const APPENDED = 50_000

const TOKENS = 50
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-small']

/** `limit`: none where the figure is there to explain another. */
type Line = { name: string; value: number; unit: string; limit: number | null }
export type LedgerResults = {
  at: string
  machine: string
  rows: number
  seconds: number
  megabytes: number
  lines: Line[]
}

/** Fills a month with rows and measures what the ledger promises: `--rows=<n>`, ten million when left out. */
export async function benchLedger(workshop: Workshop, rows: number): Promise<{ text: string; data: LedgerResults }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'llm-proxy-ledger-'))
  try {
    const began = performance.now()
    const written = generate(dataDir, rows)
    const seconds = (performance.now() - began) / 1000
    const megabytes = statSync(join(dataDir, 'ledger-2026-09.db')).size / 1e6
    const store = await openStore({ dataDir })
    const lines = [
      ...(await measureReports(store)),
      ...(await measurePages(store)),
      await measureAppend(store, 1),
      await measureAppend(store, 10),
    ]
    await store.close()
    lines.push(...(await measureRequests(workshop, dataDir)), await measureDrop(dataDir))
    const machine = `${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`
    const data = { at: new Date().toISOString(), machine, rows: written, seconds, megabytes, lines }
    return { text: toText(data), data }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** How many were written: fewer than asked for when time runs out. */
function generate(dataDir: string, rows: number): number {
  const months = createMonthFiles(dataDir)
  const writer = months.writer('2026-09')
  const deadline = performance.now() + GENERATE_MS
  let written = 0
  while (written < rows && performance.now() < deadline) {
    const size = Math.min(IN_ONE_COMMIT, rows - written)
    const batch = Array.from({ length: size }, (_, i) => aRow(written + i, START + ((written + i) / rows) * SPAN_MS))
    writer.write({ rows: batch, counts: batch.map(() => false), opens: [] })
    written += size
    if (process.stderr.isTTY) process.stderr.write(`\r${written} rows`)
  }
  months.close()
  return written
}

/** Numbers that repeat in no short period, without chance: two runs are alike. */
function mixed(i: number, salt: number): number {
  let x = Math.imul(i ^ (salt << 25), 2_654_435_761)
  x = Math.imul(x ^ (x >>> 16), 2_246_822_507)
  x = Math.imul(x ^ (x >>> 13), 3_266_489_909)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
}

function aRow(i: number, time: number): LedgerRow {
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
    tokenId: `tok_${String(token).padStart(21, '0')}`,
    projectId: `proj_${String(token % 7).padStart(21, '0')}`,
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

const REPORTS: UsageGroup[][] = [
  [],
  ['day'],
  ['hour'],
  ['model'],
  ['token'],
  ['token', 'model', 'status'],
  ['day', 'model'],
  ['hour', 'model'],
]

async function measureReports(store: Store): Promise<Line[]> {
  const from = START + 1_234_567
  const to = from + SPAN_MS
  const lines: Line[] = []
  await store.ledger.get('req_none_of_them').catch(() => null)
  for (const groupBy of REPORTS) {
    const value = await fastestOf(3, () => store.ledger.usage({ groupBy, filter: { from, to } }))
    lines.push({ name: `report of 30 days by ${groupBy.join(', ') || 'nothing'}`, value, unit: 'ms', limit: 100 })
  }
  const tokenId = `tok_${'4'.padStart(21, '0')}`
  const spend = await fastestOf(3, () => store.ledger.spend({ tokenId, from, to }))
  return [...lines, { name: 'spend of a token in 30 days', value: spend, unit: 'ms', limit: 100 }]
}

async function measurePages(store: Store): Promise<Line[]> {
  const filters: [string, RequestFilter][] = [
    ['no filter', {}],
    ['a token', { tokenId: `tok_${'4'.padStart(21, '0')}` }],
    ['a project', { projectId: `proj_${'4'.padStart(21, '0')}` }],
    ['a model', { model: 'mistral-small' }],
    ['no such model', { model: 'none' }],
    ['status 504', { status: 504 }],
    ['an error', { error: 'upstream_timeout' }],
    ['the dearest', { minCostNanoUsd: 999_999_000n }],
    ['the slowest', { minLatencyMs: 60_190 }],
    ['slow and dear', { minLatencyMs: 50_000, minCostNanoUsd: 900_000_000n }],
    [
      'slow errors of a token',
      { minLatencyMs: 10_000, error: 'upstream_timeout', tokenId: `tok_${'4'.padStart(21, '0')}` },
    ],
    ['an hour long ago', { from: START + 5 * DAY_MS, to: START + 5 * DAY_MS + 1_000_000 }],
  ]
  const lines: Line[] = []
  for (const [name, filter] of filters) {
    const value = await fastestOf(3, () => store.ledger.list(filter, { limit: 50 }))
    lines.push({ name: `first page with ${name}`, value, unit: 'ms', limit: 200 })
  }
  const middle = await store.ledger.list({ to: START + SPAN_MS / 2 }, { limit: 1 })
  const id = middle.data[0]!.requestId
  lines.push({
    name: 'one request by its id',
    value: await fastestOf(3, () => store.ledger.get(id)),
    unit: 'ms',
    limit: 200,
  })
  return lines
}

/** CPU of this thread, checkpoints included, of batches as the group commit makes them. `series`: so many different in each. */
async function measureAppend(store: Store, series: number): Promise<Line> {
  const now = START + SPAN_MS + DAY_MS
  const make = (count: number) =>
    Array.from({ length: count / 10 }, (_, batch) => ({
      rows: Array.from({ length: 10 }, (_, i) => ({
        ...aRow(batch * 10 + i, now + batch),
        ...(series === 1 && SAME),
        tokenId: `tok_${i % series}`,
      })),
      opens: [],
      takes: [],
      counts: new Map<string, number>(),
      at: now,
    }))
  for (const batch of make(10_000)) store.ledger.append(batch)
  const batches = make(APPENDED)
  const before = process.cpuUsage()
  for (const batch of batches) store.ledger.append(batch)
  const { user, system } = process.cpuUsage(before)
  const name = series === 1 ? 'append in tens, all alike' : 'append in tens, all different'
  return { name, value: (user + system) / APPENDED, unit: 'µs CPU a row', limit: 10 }
}

const ROUNDS = 8

/** Requests while reports run: over all the rows, and over the file that is written to. */
async function measureRequests(workshop: Workshop, dataDir: string): Promise<Line[]> {
  const from = new Date(START + 1_234_567).toISOString()
  const queries = [
    ...REPORTS.filter((groupBy) => groupBy.length > 0).map(
      (groupBy) => `/usage?group_by=${groupBy.join(',')}&from=${from}`,
    ),
    '/requests?limit=200',
    '/requests?min_latency_ms=60190',
    '/requests?status=504&limit=200',
  ]
  const { idleP99, reportsP99, ofIdle, besideOfIdle, reportsPerSecond } = await measureDataPath(workshop, {
    dataDir,
    queries,
    rounds: ROUNDS,
  })
  return [
    { name: 'p99 of requests, nothing else to do', value: idleP99.median, unit: 'ms', limit: null },
    {
      name: `p99 while ${reportsPerSecond.toFixed(0)} reports a second run`,
      value: reportsP99.median,
      unit: 'ms',
      limit: null,
    },
    { name: 'the same, of idle in the same round', value: ofIdle.median, unit: '×', limit: 1.1 },
    { name: 'beside a busy process, of idle', value: besideOfIdle.median, unit: '×', limit: null },
  ]
}

const SAME = {
  projectId: 'proj_1',
  model: 'gpt-4o',
  status: 200,
  error: null,
  provider: 'openai',
  endpoint: '/v1/chat/completions',
}

async function measureDrop(dataDir: string): Promise<Line> {
  const store = await openStore({ dataDir })
  const before = performance.now()
  await store.ledger.retention(START + SPAN_MS)
  const value = performance.now() - before
  await store.close()
  return { name: 'dropping the month', value, unit: 'ms', limit: 1_000 }
}

async function fastestOf(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const before = performance.now()
    await work()
    taken.push(performance.now() - before)
  }
  return Math.min(...taken)
}

function toText({ machine, rows, seconds, megabytes, lines }: LedgerResults): string {
  const head = `${machine}. ${rows} rows in ${seconds.toFixed(0)} s, ${megabytes.toFixed(0)} MB.`
  const table = lines.map(({ name, value, unit, limit }) => [
    `${limit === null ? '      ' : value <= limit ? 'met   ' : 'MISSED'} ${name}`,
    `${value.toFixed(unit === '×' ? 2 : 1)} ${unit}`,
    limit === null ? '' : `goal ≤ ${limit}`,
  ])
  return [head, '', ...columns(table)].join('\n')
}
