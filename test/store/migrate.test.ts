import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { migrateUp as migrateStoreUp, openStore, migrationStatus as storeStatus } from '../../src/store/open.ts'
import { migrateUp, migrationStatus } from '../../src/store/sqlite/migrate.ts'
import { expectError } from './contract.ts'
import { aProject, aStamp, aToken, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const OURS = join(import.meta.dirname, '../../migrations/sqlite')
const LATEST = readdirSync(OURS).filter((name) => name.endsWith('.sql')).length

describe('migrations', () => {
  it('bring a new database to the latest schema, without a backup', async () => {
    const dataDir = folder()
    expect(await storeStatus({ dataDir })).toMatchObject({ version: 0, latest: LATEST, unknown: 0 })
    expect(readdirSync(dataDir)).toEqual([])
    const result = await migrateStoreUp({ dataDir })
    expect(result).toMatchObject({ from: 0, to: LATEST, backup: null })
    expect(result.applied).toHaveLength(LATEST)
    const status = await storeStatus({ dataDir })
    expect(status.version).toBe(LATEST)
    expect(status.migrations).toEqual(result.applied.map((name) => ({ name, applied: true })))
  })

  it('change nothing the second time', async () => {
    const path = join(folder(), 'x.db')
    await migrateUp(path)
    expect(await migrateUp(path)).toEqual({ from: LATEST, to: LATEST, applied: [], backup: null })
  })

  it('copy an existing database before they change it', async () => {
    const path = join(folder(), 'x.db')
    await withDatabase(path)
    const migrations = oursAnd('ALTER TABLE projects ADD COLUMN colour TEXT')
    const { backup, from, to } = await migrateUp(path, { folder: migrations, now: () => NOON })
    expect({ backup, from, to }).toEqual({
      backup: `${path}.backup-v${LATEST}-20261121T120000000Z`,
      from: LATEST,
      to: LATEST + 1,
    })
    expect(statSync(String(backup)).mode & 0o777).toBe(0o600)
    expect(migrationStatus(String(backup)).version).toBe(LATEST)
    expect(columnsOf(String(backup))).not.toContain('colour')
    expect(columnsOf(path)).toContain('colour')
    expect(query(String(backup), 'SELECT count(*) FROM tokens')).toBe(1)
  })

  it('leave the database as it was when one of them fails', async () => {
    const path = join(folder(), 'x.db')
    await withDatabase(path)
    const migrations = oursAnd('ALTER TABLE projects ADD COLUMN colour TEXT', 'INSERT INTO nowhere VALUES (1)')
    await expectError(migrateUp(path, { folder: migrations }), 'unavailable')
    expect(migrationStatus(path).version).toBe(LATEST)
    expect(columnsOf(path)).not.toContain('colour')
  })

  it('keep the tokens of a project whose table is built anew', async () => {
    const path = join(folder(), 'x.db')
    await withDatabase(path)
    const rebuild = [
      'PRAGMA foreign_keys=OFF',
      'CREATE TABLE __new_projects AS SELECT * FROM projects',
      'DROP TABLE projects',
      'ALTER TABLE __new_projects RENAME TO projects',
      'CREATE UNIQUE INDEX projects_id_unique ON projects (id)',
      'PRAGMA foreign_keys=ON',
    ]
    await migrateUp(path, { folder: oursAnd(rebuild.join(';\n--> statement-breakpoint\n')) })
    expect(query(path, 'SELECT count(*) FROM tokens')).toBe(1)
  })

  it('are refused when they would leave tokens without a project', async () => {
    const path = join(folder(), 'x.db')
    await withDatabase(path)
    await expectError(
      migrateUp(path, { folder: oursAnd('DELETE FROM projects') }),
      'unavailable',
      /without their owner/,
    )
    expect(query(path, 'SELECT count(*) FROM projects')).toBe(1)
  })

  it('all arrive, once, when several processes start together', async () => {
    const dataDir = folder()
    const start = () => promisify(execFile)(process.execPath, [join(import.meta.dirname, 'open-and-close.ts'), dataDir])
    const outputs = await Promise.all([start(), start(), start()])
    expect(outputs.filter(({ stdout }) => stdout.includes('database migrated'))).toHaveLength(1)
    expect((await storeStatus({ dataDir })).version).toBe(LATEST)
    expect(readdirSync(dataDir).filter((name) => name.includes('backup'))).toEqual([])
  })

  it('refuse a database of a newer version, name the backup to restore, and do not touch the file', async () => {
    const dataDir = folder()
    const path = join(dataDir, 'llm-proxy.db')
    await withDatabase(path)
    const { backup } = await migrateUp(path, { folder: oursAnd('ALTER TABLE projects ADD COLUMN colour TEXT') })
    const before = readFileSync(path)
    const sentence = new RegExp(`newer version.*schema ${LATEST + 1}.*knows ${LATEST}.*restore.*${backup}`)
    await expectError(openStore({ dataDir }), 'newer_version', sentence)
    await expectError(migrateStoreUp({ dataDir }), 'newer_version')
    expect(await storeStatus({ dataDir })).toMatchObject({ version: LATEST + 1, latest: LATEST, unknown: 1 })
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('say what is damaged when asked for the status of a file that is no database', async () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, 'llm-proxy.db'), 'nonsense '.repeat(1_000))
    await expectError(storeStatus({ dataDir }), 'corrupt')
  })

  it('do not create a database when asked for the status', async () => {
    const dataDir = join(folder(), 'none')
    expect((await storeStatus({ dataDir })).migrations.every(({ applied }) => !applied)).toBe(true)
    expect(existsSync(dataDir)).toBe(false)
  })
})

/** A database of the current version with one project and its token. */
async function withDatabase(path: string): Promise<void> {
  const dataDir = folder()
  const store = await openStore({ dataDir })
  const project = aProject()
  await store.projects.create(project, [], aStamp())
  await store.tokens.create(aToken(project.id), aStamp())
  await store.close()
  cpSync(join(dataDir, 'llm-proxy.db'), path)
}

/** Our migrations and then these, as a later version of the program would bring them. */
function oursAnd(...later: string[]): string {
  const target = join(folder(), 'migrations')
  mkdirSync(target)
  cpSync(OURS, target, { recursive: true })
  const journalPath = join(target, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(journalPath, 'utf8'))
  const newest = Math.max(...journal.entries.map(({ when }: { when: number }) => when))
  for (const [index, sql] of later.entries()) {
    const tag = `later_${index}`
    writeFileSync(join(target, `${tag}.sql`), sql)
    journal.entries.push({ idx: LATEST + index, when: newest + 1 + index, tag, breakpoints: true })
  }
  writeFileSync(journalPath, JSON.stringify(journal))
  return target
}

function query(path: string, sql: string): unknown {
  const database = new Sqlite(path)
  try {
    return database.prepare(sql).pluck().get()
  } finally {
    database.close()
  }
}

function columnsOf(path: string): string[] {
  return String(query(path, "SELECT group_concat(name) FROM pragma_table_info('projects')")).split(',')
}
