import { StoreError } from '../../store.ts'
import type { Connection } from '../connect.ts'

/** `PRAGMA user_version` of a month file. */
export const VERSION = 2

/** What a rollup adds up, in the order of its columns; `sums.ts` reads and writes them by this list. */
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

/** What a row says itself; nothing where it is damaged. */
export const ownOf = (name: string, as: '->' | '->>' = '->>') => `iif(json_valid(own), own ${as} '${name}', NULL)`

/*
 * `requests` has no index but its rowid, and of what repeats only the numbers: appending is all that the hot path pays for. `series`
 * are the distinct combinations of what reports group and filter by, `forms` those of what else repeats (attempts without their
 * times). What neither holds is in `own`, as JSON. `counts`: 1 when this row counts one request of its token, see counters.ts.
 * The view `ledger` puts it all together again. `spare`: a second copy of series and forms, without which rows would have lost their
 * names, see spare.ts.
 *
 * A rollup's id is its hour (or day) of the month times 2^32, plus its series: one integer key, whose order is time. See rollups.ts.
 */
export const ROWS = `
CREATE TABLE requests (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  series INTEGER NOT NULL,
  form INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  latency_ms REAL NOT NULL,
  first_token_ms REAL,
  cost_nano_usd INTEGER,
  reserved_nano_usd INTEGER,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  attempt_ms NUMERIC,
  own TEXT
);
CREATE TABLE forms (
  id INTEGER PRIMARY KEY,
  method TEXT NOT NULL,
  served_model TEXT,
  stream INTEGER NOT NULL,
  usage_source TEXT NOT NULL,
  estimate_reason TEXT,
  price_source TEXT,
  cache TEXT NOT NULL,
  changes TEXT NOT NULL,
  attempts TEXT NOT NULL
);
CREATE INDEX series_by_kind ON series (model, provider, endpoint, status, error);
CREATE INDEX series_by_project_kind ON series (project_id, model, provider, endpoint, status, error);
CREATE TABLE spare (
  name TEXT NOT NULL,
  id INTEGER NOT NULL,
  content TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (name, id)
) WITHOUT ROWID;
CREATE TABLE daily ${ROLLUP};
CREATE TABLE callers ${ROLLUP};
CREATE TABLE kinds ${ROLLUP};
CREATE TABLE project_kinds ${ROLLUP};
CREATE VIEW ledger AS SELECT
  seq, at, request_id, counts, requests.series AS series, form,
  nullif(token_id, '') AS token_id, nullif(project_id, '') AS project_id,
  method,
  coalesce(${ownOf('endpoint')}, endpoint) AS endpoint,
  coalesce(${ownOf('model')}, nullif(model, '')) AS model,
  nullif(provider, '') AS provider,
  coalesce(${ownOf('served_model')}, served_model) AS served_model,
  status, nullif(error, '') AS error, stream, latency_ms, first_token_ms,
  input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
  ${ownOf('details', '->')} AS usage_details, usage_source, estimate_reason,
  cost_nano_usd, price_source, reserved_nano_usd, cache,
  coalesce(${ownOf('attempts', '->')}, attempts) AS attempts, attempt_ms,
  coalesce(${ownOf('changes', '->')}, changes) AS changes, request_bytes, response_bytes, own
FROM requests
LEFT JOIN series ON series.id = requests.series
LEFT JOIN forms ON forms.id = requests.form;
`

const SCHEMA = `
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
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
${ROWS}
`

export const versionOf = (connection: Connection) => Number(connection.pragma('user_version', { simple: true }))

/**
 * Makes the tables where there are none; processes that come together wait for each other. `convert` is called inside the
 * transaction for a file of an older version.
 */
export function createSchema(connection: Connection, convert: () => void): void {
  if (versionOf(connection) === VERSION) return
  const create = connection.transaction(() => {
    const version = versionOf(connection)
    if (version >= VERSION) return
    if (version === 0) connection.exec(SCHEMA)
    else convert()
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
