import { hostname } from 'node:os'
import { type LedgerRow, type OpenRequest, type Store, StoreError, type Usage } from '../store/store.ts'
import { bareModel } from './prices/bare-model.ts'
import type { Prices } from './prices/prices.ts'
import { NO_USAGE } from './read-usage.ts'

/** This process among all that may write to the same ledger. */
export const PROCESS = `${hostname()} ${process.pid} ${Date.now()}`

type Parts = { store: Pick<Store, 'ledger' | 'tokens'>; prices: Prices }
type Facts = {
  now: number
  /** A request of another machine that is older than this has ended, one way or the other. */
  graceMs: number
  /** A month that is over cannot be read: what was open in it is not booked. */
  onDamage(month: string, error: unknown): void
}

/**
 * Books the requests that a crash has cut off: each becomes a row with an estimate of its input, and no longer holds money back.
 * Requests of a process that is still running are left alone. The rows that were written. Throws `StoreError`, also when it is this
 * month that cannot be read: nothing could be written to it.
 */
export async function bookInterrupted({ store, prices }: Parts, facts: Facts): Promise<LedgerRow[]> {
  const { now, onDamage } = facts
  const leaveOut = (month: string, error: unknown) => {
    if (month === monthOf(now) || !(error instanceof StoreError)) throw error
    onDamage(month, error)
  }
  const open = await store.ledger.openRequests(leaveOut)
  const rows = open.filter((request) => isGone(request, facts)).map((request) => rowOf(request, prices, now))
  const booked: LedgerRow[] = []
  for (const [month, ofMonth] of Map.groupBy(rows, ({ at }) => monthOf(at))) {
    try {
      const counts = await countsOf(ofMonth, store.tokens)
      await store.ledger.append({ rows: ofMonth, opens: [], takes: [], counts, at: now })
      booked.push(...ofMonth)
    } catch (error) {
      leaveOut(month, error)
    }
  }
  return booked
}

const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7)

async function countsOf(rows: LedgerRow[], tokens: Store['tokens']): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { tokenId } of rows) {
    const token = tokenId === null ? null : await tokens.get(tokenId)
    // With `max_requests` it was counted before it left.
    if (token?.maxRequests === null) counts.set(token.id, (counts.get(token.id) ?? 0) + 1)
  }
  return counts
}

function isGone({ process: name, at }: OpenRequest, { now, graceMs }: Facts): boolean {
  const [host, pid] = name.split(' ')
  if (host !== hostname()) return now - at > graceMs
  // The same number with another start: the one before us, as in a container, where it is always the same.
  return Number(pid) === process.pid ? name !== PROCESS : !isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function rowOf({ inputTokens, process: _process, ...request }: OpenRequest, prices: Prices, now: number): LedgerRow {
  const usage: Usage = { ...NO_USAGE, inputTokens, source: 'estimated' }
  const { provider, model, at } = request
  const priced = provider === null ? null : prices.price(provider, null, bareModel(provider, model), usage, at)
  return {
    ...request,
    servedModel: null,
    attempts: [],
    status: 499,
    latencyMs: Math.max(0, now - request.at),
    firstTokenMs: null,
    usage,
    estimateReason: 'interrupted',
    costNanoUsd: priced?.costNanoUsd ?? null,
    priceSource: priced?.source ?? null,
    cache: 'bypass',
    error: 'interrupted',
    changes: [],
    requestBytes: 0,
    responseBytes: 0,
  }
}
