import type { LedgerStore, RequestFilter, UsageGroup } from '../store.ts'
import { type AnyColumn, and, asc, count, desc, eq, gte, lt, type SQL, sql } from './drizzle.ts'
import type { Engine } from './engine.ts'
import { createAppend } from './ledger-append.ts'
import { beyond, newestFirst, toPage } from './page.ts'
import { requests } from './schema.ts'

const columns = {
  requestId: requests.requestId,
  at: requests.at,
  tokenId: requests.tokenId,
  projectId: requests.projectId,
  method: requests.method,
  endpoint: requests.endpoint,
  model: requests.model,
  provider: requests.provider,
  servedModel: requests.servedModel,
  attempts: requests.attempts,
  status: requests.status,
  stream: requests.stream,
  latencyMs: requests.latencyMs,
  firstTokenMs: requests.firstTokenMs,
  usage: {
    inputTokens: requests.inputTokens,
    outputTokens: requests.outputTokens,
    cachedTokens: requests.cachedTokens,
    cacheWriteTokens: requests.cacheWriteTokens,
    reasoningTokens: requests.reasoningTokens,
    details: requests.usageDetails,
    source: requests.usageSource,
  },
  estimateReason: requests.estimateReason,
  // As text, for a JavaScript number loses the last digits of 64 bits.
  costNanoUsd: sql<bigint | null>`cast(${requests.costNanoUsd} as text)`.mapWith(BigInt),
  priceSource: requests.priceSource,
  reservedNanoUsd: sql<bigint | null>`cast(${requests.reservedNanoUsd} as text)`.mapWith(BigInt),
  cache: requests.cache,
  error: requests.error,
  changes: requests.changes,
  requestBytes: requests.requestBytes,
  responseBytes: requests.responseBytes,
}
const listed = { id: requests.requestId, at: requests.at, seq: requests.seq }

const GROUPS: Record<UsageGroup, SQL<string | null>> = {
  token: sql`${requests.tokenId}`,
  project: sql`${requests.projectId}`,
  model: sql`${requests.model}`,
  provider: sql`${requests.provider}`,
  day: sql`date(${requests.at} / 1000, 'unixepoch')`,
}

export function createLedgerStore(engine: Engine): LedgerStore {
  const { db, read } = engine
  return {
    append: createAppend(engine),

    async list(filter, page) {
      return read(() => {
        const rows = db
          .select(columns)
          .from(requests)
          .where(and(matching(filter), beyond(listed, page)))
          .orderBy(...newestFirst(listed))
          .limit(page.limit + 1)
          .all()
        return toPage(rows, page)
      })
    },

    async get(requestId) {
      return read(() => db.select(columns).from(requests).where(eq(requests.requestId, requestId)).get() ?? null)
    },

    async spend(filter) {
      const sum = read(() =>
        db
          .select({
            cost: sql<string | null>`cast(sum(${requests.costNanoUsd}) as text)`,
            tokens: sql<number | null>`sum(${requests.inputTokens} + ${requests.outputTokens})`,
          })
          .from(requests)
          .where(matching(filter))
          .get(),
      )
      return { costNanoUsd: BigInt(sum?.cost ?? 0), tokens: sum?.tokens ?? 0 }
    },

    async openRequests() {
      return []
    },

    async usage(groupBy, filter) {
      const key = GROUPS[groupBy]
      const order = groupBy === 'day' ? [asc(key)] : [desc(count()), asc(key)]
      return read(() =>
        db
          .select({
            key,
            requests: count(),
            inputTokens: total(requests.inputTokens),
            outputTokens: total(requests.outputTokens),
            cachedTokens: total(requests.cachedTokens),
            reasoningTokens: total(requests.reasoningTokens),
          })
          .from(requests)
          .where(matching(filter))
          .groupBy(key)
          .orderBy(...order)
          .all(),
      )
    },
  }
}

function matching({ projectId, tokenId, model, status, from, to }: RequestFilter): SQL | undefined {
  return and(
    projectId === undefined ? undefined : eq(requests.projectId, projectId),
    tokenId === undefined ? undefined : eq(requests.tokenId, tokenId),
    model === undefined ? undefined : eq(requests.model, model),
    status === undefined ? undefined : eq(requests.status, status),
    from === undefined ? undefined : gte(requests.at, from),
    to === undefined ? undefined : lt(requests.at, to),
  )
}

function total(column: AnyColumn): SQL<number> {
  return sql<number>`sum(${column})`
}
