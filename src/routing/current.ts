import type { Store } from '../store/store.ts'
import { toRoute } from './stored-route.ts'
import type { Route, Routing } from './types.ts'

export type CurrentRouting = {
  /**
   * All of it, as it holds for a request that begins now: the file's routes, behind them the database's. The same object until
   * something changes; whoever has begun with one keeps it. Waits for the database only behind a change. Throws `StoreError`.
   */
  current(): Routing | Promise<Routing>
  /** What the file says, without the database's routes. */
  ofFile(): Routing
  /** The file says something else from now on. */
  replace(file: Routing): void
}

type Options = { store: { routes: Pick<Store['routes'], 'list'>; revision: Store['revision'] }; file: Routing }

/**
 * Every look asks `store.revision()` first: a change by a management call of this process, or by any other on the same database,
 * holds for the next request.
 */
export function createRouting({ store, file: initial }: Options): CurrentRouting {
  let file = initial
  let merged: Routing | null = null
  let revision: number | null = null
  /** The database's, and the same as text: most revisions are not about routes. */
  let stored: { routes: Route[]; text: string } = { routes: [], text: '[]' }
  let loading: { revision: number; done: Promise<void> } | null = null
  let loads = 0

  const merge = () => {
    merged ??= stored.routes.length === 0 ? file : { ...file, routes: [...file.routes, ...stored.routes] }
    return merged
  }

  const load = async (begun: number) => {
    const own = ++loads
    const rows = await store.routes.list()
    // Another has begun behind a later change: its rows are the newer ones.
    if (own !== loads) return loading?.done
    const text = JSON.stringify(rows)
    if (text !== stored.text) {
      stored = { routes: rows.map(toRoute), text }
      merged = null
    }
    // A change since then may have made these rows old: they serve the request that came before it, and the next one reads again.
    if (begun === store.revision()) revision = begun
  }

  return {
    current() {
      const now = store.revision()
      if (now === revision) return merge()
      if (loading?.revision !== now) {
        const done = load(now).finally(() => {
          if (loading?.done === done) loading = null
        })
        loading = { revision: now, done }
      }
      return loading.done.then(merge)
    },
    ofFile: () => file,
    replace(next) {
      file = next
      merged = null
    },
  }
}
