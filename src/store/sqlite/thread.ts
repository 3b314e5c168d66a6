import { parentPort, type Transferable, Worker } from 'node:worker_threads'
import { StoreError } from '../store.ts'
import { toStoreError } from './errors.ts'

/** What a thread can be asked. */
type Calls = { [name: string]: (...args: never[]) => unknown }
type Message = { id: number; name: string; args: unknown[] }
/** `kind` is null when the error is none of the store's. */
type Reply =
  | { id: number; value: unknown }
  | { id: number; error: { kind: StoreError['kind'] | null; message: string } }

/** Work beside the event loop, one call after the other. All reject with `StoreError`. */
export type Thread<C extends Calls> = {
  ask<Name extends keyof C & string>(
    name: Name,
    args: Parameters<C[Name]>,
    transfer?: Transferable[],
  ): Promise<Awaited<ReturnType<C[Name]>>>
  close(): Promise<void>
}

type Options = {
  /** A script that ends with `serve`. */
  script: URL
  /** As people know it: `reader of the ledger`. */
  name: string
  /** Asked at each start. */
  workerData(): unknown
  /** A call that takes longer ends the thread. */
  limitMs: number
  maxWaiting: number
  /** What to do about a call that took too long: a sentence, with a blank in front. */
  advice?: string
}

type Waiting = {
  message: Message
  transfer: Transferable[]
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The thread is started by the first call, and again after a failure. While it has nothing to do it holds no process up. */
export function createThread<C extends Calls>(options: Options): Thread<C> {
  const { script, name, workerData, limitMs, maxWaiting, advice = '' } = options
  let worker: Worker | null = null
  let running: Waiting | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let nextId = 0
  const waiting: Waiting[] = []

  const start = (): Worker => {
    const started = new Worker(script, { name, workerData: workerData() })
    started.on('message', (reply: Reply) => {
      if (started === worker) finish(reply)
    })
    started.on('error', (cause) => {
      if (started === worker) fail(failure(`The ${name} failed; try again.`, cause))
    })
    started.on('exit', () => {
      if (started === worker) fail(failure(`The ${name} ended; try again.`))
    })
    return started
  }

  const next = () => {
    const call = waiting.shift()
    if (!call) return void worker?.unref()
    worker ??= start()
    worker.ref()
    running = call
    timer = setTimeout(() => fail(failure(`The ${name} took more than ${limitMs / 1000} seconds.${advice}`)), limitMs)
    worker.postMessage(call.message, call.transfer)
  }

  const settle = (): Waiting | null => {
    clearTimeout(timer)
    const call = running
    running = null
    return call
  }

  const finish = (reply: Reply) => {
    if (reply.id !== running?.message.id) return
    const call = settle()
    if ('value' in reply) call?.resolve(reply.value)
    else call?.reject(new StoreError(reply.error.kind ?? 'unavailable', reply.error.message))
    next()
  }

  /** Ends the thread with what it was doing; the next call has a new one. */
  const fail = (error: StoreError) => {
    void worker?.terminate()
    worker = null
    settle()?.reject(error)
    next()
  }

  return {
    ask(call, args, transfer = []) {
      if (closed) return Promise.reject(failure('The database connection is not open.'))
      if (waiting.length >= maxWaiting) return Promise.reject(new StoreError('busy', `The ${name} is busy: try again.`))
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      waiting.push({ message: { id: nextId++, name: call, args }, transfer, resolve, reject })
      if (!running) next()
      return promise as Promise<never>
    },
    async close() {
      closed = true
      const error = failure('The database was closed meanwhile.')
      for (const { reject } of waiting.splice(0)) reject(error)
      const last = worker
      worker = null
      settle()?.reject(error)
      await last?.terminate()
    },
  }
}

const failure = (message: string, cause?: unknown) => new StoreError('unavailable', message, { cause })

/** In the thread: answers with `calls`. `place` is named in errors. Bytes are handed over, not copied. */
export function serve<C extends Calls>(calls: C, place: string): void {
  parentPort!.on('message', async (message: Message) => {
    const reply = await answer(calls, place, message)
    const bytes = 'value' in reply && reply.value instanceof Uint8Array ? [reply.value.buffer as ArrayBuffer] : []
    parentPort!.postMessage(reply, bytes)
  })
}

async function answer(calls: Calls, place: string, { id, name, args }: Message): Promise<Reply> {
  try {
    return { id, value: await calls[name]!(...(args as never[])) }
  } catch (cause) {
    const error = toStoreError(cause, place)
    const kind = error instanceof StoreError ? error.kind : null
    return { id, error: { kind, message: String(Object(error).message ?? error) } }
  }
}
