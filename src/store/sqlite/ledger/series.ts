import type { LedgerRow } from '../../store.ts'
import type { Connection } from '../connect.ts'
import { createKeep } from './spare.ts'

/** What stands for names beyond the bound: callers choose models and paths, and must not be able to grow the rollups for ever. */
export const OTHER = '(other)'

const MAX_NAME = 200
/** Distinct names in a month: from answered requests, and from those that were refused before a provider answered. */
const MAX_MODELS = { answered: 10_000, refused: 2_000 }
const MAX_ENDPOINTS = { answered: 1_000, refused: 200 }
const MAX_CACHED = 20_000

/** What a series is the combination of, in the order of its columns. Text that is not there is empty. */
export type Names = {
  tokenId: string
  projectId: string
  model: string
  provider: string
  endpoint: string
  status: number
  error: string
}
const COLUMNS = {
  tokenId: 'token_id',
  projectId: 'project_id',
  model: 'model',
  provider: 'provider',
  endpoint: 'endpoint',
  status: 'status',
  error: 'error',
} as const satisfies Record<keyof Names, string>
const NAMES = Object.keys(COLUMNS) as (keyof Names)[]
export const SELECT_NAMES = NAMES.map((name) => `${COLUMNS[name]} AS ${name}`).join(', ')

/**
 * Parts of it that have rollups of their own. A caller is a token of a project, whatever it asked for; a kind is what was asked for
 * and how it ended, whoever asked, or whichever token of a project.
 */
const PARTS = {
  caller: ['tokenId', 'projectId'],
  kind: ['model', 'provider', 'endpoint', 'status', 'error'],
  projectKind: ['projectId', 'model', 'provider', 'endpoint', 'status', 'error'],
} as const satisfies Record<string, (keyof Names)[]>
export type Part = keyof typeof PARTS

/** A series, and the first one that is like it in each part: it stands for the part. */
export type SeriesIds = { id: number } & Record<Part, number>
/** `isWhole`: the series says all of it, and is no `(other)`. */
export type FoundSeries = SeriesIds & { isWhole: boolean }
export type SeriesKey = Pick<
  LedgerRow,
  'tokenId' | 'projectId' | 'model' | 'provider' | 'endpoint' | 'status' | 'error' | 'attempts'
>

/** Finds or makes the series of a row. */
export type SeriesIndex = {
  of(row: SeriesKey): FoundSeries
  /** Of a row in the file. */
  byId(id: number): SeriesIds
  /** Forgets what it has seen: after a rollback. */
  reset(): void
}

export function createSeriesIndex(connection: Connection): SeriesIndex {
  const columns = NAMES.map((name) => COLUMNS[name])
  const insert = connection.prepare(`INSERT INTO series (${columns}) VALUES (${columns.map(() => '?')})`)
  const keep = createKeep(connection, 'series')
  const find = connection.prepare<unknown[], number>(`SELECT id FROM series WHERE ${areEqual(NAMES)}`).pluck()
  const read = connection.prepare<[id: number], Names>(`SELECT ${SELECT_NAMES} FROM series WHERE id = ?`)
  const parts = createParts((part) => {
    const select = connection
      .prepare<unknown[], number>(`SELECT min(id) FROM series WHERE ${areEqual(PARTS[part])}`)
      .pluck()
    return (values) => select.get(values)!
  })
  const byKey = new Map<string, FoundSeries>()
  const byId = new Map<number, SeriesIds>()
  let models = new Set<string>()
  let endpoints = new Set<string>()

  const reset = () => {
    const distinct = (column: string) =>
      new Set(connection.prepare<[], string>(`SELECT DISTINCT ${column} FROM series`).pluck().all())
    byKey.clear()
    byId.clear()
    parts.reset()
    models = distinct('model')
    endpoints = distinct('endpoint')
  }
  reset()

  return {
    reset,
    of(row) {
      const { tokenId, projectId, model, provider, endpoint, status, error } = row
      // A model may be called `null`, and callers choose the name.
      const key = `${tokenId}\n${projectId}\n${model ?? '\t'}\n${provider}\n${endpoint}\n${status}\n${error}`
      const known = byKey.get(key)
      if (known !== undefined) return known
      const from = row.attempts.some(({ outcome }) => outcome === 'answered') ? 'answered' : 'refused'
      const names = {
        tokenId: tokenId ?? '',
        projectId: projectId ?? '',
        model: bounded(models, model ?? '', MAX_MODELS[from]),
        provider: provider ?? '',
        endpoint: bounded(endpoints, endpoint, MAX_ENDPOINTS[from]),
        status,
        error: error ?? '',
      }
      const values = NAMES.map((name) => names[name])
      let id = find.get(values)
      if (id === undefined) {
        id = Number(insert.run(values).lastInsertRowid)
        keep(id, values)
      }
      // An empty name would come back as none.
      const isWhole = names.model === (model ?? '') && model !== '' && names.endpoint === endpoint
      const found = { id, ...parts.of(names, id), isWhole }
      if (byKey.size >= MAX_CACHED) byKey.clear()
      if (key.length < 2 * MAX_NAME) byKey.set(key, found)
      return found
    },
    byId(id) {
      let ids = byId.get(id)
      if (!ids) {
        const names = read.get(id)
        // A lost one stands for itself.
        ids = names ? { id, ...parts.of(names, id) } : { id, caller: id, kind: id, projectKind: id }
        if (byId.size >= MAX_CACHED) byId.clear()
        byId.set(id, ids)
      }
      return ids
    },
  }
}

const areEqual = (names: readonly (keyof Names)[]) => names.map((name) => `${COLUMNS[name]} = ?`).join(' AND ')

/**
 * Remembers the first series of each part. It stays the first, for series are only ever added. `find` finds one that was not asked
 * for before, by the values of the part; without it each series has to be asked for in the order of their ids.
 */
export function createParts(find?: (part: Part) => (values: (string | number)[]) => number) {
  const createPart = (part: Part) => {
    const names = PARTS[part]
    const findOne = find?.(part)
    const known = new Map<string, number>()
    return {
      known,
      of(series: Names, id: number): number {
        const values = names.map((name) => series[name])
        const key = JSON.stringify(values)
        const before = known.get(key)
        if (before !== undefined) return before
        const first = findOne ? findOne(values) : id
        if (findOne && known.size >= MAX_CACHED) known.clear()
        known.set(key, first)
        return first
      },
    }
  }
  const [caller, kind, projectKind] = [createPart('caller'), createPart('kind'), createPart('projectKind')]
  return {
    of: (series: Names, id: number): Record<Part, number> => ({
      caller: caller.of(series, id),
      kind: kind.of(series, id),
      projectKind: projectKind.of(series, id),
    }),
    reset() {
      for (const { known } of [caller, kind, projectKind]) known.clear()
    },
  }
}

function bounded(names: Set<string>, name: string, limit: number): string {
  if (names.has(name)) return name
  if (name.length > MAX_NAME || names.size >= limit) return OTHER
  names.add(name)
  return name
}
