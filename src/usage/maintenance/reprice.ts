import { matchesGlob } from '../../domain/globs.ts'
import type { LedgerRow, RowCost, Store } from '../../store/store.ts'
import { bareModel } from '../prices/bare-model.ts'
import type { Prices } from '../prices/prices.ts'

/** Requests that came in from `from` (inclusive) to `to` (exclusive). `model`: a name or a glob, as asked or as served. */
export type RepriceQuery = { from: number; to: number; model: string | null; dryRun: boolean }

export type RepricedModel = {
  provider: string
  model: string | null
  /** Requests whose cost changes. */
  requests: number
  beforeNanoUsd: bigint
  afterNanoUsd: bigint
}

export type RepriceResult = {
  /** Requests that have a use to be priced. */
  looked: number
  changed: number
  /** No price is known for them now: they keep what they cost, or stay unpriced. */
  unpriced: number
  /** Of all that were looked at, as far as they had a cost. */
  beforeNanoUsd: bigint
  afterNanoUsd: bigint
  /** Those with the largest change first. */
  models: RepricedModel[]
}

const MAX_MODELS = 200

/**
 * Computes what past requests cost by the prices of today's configuration and list, as they were when each request came in. What was
 * charged without a use that somebody counted (speech under a budget) keeps its cost. Throws `StoreError`.
 */
export async function repriceRows(
  ledger: Pick<Store['ledger'], 'reprice'>,
  prices: Pick<Prices, 'price'>,
  { from, to, model, dryRun }: RepriceQuery,
): Promise<RepriceResult> {
  const result: RepriceResult = { looked: 0, changed: 0, unpriced: 0, beforeNanoUsd: 0n, afterNanoUsd: 0n, models: [] }
  const models = new Map<string, RepricedModel>()

  const costOf = (row: LedgerRow): RowCost | null => {
    const { provider, usage, servedModel, costNanoUsd, at } = row
    if (provider === null || usage.source === 'none' || !isMeant(row, provider, model)) return null
    // Made of several models' answers, of which only the sum is written down.
    if (row.changes.some((change) => change.startsWith('recovered:'))) return null
    result.looked++
    const before = costNanoUsd ?? 0n
    const priced = prices.price(provider, servedModel, targetModel(row, provider), usage, at)
    result.beforeNanoUsd += before
    result.afterNanoUsd += priced?.costNanoUsd ?? before
    if (priced === null) result.unpriced++
    if (priced === null || priced.costNanoUsd === costNanoUsd) return null
    result.changed++
    const name = servedModel ?? row.model
    const ofModel = entryOf(models, provider, name)
    ofModel.requests++
    ofModel.beforeNanoUsd += before
    ofModel.afterNanoUsd += priced.costNanoUsd
    return dryRun ? null : { costNanoUsd: priced.costNanoUsd, priceSource: priced.source }
  }

  await ledger.reprice({ from, to }, costOf)
  const difference = ({ beforeNanoUsd, afterNanoUsd }: RepricedModel) =>
    Math.abs(Number(afterNanoUsd) - Number(beforeNanoUsd))
  result.models = [...models.values()].sort((a, b) => difference(b) - difference(a)).slice(0, MAX_MODELS)
  return result
}

function isMeant(row: LedgerRow, provider: string, model: string | null): boolean {
  if (model === null) return true
  const names = [row.model, bareModel(provider, row.model), row.servedModel]
  return names.some((name) => name !== null && matchesGlob([model], name))
}

/** What the provider was asked for. */
const targetModel = ({ attempts, model }: LedgerRow, provider: string) =>
  attempts.findLast((attempt) => attempt.provider === provider)?.model ?? bareModel(provider, model)

function entryOf(models: Map<string, RepricedModel>, provider: string, model: string | null): RepricedModel {
  const key = JSON.stringify([provider, model])
  let entry = models.get(key)
  if (!entry) {
    entry = { provider, model, requests: 0, beforeNanoUsd: 0n, afterNanoUsd: 0n }
    models.set(key, entry)
  }
  return entry
}
