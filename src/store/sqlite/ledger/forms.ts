import type { AttemptRecord, LedgerRow } from '../../store.ts'
import type { Connection } from '../connect.ts'
import type { Bound } from './columns.ts'
import { createKeep, DICTIONARIES } from './spare.ts'

/** Distinct forms in a month: of answered requests, and of those that were refused before a provider answered. */
const MAX_FORMS = { answered: 5_000, refused: 1_000 }
const MAX_KEY = 1_000
const MAX_SERIES = 2_000
const MAX_RECENT = 4

/** What repeats from row to row beside its series. */
export type Formed = Pick<
  LedgerRow,
  'method' | 'servedModel' | 'stream' | 'estimateReason' | 'priceSource' | 'cache' | 'changes' | 'attempts'
> & { usage: Pick<LedgerRow['usage'], 'source'> }

/** `isWhole`: the form says all of it; else the row has to say itself what callers and providers named. */
export type FoundForm = { id: number; isWhole: boolean }

/**
 * Finds or makes the form of a row. Callers choose names of models and of parameters, so forms with names have a bound; those without
 * them are few by themselves.
 */
export type FormIndex = {
  /** `series`: of the row; rows of one series have few forms. */
  of(row: Formed, series: number): FoundForm
  /** Another process may have made some. */
  refresh(): void
  /** Forgets what it has seen: after a rollback. */
  reset(): void
}

export function createFormIndex(connection: Connection): FormIndex {
  const columns = DICTIONARIES.forms
  const insert = connection.prepare(`INSERT INTO forms (${columns}) VALUES (${columns.map(() => '?')})`)
  const keep = createKeep(connection, 'forms')
  const newer = connection
    .prepare<[after: number], [id: number, ...Bound[]]>(`SELECT id, ${columns} FROM forms WHERE id > ?`)
    .raw()
  /** By their values as JSON. */
  const ids = new Map<string, FoundForm>()
  /** Those of the last rows of a series: to compare with them costs a tenth of making JSON. */
  const recent = new Map<number, { like: Formed; form: FoundForm }[]>()
  let last = 0

  const refresh = () => {
    for (const [id, ...values] of newer.iterate(last)) {
      last = id
      ids.set(JSON.stringify(values), { id, isWhole: true })
    }
  }
  refresh()

  const make = (key: string, values: Bound[]): FoundForm => {
    const id = Number(insert.run(values).lastInsertRowid)
    keep(id, values)
    const form = { id, isWhole: true }
    ids.set(key, form)
    last = id
    return form
  }

  const find = (row: Formed): FoundForm => {
    const values = toValues(row)
    const key = JSON.stringify(values)
    const known = ids.get(key)
    if (known) return known
    const from = row.attempts.some(({ outcome }) => outcome === 'answered') ? 'answered' : 'refused'
    if (ids.size < MAX_FORMS[from] && key.length <= MAX_KEY) return make(key, values)
    const bare = toValues({ ...row, servedModel: null, changes: [], attempts: [] })
    const bareKey = JSON.stringify(bare)
    const { id } = ids.get(bareKey) ?? make(bareKey, bare)
    return { id, isWhole: false }
  }

  return {
    refresh,
    reset() {
      ids.clear()
      recent.clear()
      last = 0
      refresh()
    },
    of(row, series) {
      const before = recent.get(series)
      if (before) for (const { like, form } of before) if (isAlike(like, row)) return form
      const form = find(row)
      if (!form.isWhole) return form
      if (recent.size >= MAX_SERIES) recent.clear()
      // The newest first: the oldest gives way.
      recent.set(series, [{ like: copy(row), form }, ...(before ?? [])].slice(0, MAX_RECENT))
      return form
    },
  }
}

/** In the order of the columns. */
const toValues = (row: Formed): Bound[] => [
  row.method,
  row.servedModel,
  row.stream ? 1 : 0,
  row.usage.source,
  row.estimateReason,
  row.priceSource,
  row.cache,
  JSON.stringify(row.changes),
  JSON.stringify(row.attempts.map(({ durationMs, ...attempt }) => attempt)),
]

/** Without what else the row holds, and what may change about it. */
const copy = (row: Formed): Formed => ({
  method: row.method,
  servedModel: row.servedModel,
  stream: row.stream,
  usage: { source: row.usage.source },
  estimateReason: row.estimateReason,
  priceSource: row.priceSource,
  cache: row.cache,
  changes: row.changes.slice(),
  attempts: row.attempts.map((attempt) => ({ ...attempt })),
})

function isAlike(a: Formed, b: Formed): boolean {
  return (
    a.stream === b.stream &&
    a.servedModel === b.servedModel &&
    a.method === b.method &&
    a.usage.source === b.usage.source &&
    a.estimateReason === b.estimateReason &&
    a.priceSource === b.priceSource &&
    a.cache === b.cache &&
    a.changes.length === b.changes.length &&
    a.changes.every((change, i) => change === b.changes[i]) &&
    a.attempts.length === b.attempts.length &&
    a.attempts.every((attempt, i) => isSameAttempt(attempt, b.attempts[i]!))
  )
}

const isSameAttempt = (a: AttemptRecord, b: AttemptRecord): boolean =>
  a.provider === b.provider &&
  a.model === b.model &&
  a.outcome === b.outcome &&
  a.status === b.status &&
  a.error === b.error
