import { parentPort, workerData } from 'node:worker_threads'
import { StoreError } from '../../store.ts'
import { toStoreError } from '../errors.ts'
import { createQueries, type Queries } from './queries.ts'

export type QueryMessage = { id: number; name: keyof Queries; args: unknown[] }
/** `kind` is null when the error is none of the store's. */
export type QueryReply =
  | { id: number; value: unknown }
  | { id: number; error: { kind: StoreError['kind'] | null; message: string } }

const { folder, path } = workerData as { folder: string; path: string }
const queries = createQueries(folder, path)

parentPort!.on('message', ({ id, name, args }: QueryMessage) => {
  parentPort!.postMessage(answer(id, name, args))
})

function answer(id: number, name: keyof Queries, args: unknown[]): QueryReply {
  try {
    const query = queries[name] as (...args: unknown[]) => unknown
    return { id, value: query(...args) }
  } catch (cause) {
    const error = toStoreError(cause, folder)
    return {
      id,
      error: { kind: error instanceof StoreError ? error.kind : null, message: String(Object(error).message ?? error) },
    }
  }
}
