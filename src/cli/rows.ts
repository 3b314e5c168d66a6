import type { Project, Token } from './client.ts'

/* How people read the wire's fields. */

export const listText = (entries: string[] | null) => entries?.join(', ') ?? 'all'

export function limitsText(limit: Project['rate_limit']): string | null {
  if (limit === null) return null
  const { requests_per_minute: rpm, tokens_per_minute: tpm, concurrent_requests: concurrent } = limit
  const parts = [rpm && `${rpm} requests/min`, tpm && `${tpm} tokens/min`, concurrent && `${concurrent} at a time`]
  return parts.filter(Boolean).join(', ')
}

/** `$5 a day, 50000 tokens a month`. */
export function budgetsText(budgets: Project['budgets']): string | null {
  if (budgets === null) return null
  const parts = budgets.flatMap(({ period, limit_usd, limit_tokens }) => {
    const per = period === 'total' ? 'in total' : `a ${period}`
    return [limit_usd && `$${limit_usd} ${per}`, limit_tokens && `${limit_tokens} tokens ${per}`].filter(Boolean)
  })
  return parts.join(', ')
}

export const metadataText = (metadata: Record<string, unknown>) =>
  Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata)

export function tokenState({ revoked_at, is_active, expires_at }: Token, now: number): string {
  if (revoked_at !== null) return 'revoked'
  if (!is_active) return 'inactive'
  return expires_at !== null && Date.parse(expires_at) <= now ? 'expired' : 'active'
}

export const usesText = ({ request_count, max_requests }: Token) =>
  max_requests === null ? `${request_count}` : `${request_count} of ${max_requests}`
