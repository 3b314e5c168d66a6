import type { ProviderKey, ProviderKeyStore } from '../store.ts'
import { writeAudit } from './audit.ts'
import { and, asc, count, eq, getTableColumns, isNotNull } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { adminUsers, providerKeys } from './schema.ts'

const { seq, ...columns } = getTableColumns(providerKeys)

export function createProviderKeyStore(engine: Engine): ProviderKeyStore {
  const { db, read, write } = engine
  return {
    async get(id) {
      return read(() => db.select(columns).from(providerKeys).where(eq(providerKeys.id, id)).get() ?? null)
    },

    async listByProject(projectId) {
      return read(() => keysOfProject(engine, projectId))
    },

    async listByProvider(provider, limit) {
      return read(() =>
        db
          .select(columns)
          .from(providerKeys)
          .where(eq(providerKeys.provider, provider))
          .orderBy(asc(seq))
          .limit(limit)
          .all(),
      )
    },

    async countByProvider() {
      return read(() => {
        const rows = db
          .select({ provider: providerKeys.provider, keys: count() })
          .from(providerKeys)
          .groupBy(providerKeys.provider)
          .all()
        return new Map(rows.map(({ provider, keys }) => [provider, keys]))
      })
    },

    async count() {
      return read(() => db.select({ keys: count() }).from(providerKeys).get()?.keys ?? 0)
    },

    async create(key, stamp) {
      write(() => {
        db.insert(providerKeys).values(key).run()
        writeAudit(engine, stamp, null, key)
      })
    },

    async update(projectId, id, patch, stamp) {
      return write(() => {
        const before = findKey(engine, projectId, id)
        if (before === null) return null
        const after = db.update(providerKeys).set(patch).where(eq(providerKeys.id, id)).returning(columns).get()
        writeAudit(engine, stamp, before, after)
        return after
      })
    },

    async replace(id, key, stamp) {
      return write(() => {
        const before = findKey(engine, key.projectId, id)
        if (before === null) return false
        db.delete(providerKeys).where(eq(providerKeys.id, id)).run()
        db.insert(providerKeys).values(key).run()
        writeAudit(engine, stamp, before, key)
        return true
      })
    },

    async delete(projectId, id, stamp) {
      return write(() => {
        const theKey = and(eq(providerKeys.projectId, projectId), eq(providerKeys.id, id))
        const key = db.delete(providerKeys).where(theKey).returning(columns).get()
        if (key) writeAudit(engine, stamp, key, null)
        return key !== undefined
      })
    },

    async resealAll(reseal, stamp) {
      // What follows (the old key's end) cannot be undone: this commit must be on the disk, also through a power cut.
      engine.connection.pragma('synchronous = FULL')
      const resealEach = () =>
        write(() => {
          const resealed = resealKeys(engine, reseal) + resealSecondFactors(engine, reseal)
          if (resealed > 0) writeAudit(engine, stamp, null, { resealed })
          return resealed
        })
      try {
        return resealEach()
      } finally {
        engine.connection.pragma('synchronous = NORMAL')
      }
    },
  }
}

/** Oldest first. */
export function keysOfProject({ db }: Engine, projectId: string): ProviderKey[] {
  const query = db.select(columns).from(providerKeys).where(eq(providerKeys.projectId, projectId))
  return query.orderBy(asc(providerKeys.createdAt), asc(seq)).all()
}

function findKey({ db }: Engine, projectId: string, id: string): ProviderKey | null {
  const theKey = and(eq(providerKeys.projectId, projectId), eq(providerKeys.id, id))
  return db.select(columns).from(providerKeys).where(theKey).get() ?? null
}

function resealKeys({ db }: Engine, reseal: (sealed: string) => string): number {
  const keys = db.select({ id: providerKeys.id, sealed: providerKeys.sealed }).from(providerKeys).all()
  for (const { id, sealed } of keys) {
    const changes = { sealed: reseal(sealed) }
    db.update(providerKeys).set(changes).where(eq(providerKeys.id, id)).run()
  }
  return keys.length
}

function resealSecondFactors({ db }: Engine, reseal: (sealed: string) => string): number {
  const having = isNotNull(adminUsers.totpSealed)
  const users = db.select({ id: adminUsers.id, sealed: adminUsers.totpSealed }).from(adminUsers).where(having).all()
  for (const { id, sealed } of users) {
    const changes = { totpSealed: reseal(sealed!) }
    db.update(adminUsers).set(changes).where(eq(adminUsers.id, id)).run()
  }
  return users.length
}
