import type { LedgerRow } from '../../store.ts'
import type { Connection } from '../connect.ts'

/** What stands for names beyond the bound: callers choose models and paths, and must not be able to grow the rollups for ever. */
export const OTHER = '(other)'

const MAX_NAME = 200
/** Distinct names in a month: from answered requests, and from those that were refused before a provider answered. */
const MAX_MODELS = { answered: 10_000, refused: 2_000 }
const MAX_ENDPOINTS = { answered: 1_000, refused: 200 }
const MAX_CACHED = 20_000

/** Finds or makes the id of a row's combination of token, project, model, provider, endpoint, status and error. */
export type SeriesIndex = {
  idOf(row: LedgerRow): number
  /** Forgets what it has seen: after a rollback. */
  reset(): void
}

export function createSeriesIndex(connection: Connection): SeriesIndex {
  const insert = connection.prepare(
    `INSERT INTO series (token_id, project_id, model, provider, endpoint, status, error) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  )
  const find = connection
    .prepare<unknown[], number>(
      `SELECT id FROM series
       WHERE token_id = ? AND project_id = ? AND model = ? AND provider = ? AND endpoint = ? AND status = ? AND error = ?`,
    )
    .pluck()
  const ids = new Map<string, number>()
  let models = new Set<string>()
  let endpoints = new Set<string>()

  const reset = () => {
    const distinct = (column: string) =>
      new Set(connection.prepare<[], string>(`SELECT DISTINCT ${column} FROM series`).pluck().all())
    ids.clear()
    models = distinct('model')
    endpoints = distinct('endpoint')
  }
  reset()

  return {
    reset,
    idOf(row) {
      const { tokenId, projectId, model, provider, endpoint, status, error } = row
      const key = `${tokenId}\n${projectId}\n${model}\n${provider}\n${endpoint}\n${status}\n${error}`
      const known = ids.get(key)
      if (known !== undefined) return known
      const from = row.attempts.some(({ outcome }) => outcome === 'answered') ? 'answered' : 'refused'
      const values = [
        tokenId ?? '',
        projectId ?? '',
        bounded(models, model ?? '', MAX_MODELS[from]),
        provider ?? '',
        bounded(endpoints, endpoint, MAX_ENDPOINTS[from]),
        status,
        error ?? '',
      ]
      let id = find.get(values)
      if (id === undefined) {
        insert.run(values)
        id = find.get(values)!
      }
      if (ids.size >= MAX_CACHED) ids.clear()
      if (key.length < 2 * MAX_NAME) ids.set(key, id)
      return id
    },
  }
}

function bounded(names: Set<string>, name: string, limit: number): string {
  if (names.has(name)) return name
  if (name.length > MAX_NAME || names.size >= limit) return OTHER
  names.add(name)
  return name
}
