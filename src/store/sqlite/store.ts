import { existsSync, statSync } from 'node:fs'
import type { Store } from '../store.ts'
import { createAuditStore } from './audit.ts'
import type { Connection } from './connect.ts'
import { createEngine } from './engine.ts'
import { createLedgerStore } from './ledger.ts'
import { createProjectStore } from './projects.ts'
import { createProviderKeyStore } from './provider-keys.ts'
import { createTokenStore } from './tokens.ts'

/** The store on a connection whose database has been migrated. It owns the connection from here on. */
export function createSqliteStore(connection: Connection): Store {
  const engine = createEngine(connection)
  const path = connection.name
  const schemaVersion = connection.prepare<[], number>('SELECT count(*) FROM __drizzle_migrations').pluck()
  return {
    projects: createProjectStore(engine),
    providerKeys: createProviderKeyStore(engine),
    tokens: createTokenStore(engine),
    ledger: createLedgerStore(engine),
    audit: createAuditStore(engine),
    revision: engine.revision,

    async status() {
      return engine.guard(() => ({
        engine: 'sqlite',
        location: path,
        schemaVersion: schemaVersion.get() ?? 0,
        sizeBytes: statSync(path).size + sizeOf(`${path}-wal`),
      }))
    },

    async close() {
      engine.guard(() => connection.close())
    },
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}
