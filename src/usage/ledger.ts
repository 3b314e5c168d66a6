import type { LedgerRow, LedgerStore, OpenRequest } from '../store/store.ts'
import { isOfSameMonth, type WriteFailure, writeFailureOf } from './write-failure.ts'

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
  /** True while new rows cannot be written: no new request should be let in. */
  failing(): boolean
  /** Writes all that waits; the rows that still could not be written. */
  close(): Promise<LedgerRow[]>
}

type Options = {
  store: Pick<LedgerStore, 'append'>
  now(): number
  /** `refusing`: no new request is let in until they are written. Otherwise they are of a month that nobody writes to any more. */
  onFailure(error: unknown, pendingRows: number, refusing: boolean): void
  /** The row can never be written, and is not kept. */
  onLost(row: LedgerRow, error: unknown): void
  /** The row is written, but what was to follow threw. */
  onAnswerFailure(requestId: string, error: unknown): void
  onRecovery(): void
}

type Waiting = { row: LedgerRow; countFor: string | null; done: () => void }
/** A row that could not be written. Its request has ended. */
type Pending = Waiting & { failure: WriteFailure }
type Take = { tokenId: string; resolve(taken: boolean): void; reject(error: unknown): void }
type Opening = { request: OpenRequest; resolve(): void; reject(error: unknown): void }
/** What waits for the next commit. */
type Batch = { rows: Waiting[]; takes: Take[]; opens: Opening[] }

/** One that no database takes must not keep the others out. When it is one after the other, it is not the rows. */
const MAX_LOST_IN_A_ROW = 20

/**
 * Group commit: everything that a few turns of the event loop want written is one transaction. When the database cannot be written
 * (disk full), the answers in flight still end, their rows wait here and are tried again every second. When it is not the database
 * as a whole, each row is written by itself, so that what is wrong with one is not the others' trouble.
 */
export function createLedger({ store, now, onFailure, onLost, onAnswerFailure, onRecovery }: Options): Ledger {
  let next = emptyBatch()
  let scheduled = false
  let closed = false
  let pending: Pending[] = []
  let retryTimer: NodeJS.Timeout | undefined
  let refusing = false
  let lostInARow = 0
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
    const work = write(batch)
    if (!work) return
    writing = work.finally(() => {
      writing = null
      if (!isEmpty(next)) schedule()
    })
  }

  /** At once with an embedded engine, unless something is wrong. */
  const write = (batch: Batch): Promise<void> | undefined => {
    try {
      const answer = append(batch)
      if (!(answer instanceof Promise)) return void succeed(batch, answer)
      return answer.then(
        (taken) => succeed(batch, taken),
        (error) => fail(batch, error),
      )
    } catch (error) {
      return fail(batch, error)
    }
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

  const fail = (batch: Batch, error: unknown): Promise<void> | undefined => {
    if (writeFailureOf(error) !== 'all' && batch.rows.length > 0) return writeApart(batch)
    const { rows, takes, opens } = batch
    putOff(rows, 'all', error)
    for (const { reject } of [...takes, ...opens]) reject(error)
    return undefined
  }

  const putOff = (rows: Waiting[], failure: WriteFailure, error: unknown) => {
    pending = [...pending, ...rows.map((waiting) => ({ ...waiting, failure }))]
    retryLater(error)
    for (const waiting of rows) tell(waiting)
  }

  const retryLater = (error: unknown) => {
    if (!closed) retryTimer ??= setInterval(retry, RETRY_MS).unref()
    refusing = pending.length === 0 || pending.some(isInTheWay)
    onFailure(error, pending.length, refusing)
  }

  /** The next request's row would meet the same. */
  const isInTheWay = ({ failure, row }: Pending) => failure !== 'file' || isOfSameMonth(row.at, now())

  /** First the others: a request may be opened and ended in the same batch. */
  const writeApart = async ({ rows, takes, opens }: Batch) => {
    const others = { ...emptyBatch(), takes, opens }
    if (!isEmpty(others)) await write(others)
    for (const waiting of rows) {
      const error = await failureOf(waiting)
      if (error === null) tell(waiting)
      else if (isLost(waiting, error)) tell(waiting)
      else putOff([waiting], writeFailureOf(error), error)
    }
  }

  /** Writes one row; null when it is written. */
  const failureOf = async (waiting: Waiting): Promise<unknown> => {
    try {
      await append({ ...emptyBatch(), rows: [waiting] })
      lostInARow = 0
      return null
    } catch (error) {
      return error
    }
  }

  const isLost = ({ row }: Waiting, error: unknown): boolean => {
    if (writeFailureOf(error) !== 'row' || lostInARow >= MAX_LOST_IN_A_ROW) return false
    lostInARow++
    onLost(row, error)
    return true
  }

  let retrying: Promise<void> | null = null
  const retry = () => {
    retrying ??= writePending().finally(() => {
      retrying = null
    })
    return retrying
  }

  const writePending = async () => {
    const batch = pending
    const left: Pending[] = []
    let reason: unknown = null
    try {
      await append({ ...emptyBatch(), rows: batch })
    } catch (error) {
      reason = error
      if (writeFailureOf(error) === 'all') left.push(...batch)
      else {
        for (const waiting of batch) {
          const own = await failureOf(waiting)
          if (own !== null && !isLost(waiting, own)) left.push({ ...waiting, failure: writeFailureOf(own) })
        }
      }
    }
    pending = [...left, ...pending.slice(batch.length)]
    if (pending.length > 0) {
      const wasRefusing = refusing
      refusing = pending.some(isInTheWay)
      // Said once, and then only while somebody is refused because of it.
      if (refusing || wasRefusing || left.length < batch.length) onFailure(reason, pending.length, refusing)
      return
    }
    clearInterval(retryTimer)
    retryTimer = undefined
    refusing = false
    onRecovery()
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
    failing: () => refusing,
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
