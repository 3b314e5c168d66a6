import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StoreError } from '../store.ts'
import { type Connection, connect, connectReadOnly, createPrivateFile } from './connect.ts'
import { readMigrationFiles } from './drizzle.ts'
import { toStoreError } from './errors.ts'

export type MigrationStatus = {
  location: string
  /** Migrations applied; 0 when there is no database yet. */
  version: number
  /** Migrations that this version of the program knows. */
  latest: number
  migrations: { name: string; applied: boolean }[]
  /** Applied ones that this version does not know: a newer version wrote them. */
  unknown: number
}
export type MigrationResult = { from: number; to: number; applied: string[]; backup: string | null }
export type MigrateOptions = { folder?: string; now?: () => number }

const FOLDER = join(import.meta.dirname, '../../../migrations/sqlite')
/** Another process may be copying a large file before it migrates. */
const LOCK_TIMEOUT_MS = 10 * 60_000

/** What a migration would find at `path`; changes nothing, also when there is no file. Throws `StoreError`. */
export function migrationStatus(path: string, { folder = FOLDER }: MigrateOptions = {}): MigrationStatus {
  const known = readMigrations(folder)
  const applied = existsSync(path) ? readApplied(path) : new Set<number>()
  return {
    location: path,
    version: applied.size,
    latest: known.length,
    migrations: known.map(({ name, at }) => ({ name, applied: applied.has(at) })),
    unknown: unknownOf(applied, known).length,
  }
}

/** Brings the database at `path` (created when missing) to the latest version. Throws `StoreError`. */
export async function migrateUp(path: string, options?: MigrateOptions): Promise<MigrationResult> {
  const connection = connect(path)
  try {
    return migrate(connection, options)
  } finally {
    connection.close()
  }
}

/**
 * Applies what is missing in one transaction that other processes wait for; a database that has something in it is copied first,
 * to `<file>.backup-v<old version>-<time>`. Throws `StoreError`: `newer_version`, or why it failed, and then nothing has changed.
 */
export function migrate(
  connection: Connection,
  { folder = FOLDER, now = Date.now }: MigrateOptions = {},
): MigrationResult {
  const known = readMigrations(folder)
  const path = connection.name
  try {
    const applied = appliedTo(connection)
    refuseNewer(applied, known, path)
    if (applied.size === known.length) return { from: applied.size, to: applied.size, applied: [], backup: null }
    return alone(connection, () => apply(connection, known, now()))
  } catch (error) {
    throw toStoreError(error, path)
  }
}

type Migration = { name: string; at: number; hash: string; statements: string[] }

function apply(connection: Connection, known: Migration[], now: number): MigrationResult {
  // Asked again inside the lock: another process may have been faster.
  const applied = appliedTo(connection)
  refuseNewer(applied, known, connection.name)
  const pending = known.filter(({ at }) => !applied.has(at))
  const backup = pending.length > 0 && hasTables(connection) ? backUp(connection.name, applied.size, now) : null
  connection.exec(
    'CREATE TABLE IF NOT EXISTS __drizzle_migrations (id INTEGER PRIMARY KEY, hash TEXT NOT NULL, created_at NUMERIC)',
  )
  const note = connection.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
  for (const { at, hash, statements } of pending) {
    for (const statement of statements) connection.exec(statement)
    note.run(hash, at)
  }
  refuseOrphans(connection)
  return { from: applied.size, to: known.length, applied: pending.map(({ name }) => name), backup }
}

/** Runs `work` while every other process waits, with foreign keys off: dropping a table to rebuild it must not delete its children. */
function alone<T>(connection: Connection, work: () => T): T {
  const timeoutMs = connection.pragma('busy_timeout', { simple: true })
  connection.pragma(`busy_timeout = ${LOCK_TIMEOUT_MS}`)
  connection.pragma('foreign_keys = OFF')
  try {
    return connection.transaction(work).immediate()
  } finally {
    connection.pragma('foreign_keys = ON')
    connection.pragma(`busy_timeout = ${timeoutMs}`)
  }
}

/** Copies the file as it is before the lock's holder changes it. SQLite copies outside of a transaction only: hence a second connection. */
function backUp(path: string, version: number, now: number): string {
  const target = `${path}.backup-v${version}-${new Date(now).toISOString().replace(/[-:.]/g, '')}`
  const reader = connectReadOnly(path)
  try {
    createPrivateFile(target)
    reader.prepare('VACUUM INTO ?').run(target)
    return target
  } catch (error) {
    rmSync(target, { force: true })
    throw error
  } finally {
    reader.close()
  }
}

function refuseNewer(applied: Set<number>, known: Migration[], path: string): void {
  if (unknownOf(applied, known).length === 0) return
  const backup = newestBackup(path, known.length)
  throw new StoreError(
    'newer_version',
    `The database ${path} was written by a newer version of LLM Proxy (schema ${applied.size}, this version knows ${known.length}). ` +
      `Start the newer version, or restore a backup from before the upgrade${backup ? `: ${backup}` : ''}.`,
  )
}

function unknownOf(applied: Set<number>, known: Migration[]): number[] {
  return [...applied].filter((at) => !known.some((migration) => migration.at === at))
}

function refuseOrphans(connection: Connection): void {
  const orphans = connection.pragma('foreign_key_check') as unknown[]
  if (orphans.length > 0)
    throw new StoreError('unavailable', `The migration would leave ${orphans.length} rows without their owner.`)
}

/** The last copy that a program with `latest` migrations can open. */
function newestBackup(path: string, latest: number): string | null {
  const usable = readdirSync(dirname(path)).flatMap((name) => {
    const [, version, time] = /\.backup-v(\d+)-(\w+)$/.exec(name) ?? []
    return name.startsWith(`${basename(path)}.`) && time && Number(version) <= latest ? [{ name, time }] : []
  })
  const newest = usable.sort((a, b) => a.time.localeCompare(b.time)).at(-1)
  return newest ? join(dirname(path), newest.name) : null
}

function readApplied(path: string): Set<number> {
  const connection = connectReadOnly(path)
  try {
    return appliedTo(connection)
  } catch (error) {
    throw toStoreError(error, path)
  } finally {
    connection.close()
  }
}

/** A migration is known by the time of its making, as drizzle-kit writes it into its journal. */
function appliedTo(connection: Connection): Set<number> {
  const table = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = '__drizzle_migrations'").get()
  if (!table) return new Set()
  return new Set(connection.prepare('SELECT created_at FROM __drizzle_migrations').pluck().all().map(Number))
}

function hasTables(connection: Connection): boolean {
  return connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' LIMIT 1").get() !== undefined
}

function readMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as {
    entries: { tag: string }[]
  }
  const files = readMigrationFiles({ migrationsFolder: folder })
  return files.map(({ folderMillis, hash, sql }, index) => {
    const name = entries[index]?.tag ?? String(index)
    return { name, at: folderMillis, hash, statements: sql }
  })
}
