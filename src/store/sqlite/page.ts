import type { Page, PageOf } from '../store.ts'
import { type AnyColumn, and, desc, type SQL, type SQLiteSelect, sql } from './drizzle.ts'

/** A listed table: `at` orders it, `seq` decides among rows of the same millisecond, `id` is what callers name a row by. */
type Listed = { id: AnyColumn; at: AnyColumn; seq: AnyColumn }

/** The rows of a query that `where` lets through, newest first, from the page's cursor on: none when its row is unknown. */
export function readPage<T extends SQLiteSelect>(
  query: T,
  { id, at, seq }: Listed,
  { limit, after }: Page,
  where?: SQL,
): PageOf<Awaited<T>[number]> {
  const beyond =
    after === undefined
      ? undefined
      : sql`(${at}, ${seq}) < (select ${at}, ${seq} from ${id.table} where ${id} = ${after})`
  const rows = query
    .where(and(where, beyond))
    .orderBy(desc(at), desc(seq))
    .limit(limit + 1)
    .all() as Awaited<T>[number][]
  return { data: rows.slice(0, limit), hasMore: rows.length > limit }
}
