import { createProject } from '../../src/domain/projects.ts'
import { createRoute } from '../../src/domain/routes.ts'
import { createToken, revokeToken } from '../../src/domain/tokens.ts'
import type { LedgerRow } from '../../src/store/store.ts'
import { aRequest, type TestConsole } from './helpers.ts'

const MODELS: [model: string, served: string, provider: string, nanoUsdPerToken: number][] = [
  ['gpt-4o', 'gpt-4o-2024-08-06', 'openai', 4_000],
  ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'openai', 240],
  ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'anthropic', 6_000],
  ['gemini-2.5-flash', 'gemini-2.5-flash', 'gemini', 900],
  ['text-embedding-3-small', 'text-embedding-3-small', 'openai', 20],
]
const PROJECTS = [
  ['Customer support', ['support-bot', 'ticket triage', 'nightly summaries'], '400'],
  ['Search', ['embeddings worker', 'query rewriting'], '60'],
  ['Research', ['notebooks', 'evaluation runs', 'claude code'], null],
] as const
const HOUR_MS = 3_600_000
const DAYS = 35
const ADMIN = { name: 'admin:ada@example.com', ip: '10.0.0.7', userAgent: 'Firefox' }

/** A gateway as a team would have it after five weeks. The same each time, but for the hour. */
export async function fillHouse({ ctx }: Pick<TestConsole, 'ctx'>) {
  const providerNames = ['openai', 'anthropic', 'gemini']
  const parts = { ...ctx, providerNames, defaultProvider: 'openai' }
  const random = sequence(20_261_121)
  const rows: LedgerRow[] = []
  let first: Awaited<ReturnType<typeof createProject>>['project'] | null = null
  let busiest: Awaited<ReturnType<typeof createToken>>['token'] | null = null
  for (const [name, tokens, limit] of PROJECTS) {
    const { project } = await createProject(parts, ADMIN, {
      name,
      provider_keys: [{ provider: 'openai', key: `sk-example-${name.replaceAll(' ', '-')}-4f2a` }],
      ...(limit !== null && { budgets: [{ period: 'month', limit_usd: limit }] }),
    })
    first ??= project
    for (const [i, tokenName] of tokens.entries()) {
      const { token } = await createToken(ctx, ADMIN, {
        project_id: project.id,
        name: tokenName,
        metadata: { team: name.toLowerCase(), environment: i === 0 ? 'production' : 'staging' },
        rate_limit: { requests_per_minute: 600, concurrent_requests: 50 },
        budgets: [{ period: 'month', limit_usd: i === 0 ? '120' : '30' }],
        ...(i === 1 && { duration_minutes: 5 * 1440 }),
      })
      busiest ??= token
      const weight = (3 - i) * (name === 'Research' ? 0.5 : 1)
      rows.push(...requestsOf(ctx.now(), { tokenId: token.id, projectId: project.id }, weight, random))
    }
  }
  const { token: old } = await createToken(ctx, ADMIN, { project_id: first!.id, name: 'leaked on a laptop' })
  await revokeToken(ctx, ADMIN, old.id)
  await createRoute({ ...parts, fileRoutes: () => ctx.routing.ofFile().routes }, ADMIN, {
    pattern: 'fast',
    strategy: 'least_latency',
    targets: [
      { provider: 'openai', model: 'gpt-4o-mini' },
      { provider: 'gemini', model: 'gemini-2.5-flash' },
    ],
  })
  rows.sort((a, b) => a.at - b.at)
  const counts = new Map([...Map.groupBy(rows, ({ tokenId }) => tokenId!)].map(([id, ofToken]) => [id, ofToken.length]))
  await ctx.store.ledger.append({ rows, opens: [], takes: [], counts, at: ctx.now() - 90_000 })
  const failed = rows.findLast(({ status, attempts }) => status === 200 && attempts.length > 1)!
  return { project: first!, token: busiest!, failed, rows }
}

/** More on working days and in the daytime, growing over the weeks. */
function requestsOf(now: number, owner: { tokenId: string; projectId: string }, weight: number, random: () => number) {
  const rows: LedgerRow[] = []
  for (let hour = DAYS * 24; hour >= 0; hour--) {
    const start = now - hour * HOUR_MS
    const date = new Date(start)
    const isWeekend = [0, 6].includes(date.getUTCDay())
    const busy = (isWeekend ? 0.3 : 1) * (0.25 + Math.max(0, Math.sin(((date.getUTCHours() - 5) / 24) * 2 * Math.PI)))
    const count = Math.round(busy * weight * (1 + (DAYS * 24 - hour) / (DAYS * 24)) * 2 * random())
    for (let i = 0; i < count; i++) rows.push(oneOf(Math.floor(start - random() * HOUR_MS), owner, random))
  }
  return rows
}

function oneOf(at: number, owner: { tokenId: string; projectId: string }, random: () => number): LedgerRow {
  const [model, servedModel, provider, nanoUsd] = MODELS[Math.floor(random() ** 1.5 * MODELS.length)]!
  const inputTokens = Math.round(400 + random() ** 3 * 24_000)
  const outputTokens = Math.round(50 + random() ** 2 * 1800)
  const latencyMs = Math.round(400 + random() ** 4 * 24_000)
  const luck = random()
  const answered = {
    provider,
    model,
    outcome: 'answered' as const,
    status: 200,
    durationMs: latencyMs * 0.8,
    error: null,
  }
  const failed = { provider, model, outcome: 'failed' as const, status: 529, durationMs: latencyMs * 0.15, error: null }
  const wasted = luck < 0.012
  return aRequest({
    ...owner,
    at,
    model,
    servedModel: wasted ? null : servedModel,
    provider,
    latencyMs,
    firstTokenMs: wasted ? null : Math.round(latencyMs * (0.1 + random() * 0.2)),
    attempts: wasted ? [failed] : luck < 0.05 ? [failed, answered] : [answered],
    usage: {
      ...aRequest().usage,
      inputTokens: wasted ? 0 : inputTokens,
      outputTokens: wasted ? 0 : outputTokens,
      cachedTokens: wasted ? 0 : Math.round(inputTokens * random() * 0.6),
    },
    costNanoUsd: wasted ? 0n : BigInt(Math.round((inputTokens * nanoUsd) / 2 + outputTokens * nanoUsd * 2)),
    ...(wasted && { status: 503, error: 'no_healthy_upstream', stream: false }),
    ...(luck > 0.994 && { status: 499, error: 'client_closed', estimateReason: 'client_abort' as const }),
  })
}

/** Numbers between 0 and 1 that are the same each time (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}
