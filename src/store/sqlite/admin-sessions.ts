import { type AdminSession, type AdminSessionStore, StoreError } from '../store.ts'
import { writeAudit } from './audit.ts'
import { and, eq, getTableColumns, lte, ne, or } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { adminUsers, sessions } from './schema.ts'

const { seq, ...columns } = getTableColumns(sessions)
const { seq: _seq, nameKey: _nameKey, ...userColumns } = getTableColumns(adminUsers)
const listed = { id: sessions.id, at: sessions.createdAt, seq }

export function createAdminSessionStore(engine: Engine): AdminSessionStore {
  const { db, read, write } = engine
  return {
    async create(session, stamp = null, proved) {
      write(() => {
        const isUnchanged = and(
          eq(adminUsers.id, session.userId),
          eq(adminUsers.isActive, true),
          proved && eq(adminUsers.passwordHash, proved.passwordHash),
        )
        const signedIn = db.update(adminUsers).set({ lastSignInAt: session.createdAt }).where(isUnchanged).run()
        if (signedIn.changes === 0) throw new StoreError('not_found', 'The user may not sign in (any more).')
        db.insert(sessions).values(session).run()
        if (stamp) writeAudit(engine, stamp, null, tellSession(session))
      })
    },

    async findByHash(hash) {
      return read(() => {
        const found = db
          .select({ session: columns, user: userColumns })
          .from(sessions)
          .innerJoin(adminUsers, eq(adminUsers.id, sessions.userId))
          .where(eq(sessions.tokenHash, hash))
          .get()
        return found ?? null
      })
    },

    async touch(id, at, expiresAt) {
      const changes = { lastSeenAt: at, ...(expiresAt !== undefined && { expiresAt }) }
      write(() => db.update(sessions).set(changes).where(eq(sessions.id, id)).run())
    },

    async list({ userId }, page) {
      return read(() =>
        readPage(
          db.select(columns).from(sessions).$dynamic(),
          listed,
          page,
          userId === undefined ? undefined : eq(sessions.userId, userId),
        ),
      )
    },

    async delete(id, stamp) {
      return write(() => {
        const session = db.delete(sessions).where(eq(sessions.id, id)).returning(columns).get()
        if (session) writeAudit(engine, stamp, tellSession(session), null)
        return session !== undefined
      })
    },

    async deleteByUser(userId, exceptId, stamp) {
      return write(() => {
        const ended = deleteSessionsOf(engine, userId, exceptId)
        if (ended > 0) writeAudit(engine, stamp, null, { sessionsEnded: ended })
        return ended
      })
    },

    async deleteExpired(now, idleBefore) {
      const isOver = or(lte(sessions.expiresAt, now), lte(sessions.lastSeenAt, idleBefore))
      return write(() => db.delete(sessions).where(isOver).run().changes)
    },
  }
}

/** To be called inside a transaction; how many. */
export function deleteSessionsOf({ db }: Engine, userId: string, exceptId: string | null): number {
  const theirs = and(eq(sessions.userId, userId), exceptId === null ? undefined : ne(sessions.id, exceptId))
  return db.delete(sessions).where(theirs).run().changes
}

const tellSession = ({ tokenHash, ...session }: AdminSession) => session
