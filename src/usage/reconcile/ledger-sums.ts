import type { presentUsage } from '../../domain/present.ts'
import { parseUsd } from '../../money.ts'
import type { LedgerSums } from './compare.ts'

/** What `/manage/usage` has to be grouped by. */
export const LEDGER_GROUPS = ['day', 'model', 'endpoint', 'status'] as const

/**
 * The ledger's figures as a provider would count them. Providers count the requests that a model has answered: not those that were
 * refused or failed, that a cache of ours answered, or that name no model (lists, files). One that its client left (499) had been sent.
 * Tokens and costs count wherever they were booked.
 */
export function toLedgerSums({ keys, ...row }: ReturnType<typeof presentUsage>): LedgerSums {
  const { day, model = null, endpoint, status } = keys
  const isAnswered = model !== null && (status === '499' || !/^[45]/.test(status ?? ''))
  return {
    day: day ?? '',
    model,
    endpoint: endpoint ?? '',
    requests: isAnswered ? row.requests - row.cache_hits : 0,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    outputTokens: row.output_tokens,
    costNanoUsd: parseUsd(row.cost_usd)!,
    unpricedRequests: row.unpriced_requests,
    estimatedRequests: row.estimated_requests,
  }
}
