import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Store, StoreLog } from '../store.ts'
import { createAdminSessionStore } from './admin-sessions.ts'
import { createAdminUserStore } from './admin-users.ts'
import { createAlertStore } from './alerts.ts'
import { createAuditStore } from './audit.ts'
import { createBackups } from './backup.ts'
import { createBodies } from './bodies/bodies.ts'
import type { Connection } from './connect.ts'
import { createEngine } from './engine.ts'
import { createLedger } from './ledger/ledger.ts'
import type { MonthFiles } from './ledger/month-file.ts'
import { createPinStore } from './pins.ts'
import { createProjectStore } from './projects.ts'
import { createProviderKeyStore } from './provider-keys.ts'
import { createRouteStore } from './routes.ts'
import { createTokenStore } from './tokens.ts'

type Options = {
  log?: StoreLog
  /** For tests. */
  months?: MonthFiles
}

/**
 * The store on a connection whose database has been migrated. It owns the connection from here on. Finishes first what an earlier
 * run left undone. Throws `StoreError`.
 */
export function createSqliteStore(connection: Connection, { log, months }: Options = {}): Store {
  const engine = createEngine(connection)
  const ledger = createLedger(engine, months)
  ledger.recover(log)
  const path = connection.name
  const bodies = createBodies(dirname(path))
  const schemaVersion = connection.prepare<[], number>('SELECT count(*) FROM __drizzle_migrations').pluck()
  return {
    projects: createProjectStore(engine),
    providerKeys: createProviderKeyStore(engine),
    tokens: createTokenStore(engine, ledger.settleCounts),
    routes: createRouteStore(engine),
    ledger: ledger.store,
    bodies: bodies.store,
    audit: createAuditStore(engine),
    alerts: createAlertStore(engine),
    pins: createPinStore(engine),
    adminUsers: createAdminUserStore(engine),
    adminSessions: createAdminSessionStore(engine),
    backups: createBackups(path),
    revision: engine.revision,

    async status() {
      return engine.guard(() => {
        const bodyBytes = bodies.sizeBytes(sizeOf)
        return {
          engine: 'sqlite',
          location: path,
          schemaVersion: schemaVersion.get() ?? 0,
          sizeBytes: statSync(path).size + sizeOf(`${path}-wal`) + ledger.sizeBytes(sizeOf) + bodyBytes,
          bodyBytes,
        }
      })
    },

    async close() {
      await Promise.all([ledger.close(), bodies.close()])
      engine.guard(() => connection.close())
    },
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}
