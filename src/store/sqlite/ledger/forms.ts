import type { AttemptRecord, LedgerRow } from '../../store.ts'
import type { Connection } from '../connect.ts'
import type { Bound } from './columns.ts'
import { createKeep, DICTIONARIES } from './spare.ts'

/** Distinct forms in a month: of answered requests, and of those that were refused before a provider answered. */
const MAX_FORMS = { answered: 5_000, refused: 1_000 }
const MAX_KEY = 1_000

/** What repeats from row to row beside its series. */
export type Formed = Pick<
  LedgerRow,
  'method' | 'servedModel' | 'stream' | 'estimateReason' | 'priceSource' | 'cache' | 'changes' | 'attempts'
> & { usage: Pick<LedgerRow['usage'], 'source'> }

/** `isWhole`: the form says all of it; else the row has to say itself what its names and attempts are. */
export type FoundForm = { id: number; isWhole: boolean }

/** Finds or makes the form of a row. Callers choose names of models, so forms with names have a bound; those without them need none. */
export type FormIndex = {
  of(row: Formed): FoundForm
  /** Another process may have made some. */
  refresh(): void
  /** Forgets what it has seen: after a rollback. */
  reset(): void
}

export function createFormIndex(connection: Connection): FormIndex {
  const columns = DICTIONARIES.forms
  const insert = connection.prepare(`INSERT INTO forms (${columns}) VALUES (${columns.map(() => '?')})`)
  const keep = createKeep(connection, 'forms')
  const newer = connection.prepare<[after: number], RawForm>('SELECT * FROM forms WHERE id > ?')
  const ids = new Map<string, FoundForm>()
  let last = 0

  const refresh = () => {
    for (const raw of newer.iterate(last)) {
      last = raw.id
      ids.set(keyOf(fromRaw(raw)), { id: raw.id, isWhole: true })
    }
  }
  refresh()

  const make = (key: string, row: Formed): FoundForm => {
    const values = toRaw(row)
    const id = Number(insert.run(values).lastInsertRowid)
    keep(id, values)
    const form = { id, isWhole: true }
    ids.set(key, form)
    last = id
    return form
  }

  return {
    refresh,
    reset() {
      ids.clear()
      last = 0
      refresh()
    },
    of(row) {
      const key = keyOf(row)
      const known = ids.get(key)
      if (known) return known
      const from = row.attempts.some(({ outcome }) => outcome === 'answered') ? 'answered' : 'refused'
      if (ids.size < MAX_FORMS[from] && key.length <= MAX_KEY) return make(key, row)
      const bare = { ...row, servedModel: null, attempts: [] }
      const bareKey = keyOf(bare)
      const { id } = ids.get(bareKey) ?? make(bareKey, bare)
      return { id, isWhole: false }
    },
  }
}

/** Lengths keep names apart, whatever is in them. */
function keyOf({ method, servedModel, stream, usage, estimateReason, priceSource, cache, changes, attempts }: Formed) {
  let key = `${method} ${stream} ${usage.source} ${estimateReason} ${cache} ${priceSource} ${named(servedModel)}`
  for (const change of changes) key += ` ${named(change)}`
  for (const { provider, model, outcome, status, error } of attempts)
    key += `\n${provider} ${outcome} ${status} ${error} ${named(model)}`
  return key
}

const named = (name: string | null) => (name === null ? '' : `${name.length}:${name}`)

type RawForm = {
  id: number
  method: string
  served_model: string | null
  stream: number
  usage_source: string
  estimate_reason: string | null
  price_source: string | null
  cache: string
  changes: string
  attempts: string
}

/** In the order of its columns. */
const toRaw = (row: Formed): Bound[] => [
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

// The columns were written by `toRaw`.
const fromRaw = (raw: RawForm): Formed => ({
  method: raw.method,
  servedModel: raw.served_model,
  stream: raw.stream === 1,
  usage: { source: raw.usage_source as LedgerRow['usage']['source'] },
  estimateReason: raw.estimate_reason as LedgerRow['estimateReason'],
  priceSource: raw.price_source,
  cache: raw.cache as LedgerRow['cache'],
  changes: JSON.parse(raw.changes),
  attempts: JSON.parse(raw.attempts) as AttemptRecord[],
})
