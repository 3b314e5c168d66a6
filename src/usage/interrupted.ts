import { hostname } from 'node:os'
import type { LedgerRow, OpenRequest, Store, Usage } from '../store/store.ts'
import { bareModel } from './prices/bare-model.ts'
import type { Prices } from './prices/prices.ts'
import { NO_USAGE } from './read-usage.ts'

/** This process among all that may write to the same ledger. */
export const PROCESS = `${hostname()} ${process.pid} ${Date.now()}`

type Parts = { store: Pick<Store, 'ledger' | 'tokens'>; prices: Prices }
/** `graceMs`: a request of another machine that is older than this has ended, one way or the other. */
type Time = { now: number; graceMs: number }

/**
 * Books the requests that a crash has cut off: each becomes a row with an estimate of its input, and no longer holds money back.
 * Requests of a process that is still running are left alone. The rows that were written. Throws `StoreError`.
 */
export async function bookInterrupted({ store, prices }: Parts, time: Time): Promise<LedgerRow[]> {
  const open = await store.ledger.openRequests()
  const rows = open.filter((request) => isGone(request, time)).map((request) => rowOf(request, prices, time.now))
  if (rows.length === 0) return rows
  const counts = new Map<string, number>()
  for (const { tokenId } of rows) {
    const token = tokenId === null ? null : await store.tokens.get(tokenId)
    // With `max_requests` it was counted before it left.
    if (token?.maxRequests === null) counts.set(token.id, (counts.get(token.id) ?? 0) + 1)
  }
  await store.ledger.append({ rows, opens: [], takes: [], counts, at: time.now })
  return rows
}

function isGone({ process: name, at }: OpenRequest, { now, graceMs }: Time): boolean {
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
