import type { Connection } from '../connect.ts'
import type { MonthRollups } from './rollups.ts'
import type { SeriesIndex } from './series.ts'
import { type RawSummed, SELECT_SUMMED, toSummed } from './summed.ts'

const BATCH = 5_000

/** What stands where a name was before it was lost. */
export const LOST = '(lost)'

/** Builds the rollups of a month anew from its rows. To be used inside a transaction, which writers wait for. */
export function rebuild(connection: Connection, rollups: MonthRollups, series: SeriesIndex): void {
  replaceLost(connection)
  series.reset()
  const rows = connection
    .prepare<[after: number], RawSummed>(
      `SELECT ${SELECT_SUMMED} FROM ledger WHERE seq > ? ORDER BY seq LIMIT ${BATCH}`,
    )
    .raw()
  rollups.clear()
  for (let last = 0; ; ) {
    const batch = rows.all(last)
    if (batch.length === 0) return
    for (const raw of batch) {
      const { seq, series: id, row } = toSummed(raw)
      rollups.add(row, series.byId(id), seq)
      last = seq
    }
    rollups.write()
    rollups.bringForward()
  }
}

/** Rows whose series or form is gone get one that says so: their numbers still count, and they can be read. */
function replaceLost(connection: Connection): void {
  connection.exec(`
    INSERT OR IGNORE INTO series (token_id, project_id, model, provider, endpoint, status, error)
      SELECT '', '', '${LOST}', '', '${LOST}', 0, ''
      WHERE EXISTS (SELECT 1 FROM requests WHERE series NOT IN (SELECT id FROM series));
    UPDATE requests SET series = (SELECT id FROM series WHERE token_id = '' AND model = '${LOST}' AND endpoint = '${LOST}' AND status = 0)
      WHERE series NOT IN (SELECT id FROM series);
    INSERT INTO forms (method, stream, usage_source, cache, changes, attempts)
      SELECT '${LOST}', 0, 'none', 'bypass', '[]', '[]'
      WHERE EXISTS (SELECT 1 FROM requests WHERE form NOT IN (SELECT id FROM forms));
    UPDATE requests SET form = (SELECT max(id) FROM forms), attempt_ms = NULL WHERE form NOT IN (SELECT id FROM forms);
  `)
}
