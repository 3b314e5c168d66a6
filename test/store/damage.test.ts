import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { openStore } from '../../src/store/open.ts'
import type { Drift, Store, StoreLog } from '../../src/store/store.ts'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const MONTH = 'ledger-2026-11.db'
const DAYS_30 = 30 * 86_400_000
const PAGE = 4096
const ROWS = 1_000

/** October and November with a thousand rows each, and a token that made them all; closed in order, and as a killed process leaves it. */
let whole: string
let killed: string
let tokenId: string
beforeAll(async () => {
  whole = folder()
  killed = folder()
  const store = await openStore({ dataDir: whole })
  const project = aProject()
  const token = aToken(project.id)
  tokenId = token.id
  await store.projects.create(project, [], aStamp())
  await store.tokens.create(token, aStamp())
  for (const from of [NOON - DAYS_30, NOON]) {
    for (let batch = 0; batch < 20; batch++) {
      const rows = Array.from({ length: ROWS / 20 }, (_, i) => aRow({ at: from + batch * 1_000_000 + i, tokenId }))
      await store.ledger.append(aBatch({ rows, counts: new Map([[tokenId, rows.length]]) }))
    }
  }
  await store.tokens.get(tokenId)
  cpSync(whole, killed, { recursive: true })
  await store.close()
})
afterAll(() => {
  for (const dataDir of [whole, killed]) rmSync(dataDir, { recursive: true, force: true })
})

type Hurt = (dataDir: string) => void
const sql =
  (text: string, file = MONTH): Hurt =>
  (dataDir) =>
    void new Sqlite(join(dataDir, file)).exec(text).close()
/** Overwrites the first page of a table, or the page at this share of the file. */
const page =
  (where: string | number): Hurt =>
  (dataDir) => {
    const path = join(dataDir, MONTH)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(PAGE, 0xa5), 0, PAGE, pageOf(path, where) * PAGE)
    closeSync(file)
  }
const pageOf = (path: string, where: string | number): number => {
  if (typeof where === 'number') return Math.floor((statSync(path).size / PAGE) * where)
  const month = new Sqlite(path, { readonly: true })
  const root = month.prepare<[string], number>('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(where)
  month.close()
  return root! - 1
}
const truncate =
  (share: number, file = MONTH): Hurt =>
  (dataDir) =>
    truncateSync(join(dataDir, file), Math.floor(statSync(join(dataDir, file)).size * share))
const write =
  (file: string, bytes: Buffer | string): Hurt =>
  (dataDir) =>
    writeFileSync(join(dataDir, file), bytes)
const remove =
  (file: string): Hurt =>
  (dataDir) => {
    for (const name of [file, file.replace('-wal', '-shm')]) rmSync(join(dataDir, name), { force: true })
  }

/** What the log heard, and what `verify` says, of a copy that was hurt. */
async function openHurt(hurt: Hurt, from = whole) {
  const dataDir = folder()
  cpSync(from, dataDir, { recursive: true })
  hurt(dataDir)
  const warned: string[] = []
  const log: StoreLog = { info() {}, warn: (message) => void warned.push(message) }
  const store = await openStore({ dataDir, log })
  return { dataDir, store, warned }
}
const count = async (store: Store, from: number, to: number) =>
  (await store.ledger.usage({ groupBy: [], filter: { from, to } })).totals.requests
const october = (store: Store) => count(store, Date.UTC(2026, 9, 1), Date.UTC(2026, 10, 1))
const november = (store: Store) => count(store, Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1))

/** The other months are read and written as ever. */
async function othersGoOn(store: Store): Promise<void> {
  expect(await october(store)).toBe(ROWS)
  const later = aRow({ at: NOON + DAYS_30 })
  await store.ledger.append(aBatch({ rows: [later] }))
  expect(await store.ledger.get(later.requestId)).toEqual(later)
}

const UNREADABLE: [string, Hurt, found: RegExp][] = [
  ['cut in half', truncate(0.5), /is damaged/],
  ['cut within its first page', truncate(0.001), /is damaged/],
  ['that is no database', write(MONTH, 'this is no database '.repeat(1_000)), /is damaged/],
  ['without its first page', page(0), /is damaged/],
  ['with a page of rows overwritten', page(0.6), /is damaged/],
  ['with the first page of its rows overwritten', page('requests'), /is damaged/],
  ['of a newer version', sql('PRAGMA user_version = 99'), /newer version/],
]

describe.each(UNREADABLE)('a month %s', (_what, hurt, found) => {
  it('is named by verify, cannot be mended without a backup, and is left as it is; the others go on', async () => {
    const { dataDir, store } = await openHurt(hurt)
    await othersGoOn(store)
    const drift: Drift = {
      month: '2026-11',
      table: 'file',
      key: MONTH,
      field: 'readable',
      expected: 'yes',
      found: expect.stringMatching(found) as unknown as string,
    }
    expect(await store.ledger.verify()).toEqual([drift])
    const files = readdirSync(dataDir).filter((name) => !/-(wal|shm)$/.test(name))
    expect(await store.ledger.repair()).toEqual([{ month: '2026-11', reason: expect.stringMatching(found) }])
    expect(readdirSync(dataDir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(files)
    expect(await store.ledger.verify()).toEqual([drift])
    await store.close()
  })
})

const MENDABLE: [string, Hurt, table: string, field?: string][] = [
  ['an hour gone', sql('DELETE FROM hourly WHERE id = (SELECT min(id) FROM hourly)'), 'hourly', 'requests'],
  ['sums that are wrong', sql('UPDATE totals SET cost_nano_usd = 7'), 'totals', 'cost_nano_usd'],
  ['a day too much', sql('INSERT INTO daily SELECT * FROM hourly LIMIT 1'), 'daily', 'requests'],
  ['histograms that are wrong', sql("UPDATE hourly SET latencies = '3:1 '"), 'hourly', 'latencies'],
  ['histograms that are none', sql("UPDATE daily SET first_tokens = 'garbage:'"), 'daily', 'first_tokens'],
  ['a page of requests that would lack some', sql('UPDATE totals SET min_seq = max_seq'), 'totals', 'min_seq'],
  ['the dearest rows out of sight', sql('UPDATE hourly SET max_cost_nano_usd = 0'), 'hourly', 'max_cost_nano_usd'],
  ['the slowest rows out of sight', sql('UPDATE hourly SET max_latency_ms = 0'), 'hourly', 'max_latency_ms'],
  ['rows that were changed', sql('UPDATE requests SET cost_nano_usd = 1 WHERE seq < 5'), 'hourly', 'cost_nano_usd'],
  ['a row that was deleted', sql('DELETE FROM requests WHERE seq = 5'), 'hourly', 'requests'],
  ['rows without a series', sql('DELETE FROM series'), 'series', 'names'],
  ['rows under another name', sql("UPDATE series SET model = 'another'"), 'series', 'names'],
  ['a reservation below nothing', sql(open('req_y', 5, -5)), 'open_requests', 'reserved_nano_usd'],
  ['a reservation that is none', sql(open('req_x', "'yesterday'", "'lots'")), 'open_requests', 'reserved_nano_usd'],
  ['damaged sums', page('hourly'), 'file'],
  ['damaged names', page('series'), 'file'],
  ['damaged reservations', page('open_requests'), 'file'],
  ['no sums at all', sql('DROP TABLE totals'), 'file'],
  ['no version', sql('PRAGMA user_version = 0'), 'file'],
]

function open(id: string, at: unknown, reserved: unknown): string {
  return `INSERT INTO open_requests VALUES ('${id}', ${at}, NULL, NULL, 'POST', '/v1/x', NULL, NULL, 1, 5, ${reserved}, 'host 1 2')`
}

describe.each(MENDABLE)('a month with %s', (_what, hurt, table, field = 'readable') => {
  it('is named by verify and mended by repair, with all of its rows; the others go on', async () => {
    const { dataDir, store } = await openHurt(hurt)
    await othersGoOn(store)
    expect(await store.ledger.verify()).toContainEqual(expect.objectContaining({ month: '2026-11', table, field }))
    const rows = new Sqlite(join(dataDir, MONTH), { readonly: true })
    const left = rows.prepare<[], number>('SELECT count(*) FROM requests').pluck().get()!
    rows.close()
    expect(await store.ledger.repair(['2026-11'])).toEqual([])
    expect(await store.ledger.verify()).toEqual([])
    expect([await october(store), await november(store)]).toEqual([ROWS, left])
    expect((await store.ledger.list({ model: 'gpt-4o' }, { limit: 10 })).data).toHaveLength(10)
    const more = aRow()
    await store.ledger.append(aBatch({ rows: [more] }))
    expect(await store.ledger.get(more.requestId)).toEqual(more)
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })
})

describe.each<[string, Hurt, string, gone: number]>([
  ['was emptied', (dataDir) => truncate(0)(dataDir), 'whole', ROWS],
  ['lost its -wal file', remove(`${MONTH}-wal`), 'killed', ROWS],
  ['has another -wal file', write(`${MONTH}-wal`, Buffer.alloc(50_000, 7)), 'killed', ROWS],
])('a month that %s', (_what, hurt, from, gone) => {
  it('is told of at the start, named by verify until it is repaired, and goes on counting from what is there', async () => {
    const { dataDir, store, warned } = await openHurt(hurt, from === 'whole' ? whole : killed)
    expect(warned).toEqual([expect.stringContaining('rows of the ledger are missing')])
    await othersGoOn(store)
    await store.ledger.append(aBatch({ rows: [aRow({ tokenId })], counts: new Map([[tokenId, 1]]) }))
    expect((await store.tokens.get(tokenId))!.requestCount).toBe(2 * ROWS + 1)
    const drift = { month: '2026-11', table: 'requests', field: 'rows', expected: String(gone), found: 'gone' }
    expect(await store.ledger.verify()).toEqual([{ ...drift, key: `rows 1 to ${gone}` }])
    await store.close()
    const again = await openStore({ dataDir })
    expect(await again.ledger.verify()).toEqual([{ ...drift, key: `rows 1 to ${gone}` }])
    expect(await again.ledger.repair()).toEqual([])
    expect(await again.ledger.verify()).toEqual([])
    expect(await november(again)).toBe(1)
    await again.close()
  })
})

it('a month whose file was deleted is no finding: that is how to be rid of one', async () => {
  const { store, warned } = await openHurt(remove(MONTH))
  await othersGoOn(store)
  expect([warned, await store.ledger.verify()]).toEqual([[], []])
  await store.close()
})

it('a request count below its rows is named by verify and raised by repair', async () => {
  const { store } = await openHurt(sql('UPDATE tokens SET request_count = 10', 'llm-proxy.db'))
  expect(await store.ledger.verify()).toMatchObject([{ month: null, table: 'tokens', key: tokenId, found: '10' }])
  await store.ledger.repair()
  expect([await store.ledger.verify(), (await store.tokens.get(tokenId))!.requestCount]).toEqual([[], 2 * ROWS])
  await store.close()
})

it('a row that cannot be what was written is named; the page it is on fails, and says which row it is', async () => {
  const { store } = await openHurt(sql("UPDATE requests SET attempts = 'none' WHERE seq = 7"))
  expect(await store.ledger.verify()).toMatchObject([{ table: 'requests', key: 'row 7', field: 'values' }])
  const [failed] = await store.ledger.repair()
  expect(failed!.reason).toMatch(/row of req_\w+ cannot be read/)
  const page = { from: NOON, to: NOON + 1_000 }
  await expect(store.ledger.list(page, { limit: 200 })).rejects.toMatchObject({
    kind: 'corrupt',
    message: failed!.reason,
  })
  expect((await store.ledger.list({ from: NOON + 1_000 }, { limit: 200 })).data).toHaveLength(200)
  await store.close()
})

it('repair does not replace the file of a month that somebody has open', async () => {
  const { dataDir, store } = await openHurt(page('hourly'))
  const gateway = new Sqlite(join(dataDir, MONTH))
  gateway.prepare('SELECT count(*) FROM requests').get()
  expect(await store.ledger.repair()).toEqual([
    { month: '2026-11', reason: expect.stringMatching(/in use: stop the gateway/) },
  ])
  gateway.close()
  expect(await store.ledger.repair()).toEqual([])
  expect(readdirSync(dataDir).some((name) => name.startsWith(`${MONTH}.damaged-`))).toBe(true)
  await store.close()
})
