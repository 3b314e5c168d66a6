import type { AuditEntry, AuditStamp, AuditStore } from '../store.ts'
import { and, eq, getTableColumns, gte, lt } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { auditLog } from './schema.ts'

const { seq, ...columns } = getTableColumns(auditLog)
const listed = { id: auditLog.id, at: auditLog.at, seq }

export function createAuditStore(engine: Engine): AuditStore {
  const { db, read, write } = engine
  return {
    async append(entry) {
      write(() => insertEntry(engine, entry))
    },

    async list({ from, to, ...exact }, page) {
      const where = and(
        exact.action === undefined ? undefined : eq(auditLog.action, exact.action),
        exact.actor === undefined ? undefined : eq(auditLog.actor, exact.actor),
        exact.targetId === undefined ? undefined : eq(auditLog.targetId, exact.targetId),
        exact.projectId === undefined ? undefined : eq(auditLog.projectId, exact.projectId),
        exact.outcome === undefined ? undefined : eq(auditLog.outcome, exact.outcome),
        from === undefined ? undefined : gte(auditLog.at, from),
        to === undefined ? undefined : lt(auditLog.at, to),
      )
      return read(() => readPage(db.select(columns).from(auditLog).$dynamic(), listed, page, where))
    },
  }
}

type Subject = Record<string, unknown>

/** To be called inside the transaction of the mutation that it tells of. */
export function writeAudit(engine: Engine, stamp: AuditStamp, before: Subject | null, after: Subject | null): void {
  insertEntry(engine, { ...stamp, before, after })
}

/** Names of columns that are secret, in whatever table. */
type Secret = 'hash' | 'sealed' | 'tokenHash' | 'passwordHash' | 'totpSealed' | 'recoveryHashes'

/** What the audit log may show of a row. */
export function withoutSecrets<T extends Subject>(row: T): Omit<T, Secret> {
  const { hash, sealed, tokenHash, passwordHash, totpSealed, recoveryHashes, ...rest } = row
  return rest
}

function insertEntry({ db }: Engine, entry: AuditEntry): void {
  const strip = (subject: Subject | null) => subject && withoutSecrets(subject)
  db.insert(auditLog)
    .values({ ...entry, before: strip(entry.before), after: strip(entry.after) })
    .run()
}
