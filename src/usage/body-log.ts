import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { BodyStore, RawBodies, RawRequest, RawResponse } from '../store/store.ts'

/** Bodies gather so long before they are written: a batch costs one commit. What is lost when the process is killed. */
const GATHERING_MS = 25
/** What may wait while a batch is being written. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024
const MAX_WAITING = 5_000
/** About what the objects themselves take. */
const OVERHEAD_BYTES = 1_024
const SAID_EVERY_MS = 60_000
/** The end of the process waits so long for what is left. */
const CLOSING_MS = 5_000

export type BodyLog = {
  /** What is wanted. */
  readonly keeps: Keeps
  /** Never waits and never throws: what cannot be kept is counted, and said once a minute. */
  record(bodies: RawBodies): void
  /** Comes when all that was recorded so far is written, or lost. */
  flush(): Promise<void>
  close(): Promise<void>
}

type Keeps = Pick<Config['bodyLog'], 'request' | 'response' | 'maxBytes'>

type Options = {
  keeps: Keeps
  store: Pick<BodyStore, 'append'>
  metrics: Pick<Metrics, 'bodiesKept' | 'bodiesLost'>
  log: Pick<Logger, 'warn'>
  /** For tests. */
  maxWaiting?: number
  maxWaitingBytes?: number
}

/** The way of bodies to the disk: one batch is written while the next one gathers. Beyond its bounds they are dropped. */
export function createBodyLog({
  keeps,
  store,
  metrics,
  log,
  maxWaiting = MAX_WAITING,
  maxWaitingBytes = MAX_WAITING_BYTES,
}: Options): BodyLog {
  let next: RawBodies[] = []
  let nextBytes = 0
  let writing: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const losses = createLossReport(log)

  const lose = (reason: 'queue_full' | 'failed', count: number, cause?: unknown) => {
    if (count === 0) return
    metrics.bodiesLost(reason, count)
    losses.add(count, cause ?? reason)
  }

  const write = () => {
    clearTimeout(timer)
    timer = undefined
    if (writing !== null || next.length === 0) return
    const batch = next
    next = []
    nextBytes = 0
    writing = append(batch).then(() => {
      writing = null
      write()
    })
  }

  const append = async (batch: RawBodies[]) => {
    try {
      const kept = await store.append(batch)
      metrics.bodiesKept(kept)
      lose('failed', batch.length - kept)
    } catch (cause) {
      lose('failed', batch.length, cause)
    }
  }

  const flush = async () => {
    write()
    // What is being written, and what has gathered meanwhile.
    for (let batches = 2; batches > 0 && writing !== null; batches--) await writing
  }

  return {
    keeps,
    record(bodies) {
      const bytes = sizeOf(bodies)
      if (closed || next.length >= maxWaiting || nextBytes + bytes > maxWaitingBytes) return lose('queue_full', 1)
      next.push(bodies)
      nextBytes += bytes
      if (writing === null) timer ??= setTimeout(write, GATHERING_MS)
    },
    flush,
    async close() {
      closed = true
      await Promise.race([flush(), delay(CLOSING_MS, undefined, { ref: false })])
      losses.close()
    },
  }
}

const sizeOf = ({ request, response }: RawBodies) => OVERHEAD_BYTES + sizeOfPart(request) + sizeOfPart(response)

function sizeOfPart(part: RawRequest | RawResponse | null): number {
  if (part === null) return 0
  let bytes = part.body.bytes.length
  for (const text of part.headers) bytes += text.length
  return bytes
}

/** The first loss at once, then all of a minute together. */
function createLossReport(log: Pick<Logger, 'warn'>) {
  let lost = 0
  let last: unknown
  let timer: NodeJS.Timeout | undefined
  const say = () => {
    timer = undefined
    if (lost === 0) return
    log.warn('bodies of requests were not kept', { requests: lost, cause: last })
    lost = 0
    timer = setTimeout(say, SAID_EVERY_MS).unref()
  }
  return {
    add(count: number, cause: unknown) {
      lost += count
      last = cause
      if (timer === undefined) say()
    },
    close() {
      clearTimeout(timer)
      say()
      clearTimeout(timer)
    },
  }
}
