import type { AlertStore } from '../alerts.ts'
import { writeAudit } from './audit.ts'
import { and, asc, eq, getTableColumns, isNotNull, lte } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { readPage } from './page.ts'
import { alerts } from './schema.ts'

const { seq, ...columns } = getTableColumns(alerts)
const listed = { id: alerts.id, at: alerts.at, seq }

export function createAlertStore(engine: Engine): AlertStore {
  const { db, read, write } = engine
  return {
    async add(alert, stamp) {
      return write(() => {
        const { changes } = db.insert(alerts).values(alert).onConflictDoNothing().run()
        if (changes === 1) writeAudit(engine, stamp, null, { text: alert.text, ...alert.data })
        return changes === 1
      })
    },

    async due(now, limit) {
      return read(() =>
        db
          .select(columns)
          .from(alerts)
          .where(and(isNotNull(alerts.sendAt), lte(alerts.sendAt, now)))
          .orderBy(asc(alerts.seq))
          .limit(limit)
          .all(),
      )
    },

    async update(id, change) {
      write(() => db.update(alerts).set(change).where(eq(alerts.id, id)).run())
    },

    async list(page) {
      return read(() => readPage(db.select(columns).from(alerts).$dynamic(), listed, page))
    },
  }
}
