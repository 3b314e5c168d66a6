import { formatUsd } from '../money.ts'
import type { AlertRecord } from '../store/alerts.ts'
import type {
  AuditEntry,
  Budget,
  KeptBodies,
  KeptBody,
  KeptHeader,
  LedgerRow,
  Project,
  ProviderKey,
  RateLimit,
  Token,
  UsageGroup,
  UsageReportRow,
  UsageSums,
} from '../store/store.ts'
import type { BudgetState } from '../usage/budgets.ts'

/*
 * Rows as people see them: snake_case, ISO 8601 times in UTC, money in decimal USD. What is secret is not among the fields.
 */

export const presentProject = (project: Project, keys: ProviderKey[]) => ({
  id: project.id,
  name: project.name,
  is_active: project.isActive,
  allowed_models: project.allowedModels,
  rate_limit: presentRateLimit(project.rateLimit),
  budgets: presentBudgets(project.budgets),
  metadata: project.metadata,
  provider_keys: keys.map(presentProviderKey),
  created_at: isoTime(project.createdAt),
  updated_at: isoTime(project.updatedAt),
})

export const presentProviderKey = (key: ProviderKey) => ({
  id: key.id,
  project_id: key.projectId,
  provider: key.provider,
  last4: key.last4,
  weight: key.weight,
  created_at: isoTime(key.createdAt),
})

export const presentToken = (token: Token) => ({
  id: token.id,
  project_id: token.projectId,
  name: token.name,
  last4: token.last4,
  // Revoked is revoked, whatever the switch says.
  is_active: token.isActive && token.revokedAt === null,
  expires_at: isoOrNull(token.expiresAt),
  revoked_at: isoOrNull(token.revokedAt),
  max_requests: token.maxRequests,
  request_count: token.requestCount,
  last_used_at: isoOrNull(token.lastUsedAt),
  rate_limit: presentRateLimit(token.rateLimit),
  budgets: presentBudgets(token.budgets),
  allowed_models: token.allowedModels,
  allowed_endpoints: token.allowedEndpoints,
  allowed_ips: token.allowedIps,
  metadata: token.metadata,
  created_at: isoTime(token.createdAt),
  updated_at: isoTime(token.updatedAt),
})

export const presentRequest = (row: LedgerRow) => ({
  id: row.requestId,
  at: isoTime(row.at),
  token_id: row.tokenId,
  project_id: row.projectId,
  method: row.method,
  endpoint: row.endpoint,
  model: row.model,
  provider: row.provider,
  served_model: row.servedModel,
  status: row.status,
  error: row.error,
  stream: row.stream,
  latency_ms: row.latencyMs,
  first_token_ms: row.firstTokenMs,
  usage: {
    input_tokens: row.usage.inputTokens,
    output_tokens: row.usage.outputTokens,
    cached_tokens: row.usage.cachedTokens,
    cache_write_tokens: row.usage.cacheWriteTokens,
    reasoning_tokens: row.usage.reasoningTokens,
    details: row.usage.details,
    source: row.usage.source,
    estimate_reason: row.estimateReason,
  },
  cost_usd: row.costNanoUsd === null ? null : formatUsd(row.costNanoUsd),
  price_source: row.priceSource,
  reserved_usd: row.reservedNanoUsd === null ? null : formatUsd(row.reservedNanoUsd),
  cache: row.cache,
  attempts: row.attempts.map(({ durationMs, ...attempt }) => ({ ...attempt, duration_ms: durationMs })),
  changes: row.changes,
  request_bytes: row.requestBytes,
  response_bytes: row.responseBytes,
})

export const presentBodies = (
  { requestId, at }: Pick<LedgerRow, 'requestId' | 'at'>,
  { request, response }: KeptBodies,
) => ({
  id: requestId,
  at: isoTime(at),
  request: request && { ...request, headers: presentHeaders(request.headers), body: presentBody(request.body) },
  response: response && { ...response, headers: presentHeaders(response.headers), body: presentBody(response.body) },
})

const presentHeaders = (headers: KeptHeader[]) => headers.map(([name, value]) => ({ name, value }))

const presentBody = ({ type, size, ...body }: KeptBody) => ({ content_type: type, size_bytes: size, ...body })

/** `key` is there where one group was asked for. */
export const presentUsage = ({ keys, ...sums }: UsageReportRow, groupBy: UsageGroup[]) => ({
  ...(groupBy.length === 1 && { key: keys[0] ?? null }),
  keys: Object.fromEntries(groupBy.map((group, i) => [group, keys[i] ?? null])),
  ...presentUsageSums(sums),
})

export const presentUsageSums = (sums: UsageSums) => ({
  requests: sums.requests,
  errors: sums.errors,
  input_tokens: sums.inputTokens,
  output_tokens: sums.outputTokens,
  cached_tokens: sums.cachedTokens,
  cache_write_tokens: sums.cacheWriteTokens,
  reasoning_tokens: sums.reasoningTokens,
  cost_usd: formatUsd(sums.costNanoUsd),
  unpriced_requests: sums.unpricedRequests,
  unpriced_tokens: sums.unpricedTokens,
  estimated_requests: sums.estimatedRequests,
  cache_hits: sums.cacheHits,
  latency_ms: sums.latencyMs,
  first_token_ms: sums.firstTokenMs,
})

export const presentAuditEntry = (entry: AuditEntry) => ({
  id: entry.id,
  at: isoTime(entry.at),
  actor: entry.actor,
  ip: entry.ip,
  user_agent: entry.userAgent,
  action: entry.action,
  target_id: entry.targetId,
  project_id: entry.projectId,
  outcome: entry.outcome,
  reason: entry.reason,
  before: entry.before && presentSnapshot(entry.before),
  after: entry.after && presentSnapshot(entry.after),
})

export const isoTime = (at: number) => new Date(at).toISOString()

const isoOrNull = (at: number | null) => (at === null ? null : isoTime(at))

const presentRateLimit = (limit: RateLimit | null) =>
  limit && {
    requests_per_minute: limit.requestsPerMinute,
    tokens_per_minute: limit.tokensPerMinute,
    concurrent_requests: limit.concurrentRequests,
  }

const presentBudgets = (budgets: Budget[] | null) => budgets?.map(presentBudget) ?? null

export const presentBudget = (budget: Budget) => ({
  period: budget.period,
  limit_usd: budget.limitNanoUsd === null ? null : formatUsd(BigInt(budget.limitNanoUsd)),
  limit_tokens: budget.limitTokens,
  reset_at: isoOrNull(budget.resetAt),
})

/** Where a budget stands; what is left is never less than nothing. */
export const presentBudgetState = ({ owner, budget, window, used, reserved }: BudgetState) => ({
  owner: { type: owner.kind, id: owner.id },
  ...presentBudget(budget),
  used_usd: formatUsd(used.nanoUsd),
  used_tokens: used.tokens,
  reserved_usd: formatUsd(reserved.nanoUsd),
  reserved_tokens: reserved.tokens,
  left_usd:
    budget.limitNanoUsd === null
      ? null
      : formatUsd(notBelow0(BigInt(budget.limitNanoUsd) - used.nanoUsd - reserved.nanoUsd)),
  left_tokens: budget.limitTokens === null ? null : Math.max(0, budget.limitTokens - used.tokens - reserved.tokens),
  since: isoTime(window.from),
  resets_at: isoOrNull(window.to),
})

export const presentAlert = (alert: AlertRecord) => ({
  id: alert.id,
  at: isoTime(alert.at),
  type: alert.kind,
  text: alert.text,
  data: alert.data,
  delivered_at: isoOrNull(alert.deliveredAt),
  attempts: alert.attempts,
  next_attempt_at: isoOrNull(alert.sendAt),
  last_error: alert.lastError,
})

const notBelow0 = (value: bigint) => (value < 0n ? 0n : value)

/** A row as it was when the audit log copied it, whatever its kind. Metadata is the operator's own and stays as it is. */
function presentSnapshot(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), presentValue(name, value)]))
}

function presentValue(name: string, value: unknown): unknown {
  if (name === 'metadata') return value
  if (name === 'budgets' && Array.isArray(value)) return presentBudgets(value as Budget[])
  if (typeof value === 'number' && name.endsWith('At')) return isoTime(value)
  if (Array.isArray(value)) return value.map((part) => presentValue('', part))
  return typeof value === 'object' && value !== null ? presentSnapshot(value as Record<string, unknown>) : value
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
