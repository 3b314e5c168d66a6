import type { Connection } from './connect.ts'

/**
 * The counter that triggers keep in the table `revision`. `data_version` tells whether another connection has committed since, and is
 * read from shared memory; the row is read again only then, or after `forget()`, for commits of this connection do not show in it.
 * https://www.sqlite.org/pragma.html#pragma_data_version
 */
export function createRevision(connection: Connection): { read(): number; forget(): void } {
  const dataVersion = connection.prepare<[], number>('PRAGMA data_version').pluck()
  const counter = connection.prepare<[], number>('SELECT value FROM revision').pluck()
  let seen: number | undefined
  let value = 0

  return {
    read() {
      // This order: a commit between the two reads is seen again by the next call.
      const version = dataVersion.get()
      if (version !== seen || seen === undefined) {
        value = counter.get() ?? 0
        seen = version
      }
      return value
    },
    forget() {
      seen = undefined
    },
  }
}
