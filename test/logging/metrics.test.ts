import { beforeEach, describe, expect, it } from '@jest/globals'
import { createMetrics, type EndedRequest, type Metrics } from '../../src/metrics.ts'
import { createLive } from '../../src/routing/create-live.ts'
import type { Live, TryEnd } from '../../src/routing/live.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'

let metrics: Metrics
let live: Live
let now = 0
beforeEach(() => {
  now = 0
  metrics = createMetrics()
  live = createLive({
    now: () => now,
    random: Math.random,
    breaker: () => ({ failures: 2, windowMs: 30_000, cooldownMs: 15_000, halfOpenRequests: 1 }),
    keys: () => ({ strategy: 'weighted', cooldownOn429: true }),
  })
  metrics.watchRouting(live)
})

const tried = (how: TryEnd, { provider = 'openai', keyId = 'shared', model = 'gpt-4o' } = {}) => {
  const one = live.begin({ provider, keyId, model })
  if (how === 'answered') one.firstEvent()
  one.end(how)
}

const USAGE = {
  inputTokens: 9,
  outputTokens: 3,
  cachedTokens: 4,
  cacheWriteTokens: 0,
  reasoningTokens: 2,
  details: null,
  source: 'reported' as const,
}
type Facts = Partial<EndedRequest> & { answered?: boolean; overheadMs?: number | null }
const ended = ({ answered = true, overheadMs = 0.4, ...fields }: Facts = {}) =>
  metrics.requestEnded(
    {
      provider: 'openai',
      model: 'gpt-4o',
      status: 200,
      latencyMs: 1_500,
      firstTokenMs: 250,
      usage: USAGE,
      costNanoUsd: null,
      ...fields,
    },
    answered,
    overheadMs,
  )

/** The samples of a metric: `labels value`, without `# HELP` and `# TYPE`. */
const samples = async (name: string) =>
  (await metrics.registry.getSingleMetricAsString(name)).split('\n').filter((line) => line.startsWith(name))

describe('a request that ended', () => {
  it('is counted by provider, model and what the client was told', async () => {
    ended()
    ended({ status: 429, answered: false })
    ended()
    expect((await samples('llmproxy_requests_total')).sort()).toEqual([
      'llmproxy_requests_total{provider="openai",model="gpt-4o",status="200"} 2',
      'llmproxy_requests_total{provider="openai",model="gpt-4o",status="429"} 1',
    ])
  })

  it('is timed in seconds: the whole, the first byte and what the gateway took', async () => {
    ended()
    expect(await samples('llmproxy_request_duration_seconds')).toContain(
      'llmproxy_request_duration_seconds_sum{provider="openai",model="gpt-4o"} 1.5',
    )
    expect(await samples('llmproxy_first_token_seconds')).toContain(
      'llmproxy_first_token_seconds_sum{provider="openai",model="gpt-4o"} 0.25',
    )
    expect(await samples('llmproxy_overhead_seconds')).toContain('llmproxy_overhead_seconds_sum 0.0004')
  })

  it('without a first byte, or that never left, is not timed there', async () => {
    ended({ firstTokenMs: null, overheadMs: null })
    expect((await samples('llmproxy_first_token_seconds')).filter((line) => line.includes('_count'))).toEqual([])
    expect(await samples('llmproxy_overhead_seconds')).toContain('llmproxy_overhead_seconds_count 0')
  })

  it('counts its tokens by type', async () => {
    ended()
    ended({ usage: { ...USAGE, cachedTokens: 0, reasoningTokens: 0 } })
    ended({ usage: NO_USAGE })
    const labels = 'provider="openai",model="gpt-4o"'
    expect(await samples('llmproxy_tokens_processed_total')).toEqual([
      `llmproxy_tokens_processed_total{${labels},type="input"} 18`,
      `llmproxy_tokens_processed_total{${labels},type="output"} 6`,
      `llmproxy_tokens_processed_total{${labels},type="cached"} 4`,
      `llmproxy_tokens_processed_total{${labels},type="reasoning"} 2`,
    ])
  })
})

describe('what is known of the providers', () => {
  const available = () => samples('llmproxy_model_availability')
  const breaker = () => samples('llmproxy_breaker_state')
  const benched = () => samples('llmproxy_key_benched')
  const labels = 'provider="openai",model="gpt-4o"'

  it('says whether a model is available: by its last answer, and by whether requests pass', async () => {
    expect(await available()).toEqual([])
    tried('answered')
    expect(await available()).toEqual([`llmproxy_model_availability{${labels}} 1`])
    tried('failed')
    expect(await available()).toEqual([`llmproxy_model_availability{${labels}} 0`])
    tried('limited')
    expect(await available()).toEqual([`llmproxy_model_availability{${labels}} 0`])
    tried('answered')
    live.benchKey('openai', 'shared', 5_000, 'limited')
    expect(await available()).toEqual([`llmproxy_model_availability{${labels}} 0`])
    tried('answered', { keyId: 'key_b' })
    expect(await available()).toEqual([`llmproxy_model_availability{${labels}} 1`])
  })

  it('shows the breaker of a model, the worst of its keys, through opening, probing and closing', async () => {
    tried('answered')
    tried('answered', { keyId: 'key_b' })
    expect(await breaker()).toEqual([`llmproxy_breaker_state{${labels}} 0`])
    tried('failed')
    tried('failed')
    expect(await breaker()).toEqual([`llmproxy_breaker_state{${labels}} 2`])
    now = 15_000
    expect(await breaker()).toEqual([`llmproxy_breaker_state{${labels}} 1`])
    tried('answered')
    expect(await breaker()).toEqual([`llmproxy_breaker_state{${labels}} 0`])
  })

  it('counts the keys that rest, and names none', async () => {
    tried('answered')
    live.benchKey('openai', 'key_a', 5_000, 'limited')
    live.benchKey('openai', 'key_b', 9_000, 'refused')
    expect(await benched()).toEqual(['llmproxy_key_benched{provider="openai"} 2'])
    now = 5_000
    expect(await benched()).toEqual(['llmproxy_key_benched{provider="openai"} 1'])
    now = 9_000
    expect(await benched()).toEqual(['llmproxy_key_benched{provider="openai"} 0'])
    expect(await metrics.registry.metrics()).not.toContain('key_a')
  })

  it('gives no label to a model that has never answered', async () => {
    for (let i = 0; i < 1_000; i++) tried('failed', { model: `made-up-${i}` })
    expect(await available()).toEqual([])
    expect(await breaker()).toEqual(['llmproxy_breaker_state{provider="openai",model="other"} 0'])
  })

  it('gives five hundred models a label of their own, whatever callers ask for', async () => {
    for (let i = 0; i < 1_500; i++) tried('answered', { model: `model-${i}` })
    expect(await available()).toHaveLength(500)
    expect(await breaker()).toHaveLength(501)
  })
})

describe('label sets are bounded', () => {
  it('a model that no provider has served is `other`, and none is `none`', async () => {
    ended({ model: 'made-up', status: 404, answered: false })
    ended({ model: null, provider: null, status: 401, answered: false })
    expect(await samples('llmproxy_requests_total')).toEqual([
      'llmproxy_requests_total{provider="openai",model="other",status="404"} 1',
      'llmproxy_requests_total{provider="none",model="none",status="401"} 1',
    ])
  })

  it('five hundred models have a label of their own, and no caller can make more', async () => {
    for (let i = 0; i < 2_000; i++) ended({ model: `model-${i}` })
    const lines = await samples('llmproxy_requests_total')
    expect(lines).toHaveLength(501)
    expect(lines).toContain('llmproxy_requests_total{provider="openai",model="other",status="200"} 1500')
    ended({ model: 'model-3' })
    expect(await samples('llmproxy_requests_total')).toContain(
      'llmproxy_requests_total{provider="openai",model="model-3",status="200"} 2',
    )
  })

  it('a name made to break the format does not', async () => {
    ended({ model: 'a"}\n# HELP x{\\' })
    expect(await samples('llmproxy_requests_total')).toEqual([
      'llmproxy_requests_total{provider="openai",model="a\\"}\\n# HELP x{\\\\",status="200"} 1',
    ])
  })
})

it('attempts are open while they run, and counted by how they ended', async () => {
  metrics.attemptStarted('openai')
  metrics.attemptStarted('openai')
  metrics.attemptEnded('openai', 'answered')
  expect(await samples('llmproxy_active_requests')).toEqual(['llmproxy_active_requests{provider="openai"} 1'])
  metrics.attemptEnded('openai', 'failed')
  expect(await samples('llmproxy_active_requests')).toEqual(['llmproxy_active_requests{provider="openai"} 0'])
  expect(await samples('llmproxy_upstream_attempts_total')).toEqual([
    'llmproxy_upstream_attempts_total{provider="openai",outcome="answered"} 1',
    'llmproxy_upstream_attempts_total{provider="openai",outcome="failed"} 1',
  ])
})

it('refusals are counted by code', async () => {
  metrics.requestRejected('invalid_api_key')
  metrics.requestRejected('invalid_api_key')
  expect(await samples('llmproxy_rejected_total')).toEqual(['llmproxy_rejected_total{code="invalid_api_key"} 2'])
})

describe('the names of DESIGN 4.5', () => {
  const named = (names: string[]) => names.filter((name) => metrics.registry.getSingleMetric(name) === undefined)

  it('are there, with those of the process', () => {
    expect(
      named([
        'llmproxy_requests_total',
        'llmproxy_request_duration_seconds',
        'llmproxy_first_token_seconds',
        'llmproxy_overhead_seconds',
        'llmproxy_tokens_processed_total',
        'llmproxy_active_requests',
        'llmproxy_model_availability',
        'llmproxy_breaker_state',
        'llmproxy_key_benched',
        'llmproxy_upstream_attempts_total',
        'llmproxy_rejected_total',
        'process_cpu_seconds_total',
        'nodejs_eventloop_lag_seconds',
      ]),
    ).toEqual([])
  })

  it('add up what is known of costs, in dollars', async () => {
    ended({ costNanoUsd: 1_500_000n })
    ended({ costNanoUsd: 500_000n })
    ended({ costNanoUsd: null })
    expect(await samples('llmproxy_cost_usd_total')).toEqual([
      'llmproxy_cost_usd_total{provider="openai",model="gpt-4o"} 0.002',
    ])
  })
})
