import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { connect } from '../../src/store/sqlite/connect.ts'
import { createMonthFiles, type MonthFiles } from '../../src/store/sqlite/ledger/month-file.ts'
import { createQueries } from '../../src/store/sqlite/ledger/queries.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { createSqliteStore } from '../../src/store/sqlite/store.ts'
import type { LedgerRow, Store, UsageFilter, UsageGroup } from '../../src/store/store.ts'
import { spawnProgram } from '../helpers/child.ts'
import { expectError } from './contract.ts'
import { aBatch, aRow, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const HOUR = 3_600_000
const MONTH = '2026-11'
const FILE = `ledger-${MONTH}.db`
const ALWAYS = { from: 0, to: Date.UTC(2100, 0, 1) }
const LEVELS = ['hourly', 'daily', 'callers', 'kinds', 'project_kinds']

/** Between them these read every kind of sums. */
const REPORTS: [groupBy: UsageGroup[], filter: UsageFilter][] = [
  [[], {}],
  [['hour'], {}],
  [['day', 'model'], {}],
  [['token'], {}],
  [['hour', 'token'], { projectId: 'proj_1' }],
  [['token', 'model'], {}],
  [['hour', 'token', 'status'], {}],
  [['hour', 'model'], { projectId: 'proj_2' }],
  [['project'], { from: NOON - 30 * HOUR - 1, to: NOON + 31 * HOUR + 1 }],
  [['day'], { tokenId: 'tok_1', model: 'a', from: NOON - 40 * HOUR - 1 }],
]

type Open = { dataDir: string; store: Store; months: MonthFiles }

async function open(dataDir: string): Promise<Open> {
  const connection = connect(join(dataDir, 'llm-proxy.db'))
  migrate(connection)
  const months = createMonthFiles(dataDir)
  return { dataDir, months, store: createSqliteStore(connection, { months }) }
}

/** The lines of a report: keys, requests, cost and tokens. */
const linesOf = (dataDir: string, groupBy: UsageGroup[], filter: UsageFilter): string[] =>
  createQueries(dataDir, join(dataDir, 'llm-proxy.db'))
    .usage({ groupBy, filter })
    .rows.map(({ keys, ...sums }) => JSON.stringify([keys, sums.requests, `${sums.costNanoUsd}`, sums.inputTokens]))
    .sort()

/** The same by the rows themselves. */
function linesBy(rows: LedgerRow[], groupBy: UsageGroup[], filter: UsageFilter): string[] {
  const { from = 0, to = ALWAYS.to, projectId, tokenId, model } = filter
  const inside = rows.filter(
    (row) =>
      row.at >= from &&
      row.at < to &&
      (projectId === undefined || row.projectId === projectId) &&
      (tokenId === undefined || row.tokenId === tokenId) &&
      (model === undefined || row.model === model),
  )
  const keyOf = (row: LedgerRow, group: UsageGroup) => {
    const iso = new Date(row.at).toISOString()
    const keys: Partial<Record<UsageGroup, string | null>> = {
      hour: `${iso.slice(0, 13)}:00:00Z`,
      day: iso.slice(0, 10),
      token: row.tokenId,
      project: row.projectId,
      model: row.model,
      status: row.status === 499 ? '499' : `${Math.floor(row.status / 100)}xx`,
    }
    return keys[group]!
  }
  const groups = Map.groupBy(inside, (row) => JSON.stringify(groupBy.map((group) => keyOf(row, group))))
  return [...groups]
    .map(([keys, list]) => {
      const cost = list.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0n), 0n)
      const tokens = list.reduce((sum, { usage }) => sum + usage.inputTokens, 0)
      return JSON.stringify([JSON.parse(keys), list.length, `${cost}`, tokens])
    })
    .sort()
}

function expectEveryReport(dataDir: string, rows: LedgerRow[]): void {
  for (const [groupBy, filter] of REPORTS)
    expect([groupBy, linesOf(dataDir, groupBy, filter)]).toEqual([groupBy, linesBy(rows, groupBy, filter)])
}

/** The last row that is in all sums, and the last row there is. */
function positions(dataDir: string): { applied: number; last: number } {
  const month = new Sqlite(join(dataDir, FILE), { readonly: true })
  const one = (sql: string) => Number(month.prepare(sql).pluck().get() ?? 0)
  const found = {
    applied: one("SELECT value FROM meta WHERE name = 'applied'"),
    last: one('SELECT max(seq) FROM requests'),
  }
  month.close()
  return found
}

const someRows = fc.array(
  fc
    .record({
      at: fc.constantFrom(-49, -24, -12.5, 0, 0.5, 1, 31).map((hours) => NOON + hours * HOUR),
      tokenId: fc.constantFrom('tok_1', 'tok_2', null),
      projectId: fc.constantFrom('proj_1', 'proj_2'),
      model: fc.constantFrom('a', 'b', null),
      status: fc.constantFrom(200, 499, 500),
      costNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 13n }), { nil: null }),
    })
    .map((fields) => aRow(fields)),
  { minLength: 1, maxLength: 40 },
)
/** One writes more than the other, so that what it keeps in memory is used. */
const who = fc.constantFrom(0, 0, 0, 0, 0, 1)
const anAppend = fc.record({ what: fc.constant('append' as const), who, rows: someRows, follows: fc.boolean() })
const aReprice = fc.record({ what: fc.constant('reprice' as const), who, cost: fc.bigInt(0n, 10n ** 6n) })
const another = fc.record({ what: fc.constantFrom('reopen' as const, 'crash' as const, 'repair' as const), who })
const aStep = fc.oneof(
  { weight: 6, arbitrary: anAppend },
  { weight: 1, arbitrary: aReprice },
  { weight: 1, arbitrary: another },
)

describe('sums that follow their rows later', () => {
  it('never show in a report: each says what the rows say, whoever writes, prices anew, dies or repairs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 2, maxLength: 14, size: 'max' }), async (steps) => {
        let dataDir = folder()
        let opened = [await open(dataDir), await open(dataDir)]
        let rows: LedgerRow[] = []
        for (const step of steps) {
          const one = opened[step.who]!
          if (step.what === 'append') {
            await one.store.ledger.append(aBatch({ rows: step.rows }))
            rows.push(...step.rows)
            if (step.follows) one.months.writer(MONTH).follow()
          } else if (step.what === 'repair') await one.store.ledger.repair()
          else if (step.what === 'reprice') {
            const { cost } = step
            await one.store.ledger.reprice(ALWAYS, ({ model }) =>
              model === 'a' ? { costNanoUsd: cost, priceSource: 'config' } : null,
            )
            rows = rows.map((row) => (row.model === 'a' ? { ...row, costNanoUsd: cost } : row))
          } else if (step.what === 'reopen') {
            await one.store.close()
            opened[step.who] = await open(dataDir)
          } else {
            // As the files are when both are killed now.
            const killed = folder()
            cpSync(dataDir, killed, { recursive: true })
            for (const { store } of opened) await store.close()
            dataDir = killed
            opened = [await open(dataDir), await open(dataDir)]
          }
          expectEveryReport(dataDir, rows)
        }
        expect(await opened[0]!.store.ledger.verify()).toEqual([])
        for (const { store } of opened) await store.close()
        expectEveryReport(dataDir, rows)
        const last = await open(dataDir)
        expect(await last.store.ledger.verify()).toEqual([])
        await last.store.close()
      }),
      { numRuns: 15, endOnFailure: true },
    )
  })

  it('hold each row once after a process was killed between the row and the sums', async () => {
    const dataDir = folder()
    const script = join(import.meta.dirname, 'append-and-die.ts')
    const child = spawnProgram(process.execPath, [script, dataDir, '300'], {})
    expect((await child.exited).signal).toBe('SIGKILL')
    expect(positions(dataDir)).toEqual({ applied: 0, last: 300 })
    const rows = Array.from({ length: 300 }, (_, i) =>
      aRow({ at: NOON + i, tokenId: `tok_${i % 3}`, costNanoUsd: BigInt(i) }),
    )
    expectEveryReport(dataDir, rows)

    const again = await open(dataDir)
    expect(await again.store.ledger.verify()).toEqual([])
    const row = aRow()
    await again.store.ledger.append(aBatch({ rows: [row] }))
    await again.store.close()
    expect(positions(dataDir)).toEqual({ applied: 301, last: 301 })
    expectEveryReport(dataDir, [...rows, row])
    const last = await open(dataDir)
    expect(await last.store.ledger.verify()).toEqual([])
    await last.store.close()
  })

  it('take in what another process wrote between ours, once', async () => {
    const dataDir = folder()
    const [one, other] = [await open(dataDir), await open(dataDir)]
    const rows = Array.from({ length: 40 }, (_, i) => aRow({ costNanoUsd: BigInt(i), at: NOON + i * HOUR }))
    for (const [i, row] of rows.entries()) {
      await (i % 2 ? one : other).store.ledger.append(aBatch({ rows: [row] }))
      if (i % 7 === 0) one.months.writer(MONTH).follow()
      if (i % 11 === 0) other.months.writer(MONTH).follow()
    }
    other.months.writer(MONTH).follow()
    expect(positions(dataDir)).toEqual({ applied: 40, last: 40 })
    expectEveryReport(dataDir, rows)
    expect(await one.store.ledger.verify()).toEqual([])
    for (const { store } of [one, other]) await store.close()
  })

  it('have the new cost of a row that was priced anew before they took it in', async () => {
    const dataDir = folder()
    const [one, other] = [await open(dataDir), await open(dataDir)]
    await one.store.ledger.append(aBatch({ rows: [aRow({ costNanoUsd: null })] }))
    one.months.writer(MONTH).follow()
    await one.store.ledger.append(aBatch({ rows: [aRow({ costNanoUsd: 5n })] }))
    await other.store.ledger.reprice(ALWAYS, () => ({ costNanoUsd: 7n, priceSource: 'config' }))
    expect(positions(dataDir)).toEqual({ applied: 1, last: 2 })
    expect(await other.store.ledger.verify()).toEqual([])
    one.months.writer(MONTH).follow()
    expect(positions(dataDir)).toEqual({ applied: 2, last: 2 })
    expect(await other.store.ledger.verify()).toEqual([])
    expect(linesOf(dataDir, ['token', 'model'], {})).toEqual([JSON.stringify([['tok_1', 'gpt-4o'], 2, '14', 20])])
    for (const { store } of [one, other]) await store.close()
  })

  it('do not wait for long when many different ones wait, or many rows that nobody knows', async () => {
    const { store, months, dataDir } = await open(folder())
    const append = async (first: number, count: number) => {
      const rows = Array.from({ length: count }, (_, i) => aRow({ tokenId: `tok_${first + i}` }))
      await store.ledger.append(aBatch({ rows }))
    }
    for (let i = 0; i < 11; i++) await append(0, 100)
    expect(positions(dataDir)).toEqual({ applied: 1_000, last: 1_100 })
    months.writer(MONTH).follow()
    for (let i = 0; i < 6; i++) await append(i * 90, 90)
    expect(positions(dataDir)).toEqual({ applied: 1_640, last: 1_640 })
    await store.close()
  })

  it('wait on when they cannot be written, and the rows are safe', async () => {
    const { store, months, dataDir } = await open(folder())
    const rows = [aRow(), aRow()]
    for (const row of rows) {
      await store.ledger.append(aBatch({ rows: [row] }))
      const { connection, follow } = months.writer(MONTH)
      connection.pragma('busy_timeout = 1')
      const month = new Sqlite(join(dataDir, FILE))
      month.exec('BEGIN IMMEDIATE')
      follow()
      month.exec('ROLLBACK')
      month.close()
    }
    expect(positions(dataDir)).toEqual({ applied: 0, last: 2 })
    expectEveryReport(dataDir, rows)
    months.writer(MONTH).follow()
    expect(positions(dataDir)).toEqual({ applied: 2, last: 2 })
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })
})

describe('damage', () => {
  it.each(LEVELS)('to %s is found, and repaired, with rows still waiting', async (table) => {
    const { store, months, dataDir } = await open(folder())
    const rows = Array.from({ length: 20 }, (_, i) => aRow({ tokenId: `tok_${i % 3}`, at: NOON + i * HOUR }))
    await store.ledger.append(aBatch({ rows: rows.slice(0, 15) }))
    months.writer(MONTH).follow()
    await store.ledger.append(aBatch({ rows: rows.slice(15) }))
    expect(await store.ledger.verify()).toEqual([])

    const month = new Sqlite(join(dataDir, FILE))
    month.exec(`UPDATE ${table} SET input_tokens = input_tokens + 1 WHERE id = (SELECT min(id) FROM ${table})`)
    const changed = await store.ledger.verify()
    expect(changed.map((drift) => [drift.table, drift.field])).toEqual([
      [table, 'input_tokens'],
      [table, 'input_tokens'],
    ])
    month.exec(`DELETE FROM ${table} WHERE id = (SELECT max(id) FROM ${table})`)
    expect((await store.ledger.verify()).length).toBeGreaterThan(2)
    month.close()

    await store.ledger.repair()
    expect(await store.ledger.verify()).toEqual([])
    const late = aRow({ at: NOON })
    await store.ledger.append(aBatch({ rows: [late] }))
    expectEveryReport(dataDir, [...rows, late])
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })

  it('to the pages of sums that follow later ends writing, and says which file', async () => {
    const first = await open(folder())
    await first.store.ledger.append(aBatch({ rows: [aRow()] }))
    await first.store.close()
    const path = join(first.dataDir, FILE)
    const month = new Sqlite(path, { readonly: true })
    const page = Number(month.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'daily'").pluck().get())
    const size = Number(month.pragma('page_size', { simple: true }))
    month.close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, (page - 1) * size, page * size)
    writeFileSync(path, bytes)

    const { store, months, dataDir } = await open(first.dataDir)
    await store.ledger.append(aBatch({ rows: [aRow()] }))
    months.writer(MONTH).follow()
    expect(positions(dataDir)).toEqual({ applied: 1, last: 2 })
    const next = (async () => store.ledger.append(aBatch({ rows: [aRow()] })))()
    await expectError(next, 'corrupt', /ledger-2026-11\.db is damaged/)
    await store.close()
  })

  it('to their table ends writing until it is mended', async () => {
    const { store, months, dataDir } = await open(folder())
    const rows = [aRow(), aRow(), aRow()]
    await store.ledger.append(aBatch({ rows: [rows[0]!] }))
    months.writer(MONTH).follow()
    const month = new Sqlite(join(dataDir, FILE))
    month.exec('ALTER TABLE kinds RENAME TO elsewhere')
    await store.ledger.append(aBatch({ rows: [rows[1]!] }))
    months.writer(MONTH).follow()
    for (let i = 0; i < 2; i++)
      await expectError((async () => store.ledger.append(aBatch({ rows: [rows[2]!] })))(), 'unavailable')
    month.exec('ALTER TABLE elsewhere RENAME TO kinds')
    month.close()
    await store.ledger.append(aBatch({ rows: [rows[2]!] }))
    expectEveryReport(dataDir, rows)
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })
})
