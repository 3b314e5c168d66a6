import type { Page, PageOf } from '../store.ts'
import { type AnyColumn, desc, type SQL, sql } from './drizzle.ts'

/** A listed table: `at` orders it, `seq` decides among rows of the same millisecond, `id` is what callers name a row by. */
type Listed = { id: AnyColumn; at: AnyColumn; seq: AnyColumn }

export function newestFirst({ at, seq }: Listed): [SQL, SQL] {
  return [desc(at), desc(seq)]
}

/** The rows that come after the page's cursor; none when its row is unknown. */
export function beyond({ id, at, seq }: Listed, { after }: Page): SQL | undefined {
  return after === undefined
    ? undefined
    : sql`(${at}, ${seq}) < (select ${at}, ${seq} from ${id.table} where ${id} = ${after})`
}

/** Takes rows queried with a limit of one more than the page's. */
export function toPage<T>(rows: T[], { limit }: Page): PageOf<T> {
  return { data: rows.slice(0, limit), hasMore: rows.length > limit }
}
