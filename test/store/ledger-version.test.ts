import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { openStore } from '../../src/store/open.ts'
import type { LedgerRow } from '../../src/store/store.ts'
import { expectError } from './contract.ts'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const FILE = 'ledger-2026-11.db'
const DAY = 86_400_000

const SUMS = `(id INTEGER PRIMARY KEY, requests INTEGER NOT NULL, errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
  unpriced_requests INTEGER NOT NULL, unpriced_tokens INTEGER NOT NULL, estimated_requests INTEGER NOT NULL, cache_hits INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL, max_cost_nano_usd INTEGER NOT NULL, max_latency_ms REAL NOT NULL, min_seq INTEGER NOT NULL,
  max_seq INTEGER NOT NULL, latencies TEXT NOT NULL, first_tokens TEXT NOT NULL)`

/** A month as version 1 made it: each row says everything itself. */
const VERSION_1 = `
CREATE TABLE requests (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, series INTEGER NOT NULL, counts INTEGER NOT NULL,
  status INTEGER NOT NULL, latency_ms REAL NOT NULL, cost_nano_usd INTEGER, error TEXT, model TEXT, request_id TEXT NOT NULL,
  token_id TEXT, project_id TEXT, method TEXT NOT NULL, endpoint TEXT NOT NULL, provider TEXT, served_model TEXT,
  stream INTEGER NOT NULL, first_token_ms REAL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, usage_details TEXT,
  usage_source TEXT NOT NULL, estimate_reason TEXT, price_source TEXT, reserved_nano_usd INTEGER, cache TEXT NOT NULL,
  attempts TEXT NOT NULL, changes TEXT NOT NULL, request_bytes INTEGER NOT NULL, response_bytes INTEGER NOT NULL);
CREATE TABLE open_requests (request_id TEXT PRIMARY KEY, at INTEGER NOT NULL, token_id TEXT, project_id TEXT, method TEXT NOT NULL,
  endpoint TEXT NOT NULL, model TEXT, provider TEXT, stream INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
  reserved_nano_usd INTEGER NOT NULL, process TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, token_id TEXT NOT NULL, project_id TEXT NOT NULL, model TEXT NOT NULL,
  provider TEXT NOT NULL, endpoint TEXT NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL,
  UNIQUE (token_id, project_id, model, provider, endpoint, status, error));
CREATE TABLE hourly ${SUMS};
CREATE TABLE daily ${SUMS};
CREATE TABLE totals ${SUMS};
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA journal_mode = WAL;
PRAGMA user_version = 1;
`

function makeVersion1(dataDir: string, rows: LedgerRow[]): void {
  const month = new Sqlite(join(dataDir, FILE))
  month.exec(VERSION_1)
  const series = month.prepare('INSERT OR IGNORE INTO series VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)')
  const insert = month.prepare(`INSERT INTO requests VALUES (${new Array(33).fill('?')})`)
  for (const [i, row] of rows.entries()) {
    const { usage } = row
    series.run(
      row.tokenId ?? '',
      'proj_1',
      row.model ?? '',
      row.provider ?? '',
      row.endpoint,
      row.status,
      row.error ?? '',
    )
    insert.run(
      ...[i + 1, row.at, 1, 1, row.status, row.latencyMs, row.costNanoUsd, row.error, row.model, row.requestId],
      ...[row.tokenId, row.projectId, row.method, row.endpoint, row.provider, row.servedModel, Number(row.stream)],
      ...[row.firstTokenMs, usage.inputTokens, usage.outputTokens, usage.cachedTokens, usage.cacheWriteTokens],
      ...[usage.reasoningTokens, usage.details && JSON.stringify(usage.details), usage.source, row.estimateReason],
      ...[row.priceSource, row.reservedNanoUsd, row.cache, JSON.stringify(row.attempts), JSON.stringify(row.changes)],
      ...[row.requestBytes, row.responseBytes],
    )
  }
  month.exec(`INSERT INTO open_requests VALUES ('req_open', ${NOON}, 'tok_1', 'proj_1', 'POST', '/v1/x', 'a', 'openai', 0, 1, 5, 'host:1');
    INSERT INTO meta VALUES ('moved', 17)`)
  month.close()
}

const someRows = (tokenId: string) =>
  Array.from({ length: 6_000 }, (_, i) =>
    aRow({
      at: NOON - 9 * DAY + i * 250_000,
      tokenId: i % 5 ? tokenId : null,
      model: i % 3 ? 'gpt-4o' : null,
      attempts:
        i % 7
          ? aRow().attempts
          : [...aRow().attempts, { ...aRow().attempts[0]!, outcome: 'failed', durationMs: i / 8 }],
      costNanoUsd: i % 4 ? BigInt(i) : null,
      status: i % 11 ? 200 : 502,
      error: i % 11 ? null : 'upstream_unreachable',
      latencyMs: i / 4,
      changes: i % 2 ? ['model'] : [],
    }),
  )

async function aStoreOfVersion1() {
  const dataDir = folder()
  const store = await openStore({ dataDir })
  const project = aProject()
  const token = aToken(project.id)
  await store.projects.create(project, [], aStamp())
  await store.tokens.create(token, aStamp())
  await store.close()
  const rows = someRows(token.id)
  makeVersion1(dataDir, rows)
  return { dataDir, rows, token }
}

describe('a month of the ledger that an older version wrote', () => {
  it('is brought forward at the start, with every row as it was, all sums, counts and what is open', async () => {
    const { dataDir, rows, token } = await aStoreOfVersion1()
    const logged: unknown[] = []
    const log = { info: (message: string, fields?: object) => void logged.push([message, fields]), warn() {} }
    const store = await openStore({ dataDir, log })
    expect(logged).toEqual([['a month of the ledger was brought to the form of this version', { month: '2026-11' }]])
    expect(await store.ledger.verify()).toEqual([])
    for (const i of [0, 7, 2_345, 5_999]) expect(await store.ledger.get(rows[i]!.requestId)).toEqual(rows[i])
    const { data } = await store.ledger.list({}, { limit: 6_000 })
    expect(data).toEqual(rows.toReversed())
    expect((await store.tokens.get(token.id))?.requestCount).toBe(4_800)
    expect((await store.ledger.openRequests()).map(({ requestId }) => requestId)).toEqual(['req_open'])
    const { totals } = await store.ledger.usage({ groupBy: ['token', 'model'], filter: {} })
    expect(totals.costNanoUsd).toBe(rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0n), 0n))
    await store.ledger.append(aBatch({ rows: [aRow()] }))
    await store.close()

    const month = new Sqlite(join(dataDir, FILE), { readonly: true })
    expect(month.prepare("SELECT value FROM meta WHERE name = 'moved'").pluck().get()).toBe(17)
    expect(month.prepare('SELECT max(seq) FROM requests').pluck().get()).toBe(6_001)
    expect(month.prepare("SELECT name FROM sqlite_schema WHERE name IN ('old', 'totals')").all()).toEqual([])
    month.close()
    const again = await openStore({ dataDir, log })
    expect(logged).toHaveLength(1)
    expect(await again.ledger.verify()).toEqual([])
    await again.close()
  })

  it('stays as it is when it cannot be brought forward: the rest works, and whoever reads it is told', async () => {
    const { dataDir, rows } = await aStoreOfVersion1()
    const month = new Sqlite(join(dataDir, FILE))
    month.exec('UPDATE requests SET attempts = substr(attempts, 2) WHERE seq = 5500')
    const logged: string[] = []
    const store = await openStore({ dataDir, log: { info() {}, warn: (message) => void logged.push(message) } })
    expect(logged).toContain('a month of the ledger cannot be read')
    await expectError(store.ledger.list({}, { limit: 1 }), 'unavailable', /ledger-2026-11\.db is of an older version/)
    const later = aRow({ at: NOON + 30 * DAY })
    await store.ledger.append(aBatch({ rows: [later] }))
    expect(await store.ledger.get(later.requestId)).toEqual(later)
    expect(month.prepare('SELECT count(*) FROM requests').pluck().get()).toBe(6_000)
    expect(month.pragma('user_version', { simple: true })).toBe(1)
    month.exec("UPDATE requests SET attempts = '[' || attempts WHERE seq = 5500")
    month.close()
    await store.close()
    const again = await openStore({ dataDir })
    expect(await again.ledger.get(rows[5_499]!.requestId)).toEqual(rows[5_499])
    await again.close()
  })

  it('is brought forward when it comes back from a backup while the gateway runs and is written to', async () => {
    const { dataDir, rows } = await aStoreOfVersion1()
    const backup = join(folder(), FILE)
    cpSync(join(dataDir, FILE), backup)
    const other = folder()
    const store = await openStore({ dataDir: other })
    cpSync(backup, join(other, FILE))
    await expectError(store.ledger.list({}, { limit: 1 }), 'unavailable', /start the gateway/)
    await store.ledger.append(aBatch({ rows: [aRow()] }))
    expect((await store.ledger.usage({ groupBy: [], filter: {} })).totals.requests).toBe(rows.length + 1)
    await store.close()
  })
})
