import type { LedgerBatch, LedgerRow } from '../../store.ts'
import type { Engine } from '../engine.ts'
import type { Counters } from './counters.ts'
import { bounds, type Month, monthOf } from './month.ts'
import type { MonthFiles } from './month-file.ts'
import type { MonthPart } from './write.ts'

type Part = MonthPart & { month: Month; start: number; end: number; tokens: Map<string, number> }

/**
 * Writes a batch, synchronously. Rows and open requests are one transaction for each month among them, as a rule one. What must be
 * exact at once in the main file (`takes`) is decided in a transaction around them, which is committed last.
 *
 * A batch over two months can fail after the first is committed. Those rows are remembered, and skipped when the batch comes again.
 */
export function createAppend(
  engine: Engine,
  months: MonthFiles,
  counters: Counters,
): (batch: LedgerBatch) => boolean[] {
  const { connection, write } = engine
  const take = connection.prepare<[at: number, id: string]>(
    `UPDATE tokens SET request_count = request_count + 1, last_used_at = ?
     WHERE id = ? AND is_active AND revoked_at IS NULL AND (max_requests IS NULL OR request_count < max_requests)`,
  )
  const add = connection.prepare<[requests: number, at: number, id: string]>(
    'UPDATE tokens SET request_count = request_count + ?, last_used_at = ? WHERE id = ?',
  )
  /** Rows of failed batches that are in their file all the same, and whether they count. */
  const done = new WeakMap<LedgerRow, boolean>()

  const remember = (parts: Part[]) => {
    for (const { rows, counts } of parts) {
      rows.forEach((row, i) => {
        done.set(row, counts[i] ?? false)
      })
    }
  }

  return (batch) => {
    const { takes, at } = batch
    const { parts, left } = split(batch, done)
    const written: Part[] = []
    const writeAll = () => {
      for (const part of parts) {
        counters.add(part.month, months.writer(part.month).write(part), part.tokens, at)
        written.push(part)
      }
    }
    try {
      if (takes.length === 0 && left.size === 0) {
        writeAll()
        return []
      }
      return write(() => {
        if (takes.some(counters.isWaitingFor)) counters.flush()
        const taken = takes.map((id) => take.run(at, id).changes === 1)
        for (const [id, requests] of left) add.run(requests, at, id)
        writeAll()
        return taken
      })
    } catch (error) {
      remember(written)
      throw error
    }
  }
}

/** By month. `left`: requests to count without a row of their token in the batch. */
function split({ rows, opens, counts }: LedgerBatch, done: WeakMap<LedgerRow, boolean>) {
  const left = new Map(counts)
  const parts: Part[] = []
  const partOf = (at: number) => {
    for (const part of parts) if (at >= part.start && at < part.end) return part
    const month = monthOf(at)
    const part: Part = { month, ...bounds(month), rows: [], counts: [], opens: [], tokens: new Map() }
    parts.push(part)
    return part
  }
  const takeFrom = (tokenId: string) => {
    const requests = left.get(tokenId) ?? 0
    if (requests > 1) left.set(tokenId, requests - 1)
    else left.delete(tokenId)
    return requests > 0
  }
  for (const row of rows) {
    const before = done.get(row)
    if (before !== undefined) {
      if (before && row.tokenId !== null) takeFrom(row.tokenId)
      continue
    }
    const part = partOf(row.at)
    const counted = row.tokenId !== null && left.size > 0 && takeFrom(row.tokenId)
    part.rows.push(row)
    part.counts.push(counted)
    if (counted) part.tokens.set(row.tokenId!, (part.tokens.get(row.tokenId!) ?? 0) + 1)
  }
  for (const open of opens) partOf(open.at).opens.push(open)
  return { parts, left }
}
