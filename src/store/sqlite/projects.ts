import type { ProjectStore, ProviderKey } from '../store.ts'
import { withoutSecrets, writeAudit } from './audit.ts'
import { count, eq, getTableColumns } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { keysOfProject } from './provider-keys.ts'
import { projects, providerKeys, tokens } from './schema.ts'

const { seq, ...columns } = getTableColumns(projects)
const listed = { id: projects.id, at: projects.createdAt, seq }

export function createProjectStore(engine: Engine): ProjectStore {
  const { db, read, write } = engine
  return {
    async list(page) {
      return read(() => readPage(db.select(columns).from(projects).$dynamic(), listed, page))
    },

    async get(id) {
      return read(() => findProject(engine, id))
    },

    async findByName(name) {
      return read(() => db.select(columns).from(projects).where(eq(projects.name, name)).get() ?? null)
    },

    async create(project, keys, stamp) {
      write(() => {
        db.insert(projects).values(project).run()
        if (keys.length > 0) db.insert(providerKeys).values(keys).run()
        writeAudit(engine, stamp, null, { ...project, providerKeys: keys.map(withoutSecrets<ProviderKey>) })
      })
    },

    async update(id, patch, at, stamp) {
      return write(() => {
        const before = findProject(engine, id)
        if (!before) return null
        const changes = { ...patch, updatedAt: at }
        const after = db.update(projects).set(changes).where(eq(projects.id, id)).returning(columns).get()
        writeAudit(engine, stamp, before, after)
        return after
      })
    },

    async delete(id, stamp) {
      return write(() => {
        const project = findProject(engine, id)
        if (!project) return false
        const keys = keysOfProject(engine, id)
        const lost = db.select({ tokens: count() }).from(tokens).where(eq(tokens.projectId, id)).get()
        db.delete(projects).where(eq(projects.id, id)).run()
        writeAudit(engine, stamp, { ...project, providerKeys: keys.map(withoutSecrets<ProviderKey>), ...lost }, null)
        return true
      })
    },
  }
}

export function findProject({ db }: Engine, id: string) {
  return db.select(columns).from(projects).where(eq(projects.id, id)).get() ?? null
}
