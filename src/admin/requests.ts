import { ERROR_CODES } from '../errors.ts'
import type { LedgerRow } from '../store/store.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { type Names, readNames } from './names.ts'
import { COLUMNS, type Column, columnsOf } from './requests/columns.ts'
import { MAX_CSV_ROWS, requestsCsv } from './requests/csv.ts'
import { type Asked, readFilter, requireFilter } from './requests/filter.ts'

const PAGE_ROWS = 50
const LIVE_MS = 2_000
/** For the list of suggestions; any other can be typed. */
const MAX_SUGGESTED = 200

type Listed = { rows: LedgerRow[]; next: string | null; isFirst: boolean; isLive: boolean; columns: Column[] } & Names
type Data = Listed & {
  asked: Asked
  allColumns: readonly Column[]
  usualColumns: boolean
  maxCsvRows: number
  suggestions: { projects: string[]; providers: string[]; endpoints: readonly string[]; errors: readonly string[] }
}

/** The ledger: every request of a known caller, newest first. */
export const requests = definePage<Data>({
  path: '/requests',
  title: 'Requests',
  view: 'requests',
  nav: { icon: 'requests', key: 'r', group: 'Watch' },
  async load(visit) {
    const { reads, query, ctx } = visit
    const asked = await readFilter(query, reads)
    const { isUsual } = columnsOf(query)
    return {
      ...(await list(visit, asked)),
      asked,
      allColumns: COLUMNS,
      usualColumns: isUsual,
      maxCsvRows: MAX_CSV_ROWS,
      suggestions: {
        projects: (await reads.projects()).slice(0, MAX_SUGGESTED).map(({ name }) => name),
        providers: ctx.providers.list().map(({ name }) => name),
        endpoints: ENDPOINTS,
        errors: ERROR_CODES,
      },
    }
  },
  csv: async ({ reads, query }) => requestsCsv(reads, await requireFilter(query, reads)),
  live: {
    view: 'requests/rows',
    everyMs: LIVE_MS,
    load: async (visit) => list(visit, await readFilter(visit.query, visit.reads)),
  },
})

const ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/models',
]

async function list({ reads, query }: Visit, { filter, active }: Asked): Promise<Listed & { isFiltered: boolean }> {
  const after = query.text('after')
  const page = { limit: PAGE_ROWS, ...(after !== '' && { after: after.slice(0, 200) }) }
  const { data, hasMore } = filter === null ? { data: [], hasMore: false } : await reads.requests(filter, page)
  return {
    rows: data,
    next: hasMore ? (data.at(-1)?.requestId ?? null) : null,
    isFirst: after === '',
    // New requests come on top: of a later page, or of a time that is over, there are none.
    isLive: after === '' && filter !== null && filter.to === undefined,
    isFiltered: active.length > 0,
    columns: columnsOf(query).shown,
    ...(await readNames(reads, data)),
  }
}
