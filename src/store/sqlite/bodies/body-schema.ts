import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'

/** `PRAGMA user_version` of a file of bodies. */
export const VERSION = 1

/** `content`: a JSON document (`KeptBodies`), as zlib writes it. */
const SCHEMA = `
CREATE TABLE bodies (
  request_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  content BLOB NOT NULL
);
CREATE INDEX bodies_at ON bodies (at);
`

const versionOf = (connection: Connection) => Number(connection.pragma('user_version', { simple: true }))

/** Makes the table where there is none; processes that come together wait for each other. Throws `StoreError` `newer_version`. */
export function createSchema(connection: Connection): void {
  const create = connection.transaction(() => {
    if (versionOf(connection) !== 0) return
    connection.exec(SCHEMA)
    connection.pragma(`user_version = ${VERSION}`)
  })
  if (versionOf(connection) === 0) create.immediate()
  refuseNewer(connection)
}

/** False: there is nothing in the file yet. Throws `StoreError` `newer_version`. */
export function hasSchema(connection: Connection): boolean {
  refuseNewer(connection)
  return versionOf(connection) > 0
}

function refuseNewer(connection: Connection): void {
  const version = versionOf(connection)
  if (version <= VERSION) return
  throw new StoreError(
    'newer_version',
    `The bodies ${connection.name} were written by a newer version of LLM Proxy (schema ${version}, this version knows ${VERSION}): ` +
      'start the newer version, or move the file away.',
  )
}
