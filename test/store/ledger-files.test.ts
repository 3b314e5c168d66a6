import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { openStore } from '../../src/store/open.ts'
import { connect } from '../../src/store/sqlite/connect.ts'
import { createMonthFiles } from '../../src/store/sqlite/ledger/month-file.ts'
import { createLedgerReader } from '../../src/store/sqlite/ledger/reader.ts'
import { migrate, migrateUp } from '../../src/store/sqlite/migrate.ts'
import { createSqliteStore } from '../../src/store/sqlite/store.ts'
import type { LedgerRow, Store } from '../../src/store/store.ts'
import { ledgerOf } from '../helpers/ledger-files.ts'
import { expectError } from './contract.ts'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const DAY = 86_400_000
const OURS = join(import.meta.dirname, '../../migrations/sqlite')

const count = (store: Store) => store.ledger.usage({ groupBy: [], filter: {} }).then(({ totals }) => totals.requests)
const everyId = (dataDir: string) =>
  ledgerOf(dataDir, (month) => month.prepare<[], string>('SELECT request_id FROM requests ORDER BY seq').pluck().all())

describe('the files of the ledger', () => {
  it('are one for each UTC month of the requests, for their owner alone, and part of the size', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const before = (await store.status()).sizeBytes
    const last = Date.UTC(2026, 11, 1) - 1
    await store.ledger.append(aBatch({ rows: [last, last + 1, last - 40 * DAY].map((at) => aRow({ at })) }))
    const names = readdirSync(dataDir).filter((name) => /^ledger-.*\.db$/.test(name))
    expect(names).toEqual(['ledger-2026-10.db', 'ledger-2026-11.db', 'ledger-2026-12.db'])
    for (const name of names) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
    expect((await store.status()).sizeBytes).toBeGreaterThan(before + 3 * 20_000)
    await store.close()
  })

  it('are not held open for ever: at most three at once', async () => {
    const dataDir = folder()
    const months = createMonthFiles(dataDir)
    const first = months.writer('2026-01').connection
    for (const month of ['2026-02', '2026-03', '2026-04']) months.writer(month)
    expect(first.open).toBe(false)
    expect(months.writer('2026-01').connection.open).toBe(true)
    months.close()
  })

  it('are all written or none when one batch spans two months and the second cannot be written', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const project = aProject()
    const token = aToken(project.id)
    await store.projects.create(project, [], aStamp())
    await store.tokens.create(token, aStamp())
    const broken = join(dataDir, 'ledger-2026-12.db')
    mkdirSync(broken)
    const rows = [NOON, NOON + 30 * DAY].map((at) => aRow({ at, tokenId: token.id }))
    const batch = aBatch({ rows, counts: new Map([[token.id, 2]]) })
    await expectError((async () => store.ledger.append(batch))(), 'read_only', /ledger-2026-12/)
    rmSync(broken, { recursive: true })
    await store.ledger.append(batch)
    expect(everyId(dataDir)).toEqual(rows.map(({ requestId }) => requestId))
    expect((await store.tokens.get(token.id))?.requestCount).toBe(2)
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })
})

describe('a batch whose takes cannot be written', () => {
  it('comes again whole', async () => {
    const { dataDir, store, token } = await withToken()
    const main = new Sqlite(join(dataDir, 'llm-proxy.db'))
    main.exec("CREATE TRIGGER refuse BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'refused'); END")
    const batch = aBatch({ rows: [aRow()], takes: [token.id] })
    await expect((async () => store.ledger.append(batch))()).rejects.toThrow()
    expect(await count(store)).toBe(0)
    main.exec('DROP TRIGGER refuse')
    main.close()
    expect(await store.ledger.append(batch)).toEqual([true])
    expect(await count(store)).toBe(1)
    await store.close()
  })
})

describe('request counts', () => {
  it('are exact after a process was killed before it wrote them, and are not counted twice', async () => {
    const { dataDir, store, token } = await withToken()
    const rows = Array.from({ length: 5 }, () => aRow({ tokenId: token.id }))
    await store.ledger.append(aBatch({ rows, counts: new Map([[token.id, 4]]) }))
    const killed = folder()
    cpSync(dataDir, killed, { recursive: true })
    for (let start = 0; start < 2; start++) {
      const again = await openStore({ dataDir: killed })
      expect(await again.tokens.get(token.id)).toMatchObject({ requestCount: 4, lastUsedAt: NOON })
      await again.close()
    }
    await store.close()
    const after = await openStore({ dataDir })
    expect((await after.tokens.get(token.id))?.requestCount).toBe(4)
    await after.close()
  })

  it('are exact when two processes write to the same month', async () => {
    const { dataDir, store, token } = await withToken()
    const other = await openStore({ dataDir })
    for (let i = 0; i < 10; i++) {
      const batch = () => aBatch({ rows: [aRow({ tokenId: token.id })], counts: new Map([[token.id, 1]]) })
      await store.ledger.append(batch())
      await other.ledger.append(batch())
      if (i === 4) await store.tokens.get(token.id)
    }
    await other.tokens.get(token.id)
    expect((await store.tokens.get(token.id))?.requestCount).toBe(20)
    expect(await count(store)).toBe(20)
    expect(await store.ledger.verify()).toEqual([])
    await other.close()
    await store.close()
  })

  it('hold for a token that is given max_requests while some still wait', async () => {
    const { store, token } = await withToken()
    const rows = [aRow({ tokenId: token.id }), aRow({ tokenId: token.id })]
    await store.ledger.append(aBatch({ rows, counts: new Map([[token.id, 2]]) }))
    await store.tokens.update(token.id, { maxRequests: 3 }, NOON, aStamp())
    expect(await store.ledger.append(aBatch({ takes: [token.id, token.id] }))).toEqual([true, false])
    await store.close()
  })
})

describe('a month that was put back from an older copy', () => {
  it('goes on counting from where the copy ends', async () => {
    const { dataDir, store, token } = await withToken()
    const batch = () => aBatch({ rows: [aRow({ tokenId: token.id })], counts: new Map([[token.id, 1]]) })
    await store.ledger.append(batch())
    await store.close()
    const file = join(dataDir, 'ledger-2026-11.db')
    cpSync(file, `${file}.copy`)
    const second = await openStore({ dataDir })
    for (let i = 0; i < 3; i++) await second.ledger.append(batch())
    await second.close()
    cpSync(`${file}.copy`, file)
    const third = await openStore({ dataDir })
    await third.ledger.append(batch())
    expect((await third.tokens.get(token.id))?.requestCount).toBe(5)
    expect(await count(third)).toBe(2)
    await third.close()
  })
})

describe('a database from before the ledger had files of its own', () => {
  it('is copied, and its rows go to their months with rollups, once, also when it is interrupted', async () => {
    const dataDir = folder()
    const path = join(dataDir, 'llm-proxy.db')
    const rows = Array.from({ length: 5_100 }, (_, i) => aRow({ at: NOON + i * 1_000_000 }))
    await migrateUp(path, { folder: before0003() })
    fill(path, rows)

    // The first batch reached its months, and then the process died.
    const connection = await connect(path)
    migrate(connection)
    const months = createMonthFiles(dataDir)
    const writer = months.writer('2026-12')
    const ofDecember = rows
      .slice(0, 5_000)
      .flatMap((row, i) => (new Date(row.at).getUTCMonth() === 11 ? [{ row, seq: i + 1 }] : []))
    writer.write({
      rows: ofDecember.map(({ row }) => row),
      counts: [],
      opens: [],
      moved: ofDecember.at(-1)!.seq,
    })
    months.close()
    connection.close()

    const logged: unknown[] = []
    const store = await openStore({ dataDir, log: { info: (_message, fields) => logged.push(fields), warn() {} } })
    expect(logged).toContainEqual({ rows: 5_100 })
    expect(new Set(everyId(dataDir)).size).toBe(5_100)
    expect(everyId(dataDir)).toHaveLength(5_100)
    expect(await count(store)).toBe(5_100)
    expect(await store.ledger.get(rows[4_000]!.requestId)).toEqual(rows[4_000])
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
    expect(query(path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%requests%'")).toBe(0)
    const backup = readdirSync(dataDir).find((name) => name.includes('.backup-v3-'))
    expect(query(join(dataDir, String(backup)), 'SELECT count(*) FROM requests')).toBe(5_100)
  })
})

describe('verify', () => {
  it('finds rollups that do not add up, and repair builds them anew', async () => {
    const { dataDir, store, token } = await withToken()
    await store.ledger.append(aBatch({ rows: [aRow({ tokenId: token.id })], counts: new Map([[token.id, 1]]) }))
    await store.ledger.verify()
    const month = new Sqlite(join(dataDir, 'ledger-2026-11.db'))
    month.exec('UPDATE hourly SET cost_nano_usd = cost_nano_usd + 1; DELETE FROM daily')
    month.close()
    new Sqlite(join(dataDir, 'llm-proxy.db')).exec('UPDATE tokens SET request_count = 0').close()
    const drifts = await store.ledger.verify()
    expect(drifts).toContainEqual(
      expect.objectContaining({ table: 'hourly', field: 'cost_nano_usd', expected: '1500', found: '1501' }),
    )
    expect(drifts).toContainEqual(
      expect.objectContaining({ month: '2026-11', table: 'daily', field: 'requests', found: '0' }),
    )
    expect(drifts).toContainEqual(expect.objectContaining({ month: null, table: 'tokens', key: token.id, found: '0' }))
    await store.ledger.repair(['2026-10'])
    expect(await store.ledger.verify()).toEqual(drifts.filter(({ table }) => table !== 'tokens'))
    await store.ledger.repair()
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })
})

describe('the reader', () => {
  it('gives a query up that takes too long, and answers the next one', async () => {
    const { dataDir, store } = await withToken()
    await store.ledger.append(aBatch({ rows: [aRow()] }))
    const reader = createLedgerReader(dataDir, join(dataDir, 'llm-proxy.db'), { queryMs: 1 })
    const first = reader.ask('usage', { groupBy: [], filter: {} })
    await expectError(first, 'unavailable', /more than 0.001 seconds/)
    await reader.close()
    await expectError(reader.ask('get', 'x'), 'unavailable')
    await store.close()
  })

  it('has a bound on what may wait', async () => {
    const { dataDir, store } = await withToken()
    const reader = createLedgerReader(dataDir, join(dataDir, 'llm-proxy.db'))
    const asked = Array.from({ length: 250 }, () => reader.ask('get', 'x').catch((error) => error.kind))
    const answers = await Promise.all(asked)
    expect(answers.filter((answer) => answer === 'busy')).toHaveLength(49)
    expect(answers.filter((answer) => answer === null)).toHaveLength(201)
    await reader.close()
    await store.close()
  })
})

async function withToken() {
  const dataDir = folder()
  const connection = await connect(join(dataDir, 'llm-proxy.db'))
  migrate(connection)
  const store = createSqliteStore(connection)
  const project = aProject()
  const token = aToken(project.id)
  await store.projects.create(project, [], aStamp())
  await store.tokens.create(token, aStamp())
  return { dataDir, store, token }
}

/** The migrations of the version before. */
function before0003(): string {
  const target = join(folder(), 'migrations')
  cpSync(OURS, target, { recursive: true })
  const journalPath = join(target, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(journalPath, 'utf8'))
  journal.entries = journal.entries.slice(0, 3)
  writeFileSync(journalPath, JSON.stringify(journal))
  expect(existsSync(journalPath)).toBe(true)
  return target
}

function fill(path: string, rows: LedgerRow[]): void {
  const database = new Sqlite(path)
  const insert = database.prepare(
    `INSERT INTO requests (request_id, at, token_id, project_id, method, endpoint, model, provider, served_model, attempts, status,
       stream, latency_ms, first_token_ms, input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
       usage_details, usage_source, cost_nano_usd, price_source, reserved_nano_usd, cache, changes, request_bytes, response_bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const all = database.transaction(() => {
    for (const row of rows) {
      const { usage } = row
      insert.run(
        ...[row.requestId, row.at, row.tokenId, row.projectId, row.method, row.endpoint, row.model, row.provider],
        ...[
          row.servedModel,
          JSON.stringify(row.attempts),
          row.status,
          Number(row.stream),
          row.latencyMs,
          row.firstTokenMs,
        ],
        ...[usage.inputTokens, usage.outputTokens, usage.cachedTokens, usage.cacheWriteTokens, usage.reasoningTokens],
        ...[
          JSON.stringify(usage.details),
          usage.source,
          row.costNanoUsd,
          row.priceSource,
          row.reservedNanoUsd,
          row.cache,
        ],
        ...[JSON.stringify(row.changes), row.requestBytes, row.responseBytes],
      )
    }
  })
  all()
  database.close()
}

function query(path: string, sql: string): unknown {
  const database = new Sqlite(path, { readonly: true })
  try {
    return database.prepare(sql).pluck().get()
  } finally {
    database.close()
  }
}
