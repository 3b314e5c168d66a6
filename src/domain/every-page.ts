import { setImmediate } from 'node:timers/promises'
import type { Page, PageOf } from '../store/store.ts'

/**
 * The rows of a list, page after page, until there are `most` of them or no more. Between two pages requests of clients have their turn:
 * an embedded store answers without letting go of the event loop.
 */
export async function everyPage<T>(
  list: (page: Page) => Promise<PageOf<T>>,
  idOf: (row: T) => string,
  { limit, most }: { limit: number; most: number },
): Promise<T[]> {
  const found: T[] = []
  for (let after: string | undefined; found.length < most; ) {
    const { data, hasMore } = await list({ limit, ...(after !== undefined && { after }) })
    found.push(...data)
    const last = data.at(-1)
    if (!hasMore || last === undefined) break
    after = idOf(last)
    await setImmediate()
  }
  return found
}
