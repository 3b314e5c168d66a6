import { Worker } from 'node:worker_threads'
import { StoreError } from '../../store/store.ts'
import type { Job, JobReply, JobResult } from './worker.ts'

/**
 * Runs the job in a worker thread of its own, with a connection of its own, and gives its memory back afterwards. `signal` ends it
 * where it stands. Rejects with `StoreError`.
 */
export function runJob<Name extends Job['name']>(
  job: Job & { name: Name },
  signal: AbortSignal,
): Promise<JobResult[Name]> {
  const { promise, resolve, reject } = Promise.withResolvers<JobResult[Name]>()
  if (signal.aborted) return Promise.reject(stopped())
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: job.name, workerData: job })
  const stop = () => {
    reject(stopped())
    void worker.terminate()
  }
  signal.addEventListener('abort', stop, { once: true })
  worker.on('message', (reply: JobReply) => {
    // The worker knows which result belongs to which job.
    if ('value' in reply) resolve(reply.value as JobResult[Name])
    else reject(new StoreError(reply.error.kind ?? 'unavailable', reply.error.message))
  })
  worker.on('error', (cause) => reject(new StoreError('unavailable', 'The worker of the ledger failed.', { cause })))
  worker.on('exit', () => {
    signal.removeEventListener('abort', stop)
    reject(new StoreError('unavailable', 'The worker of the ledger ended without a result.'))
  })
  return promise
}

const stopped = () => new StoreError('unavailable', 'The gateway ends.')
