import { parentPort, workerData } from 'node:worker_threads'
import type { PriceConfig } from '../../config/config.ts'
import { goLast } from '../../low-priority.ts'
import { openStore } from '../../store/open.ts'
import { type Drift, type Store, StoreError, type VerifyQuery } from '../../store/store.ts'
import { createPrices } from '../prices/prices.ts'
import { type RepriceQuery, type RepriceResult, repriceRows } from './reprice.ts'

/** What takes long and must not hold requests up. */
export type Job =
  | { name: 'reprice'; dataDir: string; prices: PriceConfig; query: RepriceQuery }
  | { name: 'verify'; dataDir: string; query: VerifyQuery }
export type JobResult = { reprice: RepriceResult; verify: Drift[] }

/** `kind` is null when the error is none of the store's. */
export type JobReply = { value: unknown } | { error: { kind: StoreError['kind'] | null; message: string } }

async function run(job: Job): Promise<JobReply> {
  let store: Store | undefined
  try {
    store = await openStore({ dataDir: job.dataDir })
    if (job.name === 'verify') return { value: await store.ledger.verify(job.query) }
    return { value: await repriceRows(store.ledger, createPrices(job.prices), job.query) }
  } catch (error) {
    const kind = error instanceof StoreError ? error.kind : null
    return { error: { kind, message: String(Object(error).message ?? error) } }
  } finally {
    await store?.close()
  }
}

goLast()
parentPort!.postMessage(await run(workerData as Job))
