import { join } from 'node:path'
import { connect } from './sqlite/connect.ts'
import { toStoreError } from './sqlite/errors.ts'
import * as sqlite from './sqlite/migrate.ts'
import { createSqliteStore } from './sqlite/store.ts'
import { type Store, StoreError, type StoreLog } from './store.ts'

export type { MigrationResult, MigrationStatus } from './sqlite/migrate.ts'

export type StoreOptions = {
  dataDir: string
  /** Where the database is; none: an SQLite file in `dataDir`. */
  url?: string | null
  log?: StoreLog
}

/** Opens the database, created when there is none and brought to the latest schema. Throws `StoreError`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const path = locate(options)
  const connection = connect(path)
  try {
    report(sqlite.migrate(connection), options)
    return createSqliteStore(connection, { log: options.log })
  } catch (error) {
    connection.close()
    throw toStoreError(error, path)
  }
}

/** Which migrations are applied and which wait. Changes nothing and creates nothing. Throws `StoreError`. */
export async function migrationStatus(options: StoreOptions): Promise<sqlite.MigrationStatus> {
  return sqlite.migrationStatus(locate(options))
}

/** Applies the migrations that wait, as `openStore` does. Throws `StoreError`. */
export async function migrateUp(options: StoreOptions): Promise<sqlite.MigrationResult> {
  const result = await sqlite.migrateUp(locate(options))
  report(result, options)
  return result
}

function locate({ dataDir, url }: StoreOptions): string {
  if (!url) return join(dataDir, 'llm-proxy.db')
  // Its scheme alone: the rest may hold a password.
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(url)?.[0] ?? 'this'
  throw new StoreError(
    'unavailable',
    `DATABASE_URL: "${scheme}" databases are not supported in this version, only the SQLite file in DATA_DIR is: remove DATABASE_URL.`,
  )
}

function report({ from, to, applied, backup }: sqlite.MigrationResult, { log }: StoreOptions): void {
  if (applied.length > 0) log?.info('database migrated', { from, to, backup })
}
