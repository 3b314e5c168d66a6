import { expect, it } from '@jest/globals'
import { presentUsage } from '../../../src/domain/present.ts'
import { LEDGER_GROUPS, toLedgerSums } from '../../../src/usage/reconcile/ledger-sums.ts'

const NO_TIMES = { p50: null, p95: null, p99: null }
const sums = {
  requests: 10,
  errors: 0,
  inputTokens: 100,
  outputTokens: 50,
  cachedTokens: 20,
  cacheWriteTokens: 30,
  reasoningTokens: 5,
  costNanoUsd: 1_500_000_001n,
  unpricedRequests: 2,
  unpricedTokens: 9,
  estimatedRequests: 3,
  cacheHits: 4,
  latencyMs: NO_TIMES,
  firstTokenMs: NO_TIMES,
}
const present = (model: string | null, status: string) =>
  toLedgerSums(
    presentUsage({ ...sums, keys: ['2026-11-20', model, '/v1/chat/completions', status] }, [...LEDGER_GROUPS]),
  )

it('takes the ledger as a provider would count it', () => {
  expect(present('gpt-4o', '2xx')).toEqual({
    day: '2026-11-20',
    model: 'gpt-4o',
    endpoint: '/v1/chat/completions',
    requests: 6,
    inputTokens: 100,
    cachedTokens: 20,
    cacheWriteTokens: 30,
    outputTokens: 50,
    costNanoUsd: 1_500_000_001n,
    unpricedRequests: 2,
    estimatedRequests: 3,
  })
})

it.each([
  ['gpt-4o', '499', 6],
  ['gpt-4o', '4xx', 0],
  ['gpt-4o', '5xx', 0],
  [null, '2xx', 0],
])('of requests for %s with status %s it counts %i, but what was spent on all', (model, status, requests) => {
  expect(present(model, status)).toMatchObject({ requests, inputTokens: 100, costNanoUsd: 1_500_000_001n })
})
