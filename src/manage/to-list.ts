import type { PageOf } from '../store/store.ts'

/** A page of rows as a list of what people see. */
export function toList<Row, Item extends { id: string }>({ data, hasMore }: PageOf<Row>, present: (row: Row) => Item) {
  const items = data.map(present)
  return { data: items, has_more: hasMore, next_cursor: hasMore ? (items.at(-1)?.id ?? null) : null }
}
