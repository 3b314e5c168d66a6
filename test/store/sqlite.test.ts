import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openStore } from '../../src/store/open.ts'
import { type Connection, connect } from '../../src/store/sqlite/connect.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { createSqliteStore } from '../../src/store/sqlite/store.ts'
import { describeStore, expectError } from './contract.ts'
import { aProject, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

describeStore('SQLite', async () => {
  const dataDir = folder()
  const store = await openStore({ dataDir })
  return {
    store,
    another: () => openStore({ dataDir }),
    remove: () => store.close(),
  }
})

describe('the SQLite store', () => {
  it('creates its folder and files for their owner alone', async () => {
    const dataDir = join(folder(), 'new', 'data')
    const store = await openStore({ dataDir })
    const modeOf = (name: string) => statSync(join(dataDir, name)).mode & 0o777
    expect(modeOf('.')).toBe(0o700)
    expect(['llm-proxy.db', 'llm-proxy.db-wal', 'llm-proxy.db-shm'].map(modeOf)).toEqual([0o600, 0o600, 0o600])
    await store.close()
  })

  it('says where it is, how large it is and which schema it has', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const status = await store.status()
    expect(status).toMatchObject({ engine: 'sqlite', location: join(dataDir, 'llm-proxy.db') })
    expect(status.schemaVersion).toBeGreaterThan(0)
    expect(status.sizeBytes).toBeGreaterThan(10_000)
    await store.close()
  })

  it('refuses other databases in one sentence that keeps the password to itself', async () => {
    const opening = openStore({ dataDir: folder(), url: 'postgres://me:planted@db/x' })
    await expectError(opening, 'unavailable', /^(?!.*planted).*"postgres".*SQLite/)
  })

  it('works with WAL, NORMAL synchronisation, foreign keys and a busy timeout of 5 seconds', async () => {
    const connection = await connect(join(folder(), 'x.db'))
    const pragma = (name: string) => connection.pragma(name, { simple: true })
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('synchronous')).toBe(1)
    expect(pragma('foreign_keys')).toBe(1)
    expect(pragma('busy_timeout')).toBe(5_000)
    connection.close()
  })

  it('reads every page from an index, without sorting and without walking the table', async () => {
    const connection = await connect(join(folder(), 'x.db'))
    migrate(connection)
    const store = createSqliteStore(connection)
    const plans = recordPlans(connection)
    const page = { limit: 2, after: 'id' }
    await store.projects.list(page)
    await store.projects.findByName('x')
    await store.providerKeys.listByProject('x')
    await store.tokens.list({ now: NOON }, page)
    await store.tokens.list({ now: NOON, projectId: 'x', state: 'active', search: 'x' }, page)
    await store.tokens.list({ now: NOON, state: 'off', expiresBefore: NOON }, page)
    await store.tokens.countByProject()
    await store.tokens.findByHash('x')
    for (const filter of [{}, { action: 'x' }, { actor: 'x' }, { targetId: 'x' }, { projectId: 'x' }, { from: 1 }]) {
      await store.audit.list(filter, page)
    }
    expect(plans.length).toBeGreaterThan(11)
    expect(plans.filter((plan) => /TEMP B-TREE|SCAN \w+$/m.test(plan))).toEqual([])
    await store.close()
  })

  it('notices a change of any column of a token but its request counter and time of last use', async () => {
    const connection = await connect(join(folder(), 'x.db'))
    migrate(connection)
    const store = createSqliteStore(connection)
    const project = aProject()
    await store.projects.create(project, [], aStamp())
    await store.tokens.create(aToken(project.id), aStamp())
    const columns = connection.pragma('table_info(tokens)') as { name: string }[]
    const value = connection.prepare<[], number>('SELECT value FROM revision').pluck()
    const silent = columns.filter(({ name }) => {
      const before = value.get()
      connection.exec(`UPDATE tokens SET ${name} = ${name}`)
      return value.get() === before
    })
    expect(silent.map(({ name }) => name)).toEqual(['seq', 'request_count', 'last_used_at'])
    await store.close()
  })
})

/** How SQLite goes about each statement that is prepared from now on. */
function recordPlans(connection: Connection): string[] {
  const plans: string[] = []
  const prepare = connection.prepare.bind(connection)
  connection.prepare = ((source: string) => {
    const values = source.match(/\?/g)?.map(() => null) ?? []
    const steps = prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${source}`).all(values)
    plans.push([source, ...steps.map(({ detail }) => detail)].join('\n'))
    return prepare(source)
  }) as typeof connection.prepare
  return plans
}
