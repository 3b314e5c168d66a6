import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../src/store/open.ts'
import type { RequestFilter, Store, UsageFilter, UsageGroup } from '../src/store/store.ts'
import { measureDataPath } from './data-path.ts'
import { aRow, fillLedger } from './ledger-fill.ts'
import type { Workshop } from './processes.ts'
import { columns } from './report.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A month that is over, with 30 days, so that the report of 30 days reads all rows there are. */
const START = Date.UTC(2026, 8, 1)
const SPAN_MS = 30 * DAY_MS
const APPENDED = 50_000

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
    const written = fillLedger(dataDir, rows, { start: START, spanMs: SPAN_MS })
    const seconds = (performance.now() - began) / 1000
    const megabytes = statSync(join(dataDir, 'ledger-2026-09.db')).size / 1e6
    const store = await openStore({ dataDir })
    const lines = [
      ...(await measureReports(store)),
      ...(await measurePages(store)),
      measureAppend(store, { name: 'append in tens, all alike', size: 10, isAlike: true, limit: 10 }),
      measureAppend(store, { name: 'append in tens, all different', size: 10, isAlike: false, limit: 10 }),
      measureAppend(store, { name: 'append one by one', size: 1, isAlike: false, limit: 30 }),
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

const PROJECT = { projectId: `proj_${'4'.padStart(21, '0')}` }
const REPORTS: [name: string, groupBy: UsageGroup[], filter?: UsageFilter][] = [
  ['nothing', []],
  ['day', ['day']],
  ['hour', ['hour']],
  ['model', ['model']],
  ['token', ['token']],
  ['token, model, status', ['token', 'model', 'status']],
  ['day, model', ['day', 'model']],
  ['day, token', ['day', 'token']],
  ['hour, model', ['hour', 'model']],
  ['hour, model, status', ['hour', 'model', 'status']],
  ['hour, project', ['hour', 'project']],
  ['hour, of a model', ['hour'], { model: 'gpt-4o' }],
  ['hour, model, of a project', ['hour', 'model'], PROJECT],
]

async function measureReports(store: Store): Promise<Line[]> {
  const from = START + 1_234_567
  const to = from + SPAN_MS
  const lines: Line[] = []
  await store.ledger.get('req_none_of_them').catch(() => null)
  for (const [name, groupBy, filter] of REPORTS) {
    const value = await fastestOf(3, () => store.ledger.usage({ groupBy, filter: { ...filter, from, to } }))
    lines.push({ name: `report of 30 days by ${name}`, value, unit: 'ms', limit: 100 })
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

type Append = { name: string; size: number; isAlike: boolean; limit: number }

/**
 * CPU of batches as the group commit makes them, checkpoints and rollups that follow included. The rows of a batch are of ten tokens,
 * or of one series. They are made just before, as in a gateway: rows that had waited long would cost the collector of garbage more.
 */
function measureAppend(store: Store, { name, size, isAlike, limit }: Append): Line {
  const at = START + SPAN_MS + DAY_MS
  const append = (count: number): number => {
    let spent = 0
    for (let done = 0; done < count; done += size) {
      const rows = Array.from({ length: size }, (_, i) => {
        const token = (done + i) % 10
        const row = aRow(done + i, at + done / 10)
        return isAlike ? { ...row, ...SAME } : { ...row, tokenId: `tok_${token}`, projectId: `proj_${token % 7}` }
      })
      const before = process.cpuUsage()
      store.ledger.append({ rows, opens: [], takes: [], counts: new Map<string, number>(), at })
      const { user, system } = process.cpuUsage(before)
      spent += user + system
    }
    return spent
  }
  append(APPENDED / 5)
  return { name, value: append(APPENDED) / APPENDED, unit: 'µs CPU a row', limit }
}

const ROUNDS = 8

/** Requests while reports run: over all the rows, and over the file that is written to. */
async function measureRequests(workshop: Workshop, dataDir: string): Promise<Line[]> {
  const from = new Date(START + 1_234_567).toISOString()
  const queries = [
    ...REPORTS.filter(([, groupBy]) => groupBy.length > 0).map(
      ([, groupBy]) => `/usage?group_by=${groupBy.join(',')}&from=${from}`,
    ),
    '/requests?limit=200',
    '/requests?min_latency_ms=60190',
    '/requests?status=504&limit=200',
  ]
  const { idleP99, reportsP99, ofIdle, mainOfIdle, besideOfIdle, reportsPerSecond } = await measureDataPath(workshop, {
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
    ...(mainOfIdle
      ? [{ name: 'CPU of the serving thread a request, of idle', value: mainOfIdle.median, unit: '×', limit: 1.1 }]
      : []),
    { name: 'p99 beside a busy process, of idle', value: besideOfIdle.median, unit: '×', limit: null },
  ]
}

const SAME = {
  tokenId: 'tok_1',
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
