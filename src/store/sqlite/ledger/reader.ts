import type { Renderer } from '../../store.ts'
import { createThread } from '../thread.ts'
import type { Queries } from './queries.ts'
import type { QueryCalls, QueryWorkerData } from './query-worker.ts'

const QUERY_MS = 30_000
const MAX_WAITING = 200

/** Runs queries in a thread, one after the other: reading never holds the event loop up. All reject with `StoreError`. */
export type LedgerReader = {
  ask<Name extends keyof Queries>(name: Name, ...args: Parameters<Queries[Name]>): Promise<ReturnType<Queries[Name]>>
  /** The same as a text, in UTF-8. */
  render<Name extends keyof Queries>(
    renderer: Renderer,
    name: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<Uint8Array>
  close(): Promise<void>
}

/** `path`: the main file. The thread is started by the first query, and again after a failure. */
export function createLedgerReader(folder: string, path: string, { queryMs = QUERY_MS } = {}): LedgerReader {
  const thread = createThread<QueryCalls>({
    script: new URL('./query-worker.ts', import.meta.url),
    name: 'reader of the ledger',
    workerData: (): QueryWorkerData => ({ folder, path }),
    limitMs: queryMs,
    maxWaiting: MAX_WAITING,
    advice: ' Ask for a shorter time.',
  })
  return {
    ask: (name, ...args) => thread.ask('ask', [name, args]) as Promise<never>,
    render: (renderer, name, ...args) => thread.ask('render', [renderer, name, args]),
    close: thread.close,
  }
}
