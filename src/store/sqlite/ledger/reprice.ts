import { setTimeout as delay } from 'node:timers/promises'
import { type LedgerRow, type RowCost, StoreError } from '../../store.ts'
import { type Connection, connect } from '../connect.ts'
import { toStoreError } from '../errors.ts'
import { type Bound, type RawRow, SELECTED, toRow } from './columns.ts'
import { createFormIndex } from './forms.ts'
import { LEVELS, rollupId } from './level.ts'
import { bounds, fileOf, HOUR_MS, type Month, monthsBetween } from './month.ts'
import { APPLIED } from './rollups.ts'
import { ownOf, timesOf } from './row.ts'
import { createSeriesIndex } from './series.ts'

/** Rows of a transaction: so few that a request which waits for it does not notice. */
const BATCH = 200
/** Between two transactions, for others to write. */
const PAUSE_MS = 2

export type CostOf = (row: LedgerRow) => RowCost | null

/**
 * Gives rows another cost: asks `costOf` about each row that came in between the two moments, and writes what it says into the row
 * and, as a difference, into its rollups. The transactions are small, so that a gateway which writes meanwhile waits for none of
 * them. Cut off anywhere, rows and rollups agree. Throws `StoreError`.
 */
export async function reprice(folder: string, range: { from: number; to: number }, costOf: CostOf): Promise<void> {
  for (const month of monthsBetween(folder, range.from, range.to)) {
    const connection = connect(fileOf(folder, month))
    try {
      await repriceMonth(connection, month, range, costOf)
    } catch (error) {
      throw toStoreError(error, connection.name)
    } finally {
      connection.close()
    }
  }
}

async function repriceMonth(
  connection: Connection,
  month: Month,
  { from, to }: { from: number; to: number },
  costOf: CostOf,
): Promise<void> {
  const { start } = bounds(month)
  // Rows are written when they end: those of an hour are spread over what its rollup says.
  const span = connection
    .prepare<[first: number, last: number], [number | null, number | null]>(
      'SELECT min(min_seq), max(max_seq) FROM hourly WHERE id >= ? AND id < ?',
    )
    .raw()
    .get(rollupId(Math.max(0, from - start), HOUR_MS, 0), rollupId(to - start + HOUR_MS, HOUR_MS, 0))
  const [first, end] = span ?? []
  if (first == null || end == null) return
  const select = connection.prepare<[after: number, end: number], RawRow>(
    `SELECT seq, series, own, ${SELECTED} FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${BATCH}`,
  )
  const change = createChange(connection, month)
  for (let last = first - 1; ; ) {
    const batch = select.all(last, end)
    if (batch.length === 0) return
    last = Number(batch.at(-1)!.seq)
    const changes = batch.flatMap((raw): Change[] => {
      const at = Number(raw.at)
      const row = at >= from && at < to ? toRow(raw) : null
      const cost = row && costOf(row)
      return cost ? [{ seq: Number(raw.seq), series: Number(raw.series), isWhole: isWhole(raw), row: row!, cost }] : []
    })
    if (changes.length > 0) change(changes)
    await delay(changes.length > 0 ? PAUSE_MS : 0)
  }
}

/** Does the series say all that it should? */
const isWhole = ({ own }: RawRow) => own == null || !('endpoint' in JSON.parse(String(own)))

type Change = { seq: number; series: number; isWhole: boolean; row: LedgerRow; cost: RowCost }
/** What a rollup changes by. */
type Difference = { costNanoUsd: bigint; highest: bigint; pricedRequests: number; pricedTokens: number }

function createChange(connection: Connection, month: Month): (changes: Change[]) => void {
  // What the row cost is said once more: another process may be doing the same.
  const update = connection.prepare<
    [cost: bigint, form: number, times: Bound, own: string | null, seq: number, before: bigint | null]
  >('UPDATE requests SET cost_nano_usd = ?, form = ?, attempt_ms = ?, own = ? WHERE seq = ? AND cost_nano_usd IS ?')
  const applied = connection.prepare<[], number>(APPLIED).pluck()
  const index = createSeriesIndex(connection)
  const forms = createFormIndex(connection)
  const levels = LEVELS.map((level) => ({
    ...level,
    add: connection.prepare<[cost: bigint, highest: bigint, requests: number, tokens: number, id: number]>(
      `UPDATE ${level.table} SET cost_nano_usd = cost_nano_usd + ?, max_cost_nano_usd = max(max_cost_nano_usd, ?),
         unpriced_requests = unpriced_requests - ?, unpriced_tokens = unpriced_tokens - ? WHERE id = ?`,
    ),
  }))
  const { start } = bounds(month)
  const changeRow = ({ seq, series, isWhole, row, cost }: Change) => {
    // Where the price came from is part of the form.
    const after = { ...row, priceSource: cost.priceSource }
    const form = forms.of(after, series)
    const own = ownOf(after, { isWhole }, form)
    const times = form.isWhole ? timesOf(row) : null
    return update.run(cost.costNanoUsd, form.id, times, own, seq, row.costNanoUsd).changes === 1
  }
  const write = connection.transaction((changes: Change[]) => {
    forms.refresh()
    const written = changes.filter(changeRow)
    const last = applied.get()!
    for (const { table, ms, by, add } of levels) {
      const differences = new Map<number, Difference>()
      for (const { seq, row, series, cost } of written) {
        // The others will have this row as it is now.
        if (table !== 'hourly' && seq > last) continue
        const id = rollupId(row.at - start, ms, index.byId(series)[by])
        differences.set(id, sum(differences.get(id), row, cost))
      }
      for (const [id, { costNanoUsd, highest, pricedRequests, pricedTokens }] of differences) {
        if (add.run(costNanoUsd, highest, pricedRequests, pricedTokens, id).changes === 0)
          throw new StoreError(
            'corrupt',
            `The sums in ${connection.name} (${table}) lack some of its rows: stop the gateway, then "llm-proxy ledger verify --repair".`,
          )
      }
    }
  })
  return (changes) => write.immediate(changes)
}

function sum(before: Difference | undefined, { costNanoUsd, usage }: LedgerRow, cost: RowCost): Difference {
  const isNew = costNanoUsd === null
  return {
    costNanoUsd: (before?.costNanoUsd ?? 0n) + cost.costNanoUsd - (costNanoUsd ?? 0n),
    highest: before && before.highest > cost.costNanoUsd ? before.highest : cost.costNanoUsd,
    pricedRequests: (before?.pricedRequests ?? 0) + (isNew ? 1 : 0),
    pricedTokens: (before?.pricedTokens ?? 0) + (isNew ? usage.inputTokens + usage.outputTokens : 0),
  }
}
