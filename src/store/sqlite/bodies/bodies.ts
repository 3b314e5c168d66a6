import { secretsAfter } from '../../../redact.ts'
import type { BodyStore } from '../../bodies.ts'
import { monthOf } from '../ledger/month.ts'
import { createThread } from '../thread.ts'
import type { BodyCalls } from './body-calls.ts'
import { bodyFileOf, bodyMonthsIn } from './body-files.ts'
import type { BodyWorkerData } from './body-worker.ts'
import { pack } from './pack.ts'

/** A batch of the largest bodies takes a few seconds. */
const LIMIT_MS = 30_000
const MAX_WAITING = 100
const RESERVE_BYTES = 200 * 1024 * 1024

export type SqliteBodies = {
  store: BodyStore
  sizeBytes(sizeOf: (path: string) => number): number
  close(): Promise<void>
}

/** Bodies in files of their own, beside the ledger's. Nothing is opened, and no thread begins, before something is asked. */
export function createBodies(folder: string, { reserveBytes = RESERVE_BYTES } = {}): SqliteBodies {
  /** So many secrets the thread knows of. */
  let known = 0
  const thread = createThread<BodyCalls>({
    script: new URL('./body-worker.ts', import.meta.url),
    name: 'keeper of bodies',
    workerData(): BodyWorkerData {
      const secrets = secretsAfter(0)
      known = secrets.length
      return { folder, reserveBytes, secrets }
    },
    limitMs: LIMIT_MS,
    maxWaiting: MAX_WAITING,
  })

  return {
    store: {
      append(batch) {
        const secrets = secretsAfter(known)
        known += secrets.length
        const packed = pack(batch)
        return thread.ask('append', [packed, secrets], [packed.bytes])
      },
      get: ({ requestId, at }) => thread.ask('get', [monthOf(at), requestId]),
      async retention(before) {
        if (bodyMonthsIn(folder).length === 0) return { months: [], requests: 0, more: false }
        return thread.ask('prune', [before, Date.now()])
      },
    },
    sizeBytes: (sizeOf) =>
      bodyMonthsIn(folder)
        .map((month) => bodyFileOf(folder, month))
        .reduce((sum, path) => sum + sizeOf(path) + sizeOf(`${path}-wal`), 0),
    close: () => thread.close(),
  }
}
