import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'

/** `PRAGMA user_version` of a month file. */
export const VERSION = 1

/** What a rollup adds up, in the order of its columns; `rollup.ts` reads and writes them by this list. */
export const SUMS = [
  'requests',
  'errors',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'unpriced_requests',
  'unpriced_tokens',
  'estimated_requests',
  'cache_hits',
] as const

const ROLLUP = `(
  id INTEGER PRIMARY KEY,
  ${SUMS.map((name) => `${name} INTEGER NOT NULL`).join(', ')},
  cost_nano_usd INTEGER NOT NULL,
  max_cost_nano_usd INTEGER NOT NULL,
  max_latency_ms REAL NOT NULL,
  min_seq INTEGER NOT NULL,
  max_seq INTEGER NOT NULL,
  latencies TEXT NOT NULL,
  first_tokens TEXT NOT NULL
)`

/*
 * `requests` has no index but its rowid: appending is all that the hot path pays for. `series` are the distinct combinations of what
 * reports group and filter by. A rollup's id is its hour (or day) of the month times 2^32, plus its series: one integer key, whose
 * order is time. `counts`: 1 when this row counts one request of its token, see counters.ts.
 */
const SCHEMA = `
CREATE TABLE requests (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  series INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  status INTEGER NOT NULL,
  latency_ms REAL NOT NULL,
  cost_nano_usd INTEGER,
  error TEXT,
  model TEXT,
  request_id TEXT NOT NULL,
  token_id TEXT,
  project_id TEXT,
  method TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  provider TEXT,
  served_model TEXT,
  stream INTEGER NOT NULL,
  first_token_ms REAL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  usage_details TEXT,
  usage_source TEXT NOT NULL,
  estimate_reason TEXT,
  price_source TEXT,
  reserved_nano_usd INTEGER,
  cache TEXT NOT NULL,
  attempts TEXT NOT NULL,
  changes TEXT NOT NULL,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL
);
CREATE TABLE open_requests (
  request_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  token_id TEXT,
  project_id TEXT,
  method TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT,
  provider TEXT,
  stream INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  reserved_nano_usd INTEGER NOT NULL,
  process TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  token_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  model TEXT NOT NULL,
  provider TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  status INTEGER NOT NULL,
  error TEXT NOT NULL,
  UNIQUE (token_id, project_id, model, provider, endpoint, status, error)
);
CREATE TABLE hourly ${ROLLUP};
CREATE TABLE daily ${ROLLUP};
CREATE TABLE totals ${ROLLUP};
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`

export const versionOf = (connection: Connection) => Number(connection.pragma('user_version', { simple: true }))

/** Makes the tables where there are none; processes that come together wait for each other. */
export function createSchema(connection: Connection): void {
  if (versionOf(connection) === VERSION) return
  const create = connection.transaction(() => {
    if (versionOf(connection) !== 0) return
    connection.exec(SCHEMA)
    connection.pragma(`user_version = ${VERSION}`)
  })
  create.immediate()
  refuseOthers(connection)
}

/** Throws `StoreError`: `newer_version`, or `corrupt` for a file with tables that is no month of a ledger. */
export function refuseOthers(connection: Connection): void {
  // In this order: another process may make the tables, and the version with them, at this moment.
  const hasTables = connection.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined
  const version = versionOf(connection)
  if (version === 0 && hasTables)
    throw new StoreError(
      'corrupt',
      `The ledger ${connection.name} is damaged: it holds something else. Restore a backup of it.`,
    )
  if (version <= VERSION) return
  throw new StoreError(
    'newer_version',
    `The ledger ${connection.name} was written by a newer version of LLM Proxy (schema ${version}, this version knows ${VERSION}): ` +
      'start the newer version, or move the file away.',
  )
}
