import type { LedgerRow, LedgerStore, OpenRequest } from '../store/store.ts'

const RETRY_MS = 1_000
/**
 * A commit costs some 30 µs whatever is in it, so it waits for the rows of a few turns. Turns of an idle loop take microseconds,
 * those of a busy one bring more rows: at low load nobody waits, under load ten rows share a commit.
 */
const TURNS_A_COMMIT = 4

export type Ledger = {
  /** Writes the row with all others of this turn of the event loop; `done` comes when it is committed, or safe in the retry queue. */
  record(row: LedgerRow, countFor: string | null, done: () => void): void
  /** Counts one request against the token's `max_requests` before it leaves. False: used up. Throws when it cannot be written. */
  take(tokenId: string): Promise<boolean>
  /** Writes down that a request is about to leave with money reserved for it; its row ends that. Rejects when it cannot be written. */
  open(request: OpenRequest): Promise<void>
  /** True while rows cannot be written: no new request should be let in. */
  failing(): boolean
  /** Writes all that waits; the rows that still could not be written. */
  close(): Promise<LedgerRow[]>
}

type Options = {
  store: Pick<LedgerStore, 'append'>
  now(): number
  onFailure(error: unknown, pendingRows: number): void
  /** The row is written, but what was to follow threw. */
  onAnswerFailure(requestId: string, error: unknown): void
  onRecovery(): void
}

type Waiting = { row: LedgerRow; countFor: string | null; done: () => void }
type Take = { tokenId: string; resolve(taken: boolean): void; reject(error: unknown): void }
type Opening = { request: OpenRequest; resolve(): void; reject(error: unknown): void }
/** What waits for the next commit. */
type Batch = { rows: Waiting[]; takes: Take[]; opens: Opening[] }

/**
 * Group commit: everything that a few turns of the event loop want written is one transaction. When the database cannot be written
 * (disk full), the answers in flight still end, their rows wait here and are tried again every second.
 */
export function createLedger({ store, now, onFailure, onAnswerFailure, onRecovery }: Options): Ledger {
  let next = emptyBatch()
  let scheduled = false
  let closed = false
  let pending: Waiting[] = []
  let retryTimer: NodeJS.Timeout | undefined
  // One append at a time keeps the order, also with an engine that answers later.
  let writing: Promise<void> | null = null

  const schedule = () => {
    if (scheduled || writing) return
    scheduled = true
    setImmediate(nextTurn, TURNS_A_COMMIT)
  }

  const nextTurn = (left: number) => {
    if (left <= 1) flush()
    else setImmediate(nextTurn, left - 1)
  }

  const flush = () => {
    scheduled = false
    if (writing) return
    const batch = next
    if (isEmpty(batch)) return
    next = emptyBatch()
    let answer: boolean[] | Promise<boolean[]>
    try {
      answer = append(batch)
    } catch (error) {
      return fail(batch, error)
    }
    if (!(answer instanceof Promise)) return succeed(batch, answer)
    writing = answer
      .then(
        (taken) => succeed(batch, taken),
        (error) => fail(batch, error),
      )
      .finally(() => {
        writing = null
        if (!isEmpty(next)) schedule()
      })
  }

  const append = ({ rows, takes, opens }: Batch) => {
    const counts = new Map<string, number>()
    for (const { countFor } of rows) if (countFor !== null) counts.set(countFor, (counts.get(countFor) ?? 0) + 1)
    return store.append({
      rows: rows.map(({ row }) => row),
      opens: opens.map(({ request }) => request),
      takes: takes.map(({ tokenId }) => tokenId),
      counts,
      at: now(),
    })
  }

  const succeed = ({ rows, takes, opens }: Batch, taken: boolean[]) => {
    for (const waiting of rows) tell(waiting)
    for (const { resolve } of opens) resolve()
    takes.forEach((take, index) => {
      take.resolve(taken[index] ?? false)
    })
  }

  // One request's trouble with its answer is not the others'.
  const tell = ({ done, row }: Waiting) => {
    try {
      done()
    } catch (error) {
      onAnswerFailure(row.requestId, error)
    }
  }

  const fail = ({ rows, takes, opens }: Batch, error: unknown) => {
    pending = [...pending, ...rows]
    onFailure(error, pending.length)
    for (const waiting of rows) tell(waiting)
    for (const { reject } of [...takes, ...opens]) reject(error)
    if (!closed) retryTimer ??= setInterval(retry, RETRY_MS).unref()
  }

  let retrying = false
  const retry = async () => {
    if (retrying) return
    retrying = true
    const batch = pending
    try {
      await append({ ...emptyBatch(), rows: batch })
      pending = pending.slice(batch.length)
      if (pending.length > 0) return
      clearInterval(retryTimer)
      retryTimer = undefined
      onRecovery()
    } catch (error) {
      onFailure(error, pending.length)
    } finally {
      retrying = false
    }
  }

  return {
    record(row, countFor, done) {
      next.rows.push({ row, countFor, done })
      schedule()
    },
    take: (tokenId) =>
      new Promise((resolve, reject) => {
        next.takes.push({ tokenId, resolve, reject })
        schedule()
      }),
    open: (request) =>
      new Promise((resolve, reject) => {
        next.opens.push({ request, resolve, reject })
        schedule()
      }),
    failing: () => retryTimer !== undefined,
    async close() {
      closed = true
      clearInterval(retryTimer)
      await writing
      flush()
      await writing
      if (pending.length > 0) await retry()
      return pending.map(({ row }) => row)
    },
  }
}

const emptyBatch = (): Batch => ({ rows: [], takes: [], opens: [] })
const isEmpty = ({ rows, takes, opens }: Batch) => rows.length + takes.length + opens.length === 0
