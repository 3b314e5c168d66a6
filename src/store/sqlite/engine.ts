import type { Connection } from './connect.ts'
import { type BetterSQLite3Database, drizzle } from './drizzle.ts'
import { toStoreError } from './errors.ts'
import { createRevision } from './revision.ts'

/** What the stores of one database share. `read` and `write` run `work` in a transaction and throw `StoreError`. */
export type Engine = {
  connection: Connection
  db: BetterSQLite3Database
  /** One snapshot for everything that `work` reads. */
  read<T>(work: () => T): T
  /** All of `work` or nothing of it. */
  write<T>(work: () => T): T
  revision(): number
  /** Runs `work` without a transaction of its own; throws `StoreError`. */
  guard<T>(work: () => T): T
}

export function createEngine(connection: Connection): Engine {
  const { read: revision, forget } = createRevision(connection)
  // Typed once for any `work`; what it gives back is handed over untouched.
  const transact = connection.transaction((work: () => unknown) => work())

  function guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw toStoreError(error, connection.name)
    }
  }

  return {
    connection,
    db: drizzle({ client: connection }),
    guard,
    read: <T>(work: () => T) => guard(() => transact.deferred(work) as T),
    write: <T>(work: () => T) => {
      forget()
      return guard(() => transact.immediate(work) as T)
    },
    revision: () => guard(revision),
  }
}
