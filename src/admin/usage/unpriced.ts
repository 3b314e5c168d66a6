import type { UsageFilter } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'

export type Unpriced = {
  rows: { model: string | null; provider: string | null; requests: number; tokens: number; lastRequests: string }[]
  /** How many more there are than are shown. */
  more: number
  requests: number
  tokens: number
}

const MAX_ROWS = 200

/** The models for which no price is known, those with most tokens first. */
export async function readUnpriced(reads: Reads, filter: UsageFilter): Promise<Unpriced> {
  const { rows, totals } = await reads.usage({ groupBy: ['model', 'provider'], filter, times: false })
  const unpriced = rows
    .filter(({ unpricedRequests }) => unpricedRequests > 0)
    .sort((a, b) => b.unpricedTokens - a.unpricedTokens || b.unpricedRequests - a.unpricedRequests)
  return {
    rows: unpriced.slice(0, MAX_ROWS).map(({ keys, unpricedRequests, unpricedTokens }) => {
      const query = new URLSearchParams({
        ...(keys[0] != null && { model: keys[0] }),
        ...(keys[1] != null && { provider: keys[1] }),
        ...(filter.from !== undefined && { from: new Date(filter.from).toISOString() }),
      })
      return {
        model: keys[0] ?? null,
        provider: keys[1] ?? null,
        requests: unpricedRequests,
        tokens: unpricedTokens,
        lastRequests: `/admin/requests?${query}`,
      }
    }),
    more: Math.max(0, unpriced.length - MAX_ROWS),
    requests: totals.unpricedRequests,
    tokens: totals.unpricedTokens,
  }
}
