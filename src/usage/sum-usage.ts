import type { Usage, UsageDetails, UsageUnit } from '../store/store.ts'

/** What two answers to one request have used together; estimated where one of them is. */
export function sumUsage(one: Usage, other: Usage): Usage {
  if (one.source === 'none') return other
  if (other.source === 'none') return one
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    details: sumDetails(one.details, other.details),
    source: one.source === 'estimated' ? 'estimated' : other.source,
  }
}

function sumDetails(one: UsageDetails | null, other: UsageDetails | null): UsageDetails | null {
  if (one === null || other === null) return one ?? other
  const sum: Partial<Record<UsageUnit, number>> = { ...one }
  for (const [unit, more] of Object.entries(other) as [UsageUnit, number][]) sum[unit] = (sum[unit] ?? 0) + more
  return sum
}
