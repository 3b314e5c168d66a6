import type { TokenFilter, TokenState, TokenStore } from '../store.ts'
import { writeAudit } from './audit.ts'
import {
  and,
  count,
  eq,
  exists,
  getTableColumns,
  gt,
  isNotNull,
  isNull,
  lt,
  lte,
  not,
  or,
  type SQL,
  sql,
} from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { findProject } from './projects.ts'
import { keysOfProject } from './provider-keys.ts'
import { projects, tokens } from './schema.ts'

const { seq, ...columns } = getTableColumns(tokens)
const listed = { id: tokens.id, at: tokens.createdAt, seq }

/** `settleCounts` brings request counts that wait in memory into the table; whoever reads or changes a token sees them. */
export function createTokenStore(engine: Engine, settleCounts: () => void): TokenStore {
  const { db } = engine
  const read: Engine['read'] = (work) => {
    settleCounts()
    return engine.read(work)
  }
  const write: Engine['write'] = (work) => {
    settleCounts()
    return engine.write(work)
  }
  return {
    async list(filter, page) {
      return read(() => readPage(db.select(columns).from(tokens).$dynamic(), listed, page, matching(engine, filter)))
    },

    async countByProject(projectId) {
      return engine.read(() => {
        const rows = db
          .select({ projectId: tokens.projectId, tokens: count() })
          .from(tokens)
          .where(projectId === undefined ? undefined : eq(tokens.projectId, projectId))
          .groupBy(tokens.projectId)
          .all()
        return new Map(rows.map((row) => [row.projectId, row.tokens]))
      })
    },

    async get(id) {
      return read(() => findToken(engine, id))
    },

    async findByHash(hash) {
      // Asked on the way of a request, which does not look at counts that wait: a take does.
      return engine.read(() => {
        const token = db.select(columns).from(tokens).where(eq(tokens.hash, hash)).get()
        const project = token && findProject(engine, token.projectId)
        return token && project ? { token, project, keys: keysOfProject(engine, project.id) } : null
      })
    },

    async create(token, stamp) {
      write(() => {
        db.insert(tokens).values(token).run()
        writeAudit(engine, stamp, null, token)
      })
    },

    async update(id, patch, at, stamp) {
      return write(() => {
        const before = findToken(engine, id)
        if (!before) return null
        const changes = { ...patch, updatedAt: at }
        const after = db.update(tokens).set(changes).where(eq(tokens.id, id)).returning(columns).get()
        writeAudit(engine, stamp, before, after)
        return after
      })
    },

    async revoke(id, at, stamp) {
      return write(() => {
        const before = findToken(engine, id)
        if (!before || before.revokedAt !== null) return before
        const changes = { revokedAt: at, updatedAt: at }
        const after = db.update(tokens).set(changes).where(eq(tokens.id, id)).returning(columns).get()
        writeAudit(engine, stamp, before, after)
        return after
      })
    },

    async revokeByProject(projectId, at, stamp) {
      return write(() => {
        const unrevoked = and(eq(tokens.projectId, projectId), isNull(tokens.revokedAt))
        const { changes } = db.update(tokens).set({ revokedAt: at, updatedAt: at }).where(unrevoked).run()
        if (changes > 0) writeAudit(engine, stamp, null, { revoked: changes })
        return changes
      })
    },

    async delete(id, stamp) {
      return write(() => {
        const token = db.delete(tokens).where(eq(tokens.id, id)).returning(columns).get()
        if (token) writeAudit(engine, stamp, token, null)
        return token !== undefined
      })
    },
  }
}

function findToken({ db }: Engine, id: string) {
  return db.select(columns).from(tokens).where(eq(tokens.id, id)).get() ?? null
}

function matching(engine: Engine, filter: TokenFilter) {
  const { projectId, state, search, expiresBefore, hasBudgets, ids, now } = filter
  return and(
    projectId === undefined ? undefined : eq(tokens.projectId, projectId),
    state === undefined ? undefined : inState(engine, state, now),
    search === undefined || search === '' ? undefined : named(search),
    // Null is before nothing.
    expiresBefore === undefined ? undefined : lt(tokens.expiresAt, expiresBefore),
    hasBudgets === undefined ? undefined : hasBudgets ? isNotNull(tokens.budgets) : isNull(tokens.budgets),
    ids === undefined ? undefined : sql`${tokens.id} in (select value from json_each(${JSON.stringify(ids)}))`,
  )
}

function inState({ db }: Engine, state: TokenState, now: number): SQL | undefined {
  const isRevoked = isNotNull(tokens.revokedAt)
  const isOn = and(
    isNull(tokens.revokedAt),
    eq(tokens.isActive, true),
    exists(
      db
        .select({ id: projects.id })
        .from(projects)
        .where(and(eq(projects.id, tokens.projectId), eq(projects.isActive, true))),
    ),
  )
  switch (state) {
    case 'revoked':
      return isRevoked
    case 'off':
      return and(isNull(tokens.revokedAt), not(isOn!))
    case 'expired':
      return and(isOn, lte(tokens.expiresAt, now))
    case 'active':
      return and(isOn, or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now)))
  }
}

/** SQLite's `like` takes upper and lower case of ASCII for the same. */
function named(search: string): SQL | undefined {
  const contains = `%${search.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return or(
    sql`${tokens.name} like ${contains} escape '\\'`,
    sql`${tokens.id} like ${contains} escape '\\'`,
    sql`lower(${tokens.last4}) = ${search.toLowerCase()}`,
  )
}
