import Sqlite from 'better-sqlite3'
import type { LedgerRow, Page, PageOf, RequestFilter, Spend, SpendQuery, UsageQuery, UsageReport } from '../../store.ts'
import { createMonthReaders } from './month-reader.ts'
import { get, list } from './query-requests.ts'
import { usage } from './query-usage.ts'

/** What the worker can be asked; each reads what is committed when it begins. */
export type Queries = {
  list(filter: RequestFilter, page: Page): PageOf<LedgerRow>
  get(id: string): LedgerRow | null
  usage(query: UsageQuery): UsageReport
  spend(query: SpendQuery): Spend
}

/** `path`: the main file. */
export function createQueries(folder: string, path: string): Queries {
  const months = createMonthReaders(folder)
  let main: Sqlite.Database | undefined

  const open = () => {
    if (main) return main
    main = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5_000 })
    main.pragma('query_only = ON')
    return main
  }

  const tokensWith = (text: string) =>
    new Set(
      open()
        .prepare<[string], string>('SELECT id FROM tokens WHERE instr(lower(metadata), lower(?)) > 0')
        .pluck()
        .all(text),
    )

  /** Read once for each token of a report. */
  const metadata = () => {
    let byToken: Map<string, Record<string, unknown>> | undefined
    return (tokenId: string, key: string) => {
      byToken ??= new Map(
        open()
          .prepare<[], [string, string]>('SELECT id, metadata FROM tokens')
          .raw()
          .all()
          .map(([id, text]) => [id, JSON.parse(text)]),
      )
      const found = byToken.get(tokenId)
      const value = found && Object.hasOwn(found, key) ? found[key] : undefined
      return value === undefined || value === null || typeof value === 'object' ? null : JSON.stringify(value)
    }
  }

  return {
    list: (filter, page) =>
      list(months, filter, filter.metadata === undefined ? undefined : tokensWith(filter.metadata), page),
    get: (id) => get(months, id),
    usage: (query) => usage(months, metadata(), query),
    spend(filter) {
      const { totals } = usage(months, () => null, { groupBy: [], filter, times: false })
      return { costNanoUsd: totals.costNanoUsd, tokens: totals.inputTokens + totals.outputTokens }
    },
  }
}
