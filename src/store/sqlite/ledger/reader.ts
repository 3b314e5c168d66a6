import { Worker } from 'node:worker_threads'
import { type Renderer, StoreError } from '../../store.ts'
import type { Queries } from './queries.ts'
import type { QueryMessage, QueryReply } from './query-worker.ts'

const QUERY_MS = 30_000
const MAX_WAITING = 200

/** Runs queries in a worker thread, one after the other: reading never holds the event loop up. All reject with `StoreError`. */
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

type Waiting = { message: QueryMessage; resolve(value: unknown): void; reject(error: unknown): void }

/** `path`: the main file. The worker is started by the first query, and again after a failure. */
export function createLedgerReader(folder: string, path: string, { queryMs = QUERY_MS } = {}): LedgerReader {
  let worker: Worker | null = null
  let running: Waiting | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let nextId = 0
  const waiting: Waiting[] = []

  const start = (): Worker => {
    const started = new Worker(new URL('./query-worker.ts', import.meta.url), {
      name: 'ledger',
      workerData: { folder, path },
    })
    started.on('message', (reply: QueryReply) => {
      if (started === worker) finish(reply)
    })
    started.on('error', (cause) => {
      if (started === worker)
        fail(new StoreError('unavailable', 'The reader of the ledger failed; try again.', { cause }))
    })
    return started
  }

  const next = () => {
    const query = waiting.shift()
    if (!query) return void worker?.unref()
    worker ??= start()
    worker.ref()
    running = query
    timer = setTimeout(() => fail(tooLong(queryMs)), queryMs)
    worker.postMessage(query.message)
  }

  const settle = (): Waiting | null => {
    clearTimeout(timer)
    const query = running
    running = null
    return query
  }

  const finish = (reply: QueryReply) => {
    if (reply.id !== running?.message.id) return
    const query = settle()
    if ('value' in reply) query?.resolve(reply.value)
    else query?.reject(new StoreError(reply.error.kind ?? 'unavailable', reply.error.message))
    next()
  }

  /** Ends the worker with what it was doing; the next query has a new one. */
  const fail = (error: StoreError) => {
    void worker?.terminate()
    worker = null
    settle()?.reject(error)
    next()
  }

  const send = (message: Omit<QueryMessage, 'id'>): Promise<never> => {
    if (closed) return Promise.reject(new StoreError('unavailable', 'The database connection is not open.'))
    if (waiting.length >= MAX_WAITING) return Promise.reject(tooMany())
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.push({ message: { id: nextId++, ...message }, resolve, reject })
    if (!running) next()
    return promise as Promise<never>
  }

  return {
    ask: (name, ...args) => send({ name, args }),
    render: (renderer, name, ...args) => send({ name, args, renderer }),
    async close() {
      closed = true
      const error = new StoreError('unavailable', 'The database was closed while it was read.')
      for (const { reject } of waiting.splice(0)) reject(error)
      const last = worker
      worker = null
      settle()?.reject(error)
      await last?.terminate()
    },
  }
}

const tooLong = (limitMs: number) =>
  new StoreError('unavailable', `The ledger was read for more than ${limitMs / 1000} seconds: ask for a shorter time.`)
const tooMany = () => new StoreError('busy', `${MAX_WAITING} reports wait already: try again later.`)
