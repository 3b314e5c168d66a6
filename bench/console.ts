import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PAGES } from '../src/admin/pages.ts'
import { openSession } from '../src/domain/admin-sessions.ts'
import { createAdminUser } from '../src/domain/admin-users.ts'
import { makeStamp, SYSTEM } from '../src/domain/audit.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import { fillLedger, PROJECTS, projectId, TOKENS, tokenId } from './ledger-fill.ts'
import type { Workshop } from './processes.ts'
import { columns } from './report.ts'

const SPAN_MS = 35 * 86_400_000
const RUNS = 9
/** The dashboard shares its figures for two seconds: they are read anew for each run. */
const DASHBOARD_REST_MS = 2_100
const LIMIT_MS = 100

/** Milliseconds. `first`: with nothing in any cache of the process. */
type Line = { page: string; first: number; median: number; slowest: number; kilobytes: number }
export type ConsoleResults = { at: string; machine: string; rows: number; lines: Line[] }

/** What beside the plain address of each page is asked for: what people look at, and what is dearest. */
const ASKED: Record<string, string[]> = {
  '/': ['', '?period=1h', '?period=7d', '?period=30d'],
  '/requests': [
    '',
    '?failed=1',
    '?status=504',
    `?token=${tokenId(4)}`,
    '?model=mistral-small',
    '?min_latency_ms=60190',
  ],
  '/usage': [
    '',
    '?by=token&period=30d',
    '?by=model&and=project&period=30d',
    '?by=day&period=30d',
    '?unpriced=1&period=30d',
  ],
}

/** Server time of every page of the console, over rows of the last five weeks. */
export async function benchConsole(workshop: Workshop, rows: number): Promise<{ text: string; data: ConsoleResults }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'llm-proxy-console-'))
  try {
    const store = await openStore({ dataDir })
    await createOwners(store)
    const secret = await createVisitor(store)
    await store.close()
    const written = fillLedger(dataDir, rows, { start: Date.now() - SPAN_MS, spanMs: SPAN_MS })
    const reading = await openStore({ dataDir })
    const { data: newest } = await reading.ledger.list({ failed: true }, { limit: 1 })
    await reading.close()
    const upstream = await workshop.startServer('upstream.ts')
    const gateway = await workshop.startGateway({ dataDir, upstream: upstream.url })
    const lines: Line[] = []
    for (const page of PAGES) {
      for (const query of ASKED[page.path] ?? ['']) {
        const path = addressOf(page.path, newest[0]?.requestId ?? 'req_none') + query
        lines.push(await measure(gateway.url, path, `llm_proxy_session=${secret}`))
      }
    }
    await gateway.stop('SIGTERM')
    await upstream.stop()
    const machine = `${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`
    const data = { at: new Date().toISOString(), machine, rows: written, lines }
    return { text: toText(data), data }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** The path with things that are there in place of its parameters. */
function addressOf(path: string, requestId: string): string {
  const id = path.startsWith('/projects') ? projectId(4) : path.startsWith('/tokens') ? tokenId(4) : requestId
  const known = path.replace(':name', 'openai').replace(/:\w+/, id)
  return `/admin${known === '/' ? '' : known}`
}

async function measure(url: string, path: string, cookie: string): Promise<Line> {
  const taken: number[] = []
  let bytes = 0
  for (let run = 0; run <= RUNS; run++) {
    if (path.startsWith('/admin?') || path === '/admin') await delay(DASHBOARD_REST_MS)
    const before = performance.now()
    const answer = await fetch(url + path, { headers: { cookie }, redirect: 'manual' })
    const html = await answer.arrayBuffer()
    taken.push(performance.now() - before)
    bytes = html.byteLength
    // A route of the bench's own there is none, and searching for an id goes on to its page.
    if (![200, 303, 404].includes(answer.status)) throw new Error(`${path} answered ${answer.status}`)
  }
  const [first = 0, ...warm] = taken
  warm.sort((a, b) => a - b)
  return { page: path, first, median: warm[Math.floor(RUNS / 2)]!, slowest: warm.at(-1)!, kilobytes: bytes / 1000 }
}

/** The projects and tokens that the rows name, each with a budget. */
async function createOwners({ projects, tokens }: Store): Promise<void> {
  const at = Date.now() - SPAN_MS
  const stamp = () => makeStamp({ now: () => at }, SYSTEM, { action: 'bench' })
  const budgets = [{ period: 'month' as const, limitNanoUsd: 9_000_000_000_000_000, limitTokens: null, resetAt: null }]
  const common = {
    rateLimit: null,
    budgets,
    allowedModels: null,
    metadata: { team: 'bench' },
    createdAt: at,
    updatedAt: at,
  }
  for (let i = 0; i < PROJECTS; i++)
    await projects.create({ ...common, id: projectId(i), name: `Project ${i}`, isActive: true }, [], stamp())
  for (let i = 0; i < TOKENS; i++) {
    const own = {
      id: tokenId(i),
      projectId: projectId(i % PROJECTS),
      name: `token ${i}`,
      hash: `bench ${i}`,
      last4: '0000',
    }
    const unused = {
      expiresAt: null,
      maxRequests: null,
      requestCount: 0,
      lastUsedAt: null,
      isActive: true,
      revokedAt: null,
    }
    await tokens.create({ ...common, ...own, ...unused, allowedEndpoints: null, allowedIps: null }, stamp())
  }
}

async function createVisitor(store: Store): Promise<string> {
  const parts = { store, now: Date.now, sessionLimits: { idleMs: 3_600_000, totalMs: 86_400_000 } }
  const password = 'a long word for the bench alone'
  const user = await createAdminUser(parts, SYSTEM, { name: 'bench', role: 'owner', password })
  return (await openSession(parts, user, 'password', { ip: null, userAgent: 'bench' })).secret
}

function toText({ machine, rows, lines }: ConsoleResults): string {
  const table = lines.map(({ page, first, median, slowest, kilobytes }) => [
    `${slowest <= LIMIT_MS ? 'met   ' : 'MISSED'} ${page}`,
    `${median.toFixed(1)} ms`,
    `slowest of ${RUNS} ${slowest.toFixed(1)} ms`,
    `first ${first.toFixed(1)} ms`,
    `${kilobytes.toFixed(0)} KB`,
  ])
  return [`${machine}. ${rows} rows; goal: each page within ${LIMIT_MS} ms.`, '', ...columns(table)].join('\n')
}
