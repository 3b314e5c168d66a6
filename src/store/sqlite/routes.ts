import type { RouteStore } from '../store.ts'
import { writeAudit } from './audit.ts'
import { asc, eq, getTableColumns } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { routes } from './schema.ts'

const { seq, ...columns } = getTableColumns(routes)

export function createRouteStore(engine: Engine): RouteStore {
  const { db, read, write } = engine
  const find = (id: string) => db.select(columns).from(routes).where(eq(routes.id, id)).get() ?? null

  return {
    async list() {
      return read(() => db.select(columns).from(routes).orderBy(asc(routes.seq)).all())
    },

    async get(id) {
      return read(() => find(id))
    },

    async create(route, stamp) {
      write(() => {
        db.insert(routes).values(route).run()
        writeAudit(engine, stamp, null, route)
      })
    },

    async update(id, patch, at, stamp) {
      return write(() => {
        const before = find(id)
        if (!before) return null
        const changes = { ...patch, updatedAt: at }
        const after = db.update(routes).set(changes).where(eq(routes.id, id)).returning(columns).get()
        writeAudit(engine, stamp, before, after)
        return after
      })
    },

    async delete(id, stamp) {
      return write(() => {
        const route = find(id)
        if (!route) return false
        db.delete(routes).where(eq(routes.id, id)).run()
        writeAudit(engine, stamp, route, null)
        return true
      })
    },
  }
}
