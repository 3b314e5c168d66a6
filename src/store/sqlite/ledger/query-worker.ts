import { parentPort, workerData } from 'node:worker_threads'
import { type Renderer, StoreError } from '../../store.ts'
import { toStoreError } from '../errors.ts'
import { createQueries, type Queries } from './queries.ts'

export type QueryMessage = { id: number; name: keyof Queries; args: unknown[]; renderer?: Renderer }
/** `kind` is null when the error is none of the store's. */
export type QueryReply =
  | { id: number; value: unknown }
  | { id: number; error: { kind: StoreError['kind'] | null; message: string } }

const { folder, path } = workerData as { folder: string; path: string }
const queries = createQueries(folder, path)

parentPort!.on('message', async ({ id, name, args, renderer }: QueryMessage) => {
  try {
    const query = queries[name] as (...args: unknown[]) => unknown
    const value = query(...args)
    if (!renderer) return parentPort!.postMessage({ id, value } satisfies QueryReply)
    const bytes = await render(renderer, value)
    // Handed over, not copied.
    parentPort!.postMessage({ id, value: bytes } satisfies QueryReply, [bytes.buffer])
  } catch (cause) {
    const error = toStoreError(cause, folder)
    const kind = error instanceof StoreError ? error.kind : null
    const message = String(Object(error).message ?? error)
    parentPort!.postMessage({ id, error: { kind, message } } satisfies QueryReply)
  }
})

async function render({ module, input }: Renderer, value: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const { default: toText } = (await import(module)) as { default(value: unknown, input: unknown): string }
  return new TextEncoder().encode(toText(value, input))
}
