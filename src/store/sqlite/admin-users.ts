import { type AdminUser, type AdminUserPatch, type AdminUserStore, StoreError } from '../store.ts'
import { deleteSessionsOf } from './admin-sessions.ts'
import { writeAudit } from './audit.ts'
import { and, count, eq, getTableColumns, isNull, lt, ne, or } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { adminUsers } from './schema.ts'

const { seq, nameKey, ...columns } = getTableColumns(adminUsers)
const listed = { id: adminUsers.id, at: adminUsers.createdAt, seq }

export function createAdminUserStore(engine: Engine): AdminUserStore {
  const { db, read, write } = engine
  const insert = (user: AdminUser) =>
    db
      .insert(adminUsers)
      .values({ ...user, nameKey: toNameKey(user.name) })
      .run()
  const howMany = () => db.select({ users: count() }).from(adminUsers).get()?.users ?? 0

  return {
    async list(page) {
      return read(() => readPage(db.select(columns).from(adminUsers).$dynamic(), listed, page))
    },

    async get(id) {
      return read(() => findUser(engine, id))
    },

    async findByName(name) {
      const named = eq(nameKey, toNameKey(name))
      return read(() => db.select(columns).from(adminUsers).where(named).get() ?? null)
    },

    async findBySubject(subject) {
      return read(() => db.select(columns).from(adminUsers).where(eq(adminUsers.subject, subject)).get() ?? null)
    },

    async count() {
      return read(howMany)
    },

    async create(user, stamp) {
      write(() => {
        insert(user)
        writeAudit(engine, stamp, null, tellUser(user))
      })
    },

    async createFirst(user, stamp) {
      return write(() => {
        if (howMany() > 0) return false
        insert(user)
        writeAudit(engine, stamp, null, tellUser(user))
        return true
      })
    },

    async update(id, patch, at, stamp, keepSessionId = null) {
      return write(() => {
        const before = findUser(engine, id)
        if (!before) return null
        const changes = { ...patch, ...(patch.name !== undefined && { nameKey: toNameKey(patch.name) }), updatedAt: at }
        const after = db.update(adminUsers).set(changes).where(eq(adminUsers.id, id)).returning(columns).get()
        keepAnOwner(engine, before, after)
        const ended = endsSessions(before, after) ? deleteSessionsOf(engine, id, keepSessionId) : 0
        writeAudit(engine, stamp, tellUser(before), { ...tellUser(after), ...toldChange(patch, ended) })
        return after
      })
    },

    async delete(id, stamp) {
      return write(() => {
        const user = findUser(engine, id)
        if (!user) return false
        // Sessions go with it.
        db.delete(adminUsers).where(eq(adminUsers.id, id)).run()
        keepAnOwner(engine, user, null)
        writeAudit(engine, stamp, tellUser(user), null)
        return true
      })
    },

    async useTotpStep(id, step) {
      const unused = or(isNull(adminUsers.totpLastStep), lt(adminUsers.totpLastStep, step))
      return write(() => {
        const theUser = and(eq(adminUsers.id, id), unused)
        return db.update(adminUsers).set({ totpLastStep: step }).where(theUser).run().changes > 0
      })
    },

    async useRecoveryHash(id, hash, at, stamp) {
      return write(() => {
        const before = findUser(engine, id)
        if (!before?.recoveryHashes.includes(hash)) return false
        const recoveryHashes = before.recoveryHashes.filter((one) => one !== hash)
        const changes = { recoveryHashes, updatedAt: at }
        const after = db.update(adminUsers).set(changes).where(eq(adminUsers.id, id)).returning(columns).get()
        writeAudit(engine, stamp, tellUser(before), tellUser(after))
        return true
      })
    },
  }
}

export function findUser({ db }: Engine, id: string): AdminUser | null {
  return db.select(columns).from(adminUsers).where(eq(adminUsers.id, id)).get() ?? null
}

/** What makes two names the same. */
const toNameKey = (name: string) => name.normalize('NFKC').toLowerCase()

/** Only what was an active owner can have been the last one. */
function keepAnOwner({ db }: Engine, before: AdminUser, after: AdminUser | null): void {
  if (!isActiveOwner(before) || (after && isActiveOwner(after))) return
  const others = and(eq(adminUsers.role, 'owner'), eq(adminUsers.isActive, true), ne(adminUsers.id, before.id))
  if (db.select({ id: adminUsers.id }).from(adminUsers).where(others).limit(1).get()) return
  throw new StoreError('conflict', 'This is the last active owner: make another one before.')
}

const isActiveOwner = ({ role, isActive }: AdminUser) => role === 'owner' && isActive

/** What was allowed to the old one is not to be gone on with. */
const endsSessions = (before: AdminUser, after: AdminUser) =>
  before.passwordHash !== after.passwordHash ||
  before.role !== after.role ||
  before.projectId !== after.projectId ||
  (before.isActive && !after.isActive)

function tellUser({ passwordHash, totpSealed, totpLastStep, recoveryHashes, ...user }: AdminUser) {
  const secondFactor = totpSealed !== null
  return { ...user, hasPassword: passwordHash !== null, secondFactor, recoveryCodes: recoveryHashes.length }
}

const toldChange = ({ passwordHash }: AdminUserPatch, sessionsEnded: number) => ({
  ...(passwordHash !== undefined && { passwordChanged: true }),
  ...(sessionsEnded > 0 && { sessionsEnded }),
})
