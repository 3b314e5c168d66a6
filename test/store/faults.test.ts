import { closeSync, mkdirSync, openSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openStore } from '../../src/store/open.ts'
import { type Connection, connect, connectReadOnly } from '../../src/store/sqlite/connect.ts'
import { createMonthFiles } from '../../src/store/sqlite/ledger/month-file.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { createSqliteStore } from '../../src/store/sqlite/store.ts'
import type { LedgerBatch, Store } from '../../src/store/store.ts'
import { expectError } from './contract.ts'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const MONTH = 'ledger-2026-11.db'

describe('a damaged database', () => {
  it('is refused with what to do when it is not a database at all', async () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, 'llm-proxy.db'), 'this is not a database. '.repeat(1000))
    await expectError(openStore({ dataDir }), 'corrupt', /llm-proxy\.db is damaged.*restore a backup/)
  })

  it('fails the reads that meet the damage and goes on with the rest', async () => {
    const dataDir = folder()
    await fill(dataDir)
    overwrite(join(dataDir, MONTH), 0.1, 0.9)
    const store = await openStore({ dataDir })
    await expectError(readEverything(store), 'corrupt', /is damaged/)
    const project = aProject()
    await store.projects.create(project, [], aStamp())
    expect(await store.projects.get(project.id)).toEqual(project)
    expect((await store.status()).engine).toBe('sqlite')
    await store.close()
  })

  it('of one month is named, and the other months are written and read', async () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, MONTH), 'this is not a database. '.repeat(1000))
    const store = await openStore({ dataDir })
    await expectError(append(store, aBatch({ rows: [aRow()] })), 'corrupt', /ledger-2026-11\.db is damaged/)
    await expectError(readEverything(store), 'corrupt', /ledger-2026-11\.db is damaged/)
    const later = aRow({ at: NOON + 30 * 86_400_000 })
    await append(store, aBatch({ rows: [later] }))
    expect(await store.ledger.get(later.requestId)).toEqual(later)
    await store.close()
  })

  it('of a newer version is refused by name', async () => {
    const dataDir = folder()
    await fill(dataDir)
    const newer = await connect(join(dataDir, MONTH))
    newer.pragma('user_version = 99')
    newer.close()
    const store = await openStore({ dataDir })
    await expectError(append(store, aBatch({ rows: [aRow()] })), 'newer_version', /ledger-2026-11\.db.*newer version/)
    await expectError(readEverything(store), 'newer_version')
    await store.close()
  })
})

describe('a database that cannot be written', () => {
  it('is refused when its folder cannot be made', async () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    await expectError(openStore({ dataDir: join(file, 'data') }), 'read_only', /must exist and be writable/)
    await expectError(openStore({ dataDir: file }), 'read_only', /must exist and be writable/)
  })

  it('is refused when a folder stands in its place', async () => {
    const dataDir = folder()
    mkdirSync(join(dataDir, 'llm-proxy.db'))
    await expectError(openStore({ dataDir }), 'read_only', /llm-proxy\.db cannot be opened/)
  })

  it('still answers reads and refuses changes', async () => {
    const dataDir = folder()
    const writer = await openStore({ dataDir })
    const project = aProject()
    await writer.projects.create(project, [], aStamp())
    const reader = createSqliteStore(connectReadOnly(join(dataDir, 'llm-proxy.db')))
    expect(await reader.projects.get(project.id)).toEqual(project)
    await expectError(reader.projects.delete(project.id, aStamp()), 'read_only', /writable/)
    await expectError(append(reader, aBatch({ rows: [aRow()] })), 'read_only')
    await reader.close()
    await writer.close()
  })

  it('reports itself as unusable once its file is gone', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    unlinkSync(join(dataDir, 'llm-proxy.db'))
    await expectError(store.status(), 'unavailable', /llm-proxy\.db cannot be used \(ENOENT\)/)
    await store.close()
  })
})

describe('a full disk', () => {
  it('refuses the batch whole and takes the next one as soon as there is space', async () => {
    const { store, limitLedger } = await openLimited()
    const project = aProject()
    const token = aToken(project.id, { maxRequests: 10 })
    await store.projects.create(project, [], aStamp())
    await store.tokens.create(token, aStamp())
    const batch = aBatch({
      rows: Array.from({ length: 200 }, () => aRow()),
      takes: [token.id],
      counts: new Map([[token.id, 3]]),
    })

    limitLedger(5)
    await expectError(append(store, batch), 'full', /disk .* is full.*nothing was written/)
    expect((await store.ledger.list({}, { limit: 1 })).data).toEqual([])
    expect(await store.tokens.get(token.id)).toEqual(token)

    limitLedger(1_000_000)
    expect(await append(store, batch)).toEqual([true])
    expect((await store.ledger.usage({ groupBy: [], filter: {} })).totals.requests).toBe(200)
    expect((await store.tokens.get(token.id))?.requestCount).toBe(4)
    await store.close()
  })

  it('leaves no project without its audit row', async () => {
    const { store, limitPages } = await openLimited()
    limitPages(1)
    const created: string[] = []
    const fillUp = async () => {
      for (;;) {
        const project = aProject({ metadata: { note: 'x'.repeat(3_000) } })
        await store.projects.create(project, [], aStamp('project.create', { targetId: project.id }))
        created.push(project.id)
      }
    }
    await expectError(fillUp(), 'full')
    const projects = await store.projects.list({ limit: 1_000 })
    const audited = await store.audit.list({ action: 'project.create' }, { limit: 1_000 })
    expect(projects.data.map(({ id }) => id)).toEqual(created.reverse())
    expect(audited.data.map(({ targetId }) => targetId)).toEqual(created)
    await store.close()
  })
})

describe('a database held by another process', () => {
  it('is reported as busy and written to again when it is free', async () => {
    const dataDir = folder()
    const connection = await connect(join(dataDir, 'x.db'))
    migrate(connection)
    const months = createMonthFiles(dataDir)
    months.writer('2026-11').connection.pragma('busy_timeout = 1')
    const store = createSqliteStore(connection, { months })
    const other = await connect(join(dataDir, MONTH))
    other.exec('BEGIN IMMEDIATE')
    await expectError(append(store, aBatch({ rows: [aRow()] })), 'busy', /held by another process/)
    expect((await store.ledger.list({}, { limit: 1 })).data).toEqual([])
    other.exec('ROLLBACK')
    expect(await append(store, aBatch({ rows: [aRow()] }))).toEqual([])
    other.close()
    await store.close()
  })
})

async function append(store: Store, batch: LedgerBatch): Promise<boolean[]> {
  return store.ledger.append(batch)
}

/** A store whose files may grow by so many pages, as on a disk that is almost full. */
async function openLimited() {
  const dataDir = folder()
  const connection = await connect(join(dataDir, 'x.db'))
  migrate(connection)
  const months = createMonthFiles(dataDir)
  const limit = (limited: Connection, spare: number) => {
    const pages = Number(limited.pragma('page_count', { simple: true }))
    limited.pragma(`max_page_count = ${pages + spare}`)
  }
  return {
    store: createSqliteStore(connection, { months }),
    limitPages: (spare: number) => limit(connection, spare),
    limitLedger: (spare: number) => limit(months.writer('2026-11').connection, spare),
  }
}

async function fill(dataDir: string): Promise<void> {
  const store = await openStore({ dataDir })
  await store.ledger.append(aBatch({ rows: Array.from({ length: 500 }, () => aRow()) }))
  await store.close()
}

async function readEverything(store: Store): Promise<void> {
  await store.ledger.list({}, { limit: 1_000 })
  await store.ledger.usage({ groupBy: ['model'], filter: {} })
}

/** Overwrites the part of the file between two fractions of its length. */
function overwrite(path: string, from: number, to: number): void {
  const { size } = statSync(path)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(Math.floor(size * (to - from)), 0xa5), 0, undefined, Math.floor(size * from))
  closeSync(file)
}
