import type { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import type { Config } from '../config/config.ts'
import { describeError } from '../logger.ts'

export type UpstreamRequest = {
  origin: string
  /** Path and query. */
  path: string
  method: string
  /** Flat list: name, value, name, value … */
  headers: string[]
  body: Buffer | Readable | null
}

/** Who takes the answer, once its first byte (or its end) is there. */
export type Receiver = {
  onData(piece: Buffer): void
  onEnd(): void
  /** The answer broke off. */
  onFailure(failure: UpstreamFailure): void
}

/** Why there is no answer, or not the whole of it. `message` is for the log: it may name hosts. */
export class UpstreamFailure extends Error {
  readonly kind: 'unreachable' | 'timeout' | 'client_stalled' | 'cut' | 'cancelled'
  /** The request cannot have been executed: another try is always safe. */
  readonly unsent: boolean
  constructor(
    kind: UpstreamFailure['kind'],
    message: string,
    { unsent = false, cause }: { unsent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'UpstreamFailure'
    this.kind = kind
    this.unsent = unsent
  }
}

export type Upstreams = {
  /**
   * One attempt. Resolves with the answer at its first byte; rejects with `UpstreamFailure` when none came. `limits`: where they are
   * not the usual ones; the one for connecting is the same for all.
   */
  start(request: UpstreamRequest, totalDeadlineMs: number, limits?: Timeouts): Answer
  close(): Promise<void>
}

type Timeouts = Config['timeouts']

/**
 * undici under all requests. All time limits are kept by one sweep over the attempts under way, so that no stream has a timer of
 * its own and a piece of an answer costs no call to the clock.
 */
export function createUpstreams({ timeouts, pool }: Pick<Config, 'timeouts' | 'pool'>): Upstreams {
  const agent = new Agent({
    connect: { timeout: timeouts.connectMs },
    keepAliveTimeout: pool.idleMs,
    keepAliveMaxTimeout: pool.idleMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 64 * 1024,
  })
  const underWay = new Set<Answer>()
  const runningByOrigin = new Map<string, number>()
  let sweepMs = sweepFor(timeouts)
  const check = () => {
    const now = performance.now()
    for (const answer of underWay) answer.checkTime(now)
  }
  let sweep = setInterval(check, sweepMs).unref()
  const sweepMoreOften = (ms: number) => {
    clearInterval(sweep)
    sweepMs = ms
    sweep = setInterval(check, ms).unref()
  }

  return {
    start(request, totalDeadlineMs, limits = timeouts) {
      if (limits !== timeouts && sweepFor(limits) < sweepMs) sweepMoreOften(sweepFor(limits))
      const running = (runningByOrigin.get(request.origin) ?? 0) + 1
      runningByOrigin.set(request.origin, running)
      const answer = new Answer(totalDeadlineMs, limits, () => {
        underWay.delete(answer)
        const left = runningByOrigin.get(request.origin)! - 1
        if (left === 0) runningByOrigin.delete(request.origin)
        else runningByOrigin.set(request.origin, left)
      })
      underWay.add(answer)
      agent.dispatch(
        {
          ...request,
          method: request.method as Dispatcher.HttpMethod,
          // More connections than this are opened under load, but not kept.
          reset: running > pool.connectionsPerHost,
        },
        answer,
      )
      return answer
    },
    async close() {
      clearInterval(sweep)
      await agent.destroy()
    },
  }
}

/** Milliseconds between two looks at the clock, so that the shortest limit is kept within a quarter. */
const sweepFor = (timeouts: Timeouts) => Math.min(250, Math.max(10, Math.min(...Object.values(timeouts)) / 4))

/** One attempt and its answer. Collects what comes until a receiver is there; knows nothing of clients. */
export class Answer implements Dispatcher.DispatchHandler {
  status = 0
  statusText = ''
  /** As the provider sent them: flat list of names and values. */
  headers: string[] = []
  /** Settles at the first byte of the body, at an answer without body, or when there is none to expect. */
  readonly ready: Promise<void>
  readonly startedAt = performance.now()
  headersAt = 0
  firstByteAt = 0
  ended = false
  failure: UpstreamFailure | null = null

  #deadline: number
  #bytesLeft = Number.POSITIVE_INFINITY
  readonly #limits: Timeouts
  readonly #onOver: () => void
  #resolveReady!: () => void
  #rejectReady!: (failure: UpstreamFailure) => void
  #controller: Dispatcher.DispatchController | null = null
  #receiver: Receiver | null = null
  #pieces: Buffer[] = []
  #sentAt = 0
  #heardSinceSweep = false
  #silentSince = 0
  #upload: Readable | null = null
  #over = false
  #onPiece: (() => void) | null = null

  constructor(deadline: number, limits: Timeouts, onOver: () => void) {
    this.#deadline = deadline
    this.#limits = limits
    this.#onOver = onOver
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
  }

  /** True when the whole answer is here already. */
  get complete(): boolean {
    return this.ended
  }

  /** Hands over what has come so far, then all that follows. */
  deliverTo(receiver: Receiver): void {
    this.#receiver = receiver
    const pieces = this.#pieces
    this.#pieces = []
    for (const piece of pieces) receiver.onData(piece)
    if (this.failure) receiver.onFailure(this.failure)
    else if (this.ended) receiver.onEnd()
  }

  /** What comes, until it ends, breaks off, or is longer than `mostBytes`. It still waits for its receiver. */
  async peek(mostBytes: number): Promise<Buffer> {
    let bytes = 0
    await this.watch((piece) => {
      bytes += piece.length
      return bytes > mostBytes
    })
    return Buffer.concat(this.#pieces)
  }

  /**
   * Shows each piece, those that came before among them, until `isEnough` says so, or the answer is over. It still waits for its
   * receiver, and for as long as it waits the time limit is that of the first token.
   */
  watch(isEnough: (piece: Buffer) => boolean): Promise<void> {
    let seen = 0
    return new Promise((resolve) => {
      const look = () => {
        while (seen < this.#pieces.length) {
          if (isEnough(this.#pieces[seen++]!)) return done()
        }
        if (this.#over) done()
      }
      const done = () => {
        this.#onPiece = null
        resolve()
      }
      this.#onPiece = look
      look()
    })
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#heardSinceSweep = true
    if (!this.#over) this.#controller?.resume()
  }

  /** While a request body is still on its way, the provider owes nothing yet. Call with null at the body's end. */
  setUpload(upload: Readable | null): void {
    this.#upload = upload
    this.#heardSinceSweep = true
    this.#sentAt = performance.now()
  }

  /** The upload moves. */
  touch(): void {
    this.#heardSinceSweep = true
  }

  /** From now on no more than so many bytes, and not past `deadline` (of the monotonic clock). */
  limit(bytes: number, deadline: number): void {
    this.#bytesLeft = bytes
    this.#deadline = Math.min(this.#deadline, deadline)
  }

  /** Ends the attempt now; the provider's connection is closed. */
  cancel(failure: UpstreamFailure): void {
    if (this.#over) return
    this.#fail(failure)
    this.#controller?.abort(failure)
  }

  checkTime(now: number): void {
    if (this.#over) return
    const { connectMs, headersMs, firstTokenMs, idleMs } = this.#limits
    if (now > this.#deadline)
      return this.cancel(new UpstreamFailure('timeout', 'The whole answer took too long (HTTP_TIMEOUT).'))
    if (this.#heardSinceSweep || this.#controller?.paused) {
      this.#heardSinceSweep = false
      this.#silentSince = now
    }
    const silentMs = now - this.#silentSince
    if (this.#controller === null) {
      // undici ends a connection attempt itself; this is for a request that waits in its queue.
      if (now - this.startedAt > connectMs * 2 + 1000) {
        this.cancel(new UpstreamFailure('timeout', 'No connection to the provider in time.', { unsent: true }))
      }
    } else if (this.#upload !== null) {
      if (silentMs <= idleMs) return
      // With nothing waiting to be taken, it is the client who sends nothing.
      const stalled = this.#upload.readableLength === 0 ? 'client_stalled' : 'timeout'
      this.cancel(new UpstreamFailure(stalled, 'The upload stalled.'))
    } else if (this.headersAt === 0) {
      if (now - this.#sentAt > headersMs)
        this.cancel(new UpstreamFailure('timeout', `No response headers within ${headersMs} ms.`))
    } else if (this.firstByteAt === 0 || this.#onPiece !== null) {
      if (now - this.#sentAt > firstTokenMs)
        this.cancel(new UpstreamFailure('timeout', `No first token within ${firstTokenMs} ms.`))
    } else if (silentMs > idleMs) {
      this.cancel(new UpstreamFailure('timeout', `The answer stalled for ${idleMs} ms.`))
    }
  }

  // What follows is called by undici.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#sentAt = performance.now()
    this.#silentSince = this.#sentAt
    // Cancelled while it waited for a connection.
    if (this.#over) controller.abort(this.failure ?? new UpstreamFailure('cancelled', 'Cancelled.'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (status < 200) return
    this.status = status
    this.statusText = (statusText ?? '').replace(UNPRINTABLE, '?')
    this.headers = ((controller.rawHeaders ?? []) as Buffer[]).map((part) => part.toString('latin1'))
    this.headersAt = performance.now()
    this.#heardSinceSweep = true
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#heardSinceSweep = true
    this.#bytesLeft -= piece.length
    if (this.#bytesLeft < 0) return this.cancel(new UpstreamFailure('cancelled', 'Too much to read for a count.'))
    if (this.#receiver) return this.#receiver.onData(piece)
    this.#pieces.push(piece)
    this.#onPiece?.()
    if (this.firstByteAt === 0) {
      this.firstByteAt = performance.now()
      this.#resolveReady()
    }
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.ended = true
    this.#finish()
    this.#resolveReady()
    this.#receiver?.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(toFailure(error, this.#controller === null, this.headersAt !== 0))
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#over) return
    this.failure = failure
    this.#finish()
    if (this.#receiver) this.#receiver.onFailure(failure)
    // With a first byte in hand there is an answer, though a broken one: the receiver will hear of it.
    else if (this.firstByteAt === 0) this.#rejectReady(failure)
  }

  #finish(): void {
    this.#over = true
    this.#onOver()
    this.#onPiece?.()
  }
}

/** What Node does not send in a status line. */
const UNPRINTABLE = /[^\t\x20-\x7e\x80-\xff]/g

const CONNECT_ERRORS = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function toFailure(error: Error, neverStarted: boolean, answered: boolean): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const message = describeError(error)
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new UpstreamFailure('timeout', message, { unsent: true, cause: error })
  const unsent = neverStarted || CONNECT_ERRORS.has(code)
  return new UpstreamFailure(answered ? 'cut' : 'unreachable', message, { unsent, cause: error })
}
