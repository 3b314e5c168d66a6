import { describe, expect, it } from '@jest/globals'
import type { LedgerRow } from '../../src/store/store.ts'
import { eventually } from '../helpers/http.ts'
import { aBatch, aRow, NOON } from '../store/samples.ts'
import { anError, given } from './given.ts'

const HOUR = 3_600_000
const usage: LedgerRow['usage'] = {
  inputTokens: 1_000,
  outputTokens: 100,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  details: null,
  source: 'reported',
}
const attempts = (provider: string, model: string): LedgerRow['attempts'] => [
  { provider, model, outcome: 'answered', status: 200, durationMs: 1, error: null },
]

/** 1 dollar a million in, 10 out: 0.002 dollars for each of these. */
const house = (fields: Partial<LedgerRow> = {}) =>
  aRow({
    model: 'house',
    servedModel: 'house-1',
    attempts: attempts('vllm', 'house'),
    provider: 'vllm',
    usage,
    ...fields,
  })
const config = {
  prices: { discounts: {}, models: [{ provider: 'vllm', model: 'house*', input: 1, output: 10 }] },
}
const NOVEMBER = { from: '2026-11-01', to: '2026-12-01' }

async function start(rows: LedgerRow[]) {
  const made = await given({ now: () => NOON, config })
  await made.store.ledger.append(aBatch({ rows }))
  const costs = async () => {
    const costs = new Map<string, bigint | null>()
    for (const { requestId, costNanoUsd } of await made.gateway.rows()) costs.set(requestId, costNanoUsd)
    return rows.map(({ requestId }) => costs.get(requestId))
  }
  return { ...made, costs }
}

describe('POST /manage/prices/reprice', () => {
  it('changes what past requests cost, their reports with them, and says so in the audit log', async () => {
    const rows = [house({ costNanoUsd: null, priceSource: null }), house({ costNanoUsd: 9_000_000n })]
    const { post, get, audit, costs, gateway, store } = await start(rows)
    const { status, body } = await post('/manage/prices/reprice', NOVEMBER)
    expect(status).toBe(200)
    const change = { changed_requests: 2, cost_usd_before: '0.009', cost_usd_after: '0.004' }
    expect(body).toEqual({
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-12-01T00:00:00.000Z',
      model: null,
      dry_run: false,
      requests: 2,
      unpriced_requests: 0,
      ...change,
      models: [{ provider: 'vllm', model: 'house-1', ...change }],
    })
    expect(await costs()).toEqual([2_000_000n, 2_000_000n])
    expect((await gateway.rows()).map(({ priceSource }) => priceSource)).toEqual(['config', 'config'])
    for (const group of ['day', 'hour', 'model', 'day,model', 'hour,model']) {
      const { data } = (await get(`/manage/usage?group_by=${group}`)).body
      expect(data).toEqual([expect.objectContaining({ cost_usd: '0.004', unpriced_requests: 0, unpriced_tokens: 0 })])
    }
    expect(await store.ledger.verify()).toEqual([])
    expect(await audit('action=prices.reprice')).toEqual([
      expect.objectContaining({
        outcome: 'success',
        after: { from: body.from, to: body.to, model: null, ...change },
      }),
    ])
  })

  it('only says what would change, with dry_run', async () => {
    const { post, audit, costs } = await start([house({ costNanoUsd: null })])
    const { body } = await post('/manage/prices/reprice', { ...NOVEMBER, dry_run: true })
    expect(body).toMatchObject({ dry_run: true, changed_requests: 1, cost_usd_before: '0', cost_usd_after: '0.002' })
    expect(await costs()).toEqual([null])
    expect(await audit('action=prices.reprice')).toEqual([])
  })

  it('keeps to the time and the model that were asked for', async () => {
    const old = { costNanoUsd: 1n }
    const rows = [
      house({ ...old, at: NOON - 1 }),
      house({ ...old, at: NOON }),
      house({ ...old, at: NOON + HOUR, model: 'vllm:house' }),
      house({ ...old, at: NOON + HOUR, model: 'house-mini', servedModel: null, attempts: [] }),
      house({ ...old, at: NOON + 2 * HOUR }),
    ]
    const { post, costs, store } = await start(rows)
    const range = { from: '2026-11-21T12:00:00Z', to: '2026-11-21T14:00:00Z' }
    expect((await post('/manage/prices/reprice', { ...range, model: 'house' })).body).toMatchObject({ requests: 2 })
    expect(await costs()).toEqual([1n, 2_000_000n, 2_000_000n, 1n, 1n])
    expect((await post('/manage/prices/reprice', { ...range, model: 'house-m*' })).body).toMatchObject({ requests: 1 })
    expect(await costs()).toEqual([1n, 2_000_000n, 2_000_000n, 2_000_000n, 1n])
    expect(await store.ledger.verify()).toEqual([])
  })

  it('leaves what two models answered together as it is: the row has only the sum of what they used', async () => {
    const { post, costs } = await start([house({ costNanoUsd: 5n, changes: ['recovered:restart'] })])
    expect((await post('/manage/prices/reprice', NOVEMBER)).body).toMatchObject({ requests: 0, changed_requests: 0 })
    expect(await costs()).toEqual([5n])
  })

  it('takes the list where nothing is configured: gpt-4o costs 2.50 and 10 dollars a million', async () => {
    const at = Date.UTC(2026, 10, 3)
    const { post, get, costs } = await start([
      aRow({ usage, at, model: 'gpt-4o', servedModel: 'gpt-4o', costNanoUsd: null }),
    ])
    await post('/manage/prices/reprice', NOVEMBER)
    expect(await costs()).toEqual([2_500n * 1_000n + 10_000n * 100n])
    expect((await get('/manage/usage?group_by=model')).body.data[0]).toMatchObject({ cost_usd: '0.0035' })
  })

  it('leaves alone what has no price now, what nobody counted and what no provider saw', async () => {
    const none = { ...usage, inputTokens: 0, outputTokens: 0, source: 'none' as const }
    const rows = [
      house({ model: 'gone', servedModel: null, attempts: attempts('vllm', 'gone'), costNanoUsd: 77n }),
      house({ usage: none, costNanoUsd: 88n, priceSource: 'reserved' }),
      house({ usage: none, provider: null, costNanoUsd: 0n }),
    ]
    const { post, costs } = await start(rows)
    const { body } = await post('/manage/prices/reprice', NOVEMBER)
    expect(body).toMatchObject({ requests: 1, changed_requests: 0, unpriced_requests: 1, models: [] })
    expect(await costs()).toEqual([77n, 88n, 0n])
  })

  it('is in the budgets at once', async () => {
    const { store, post, gateway } = await start([])
    const budgets = [{ period: 'month' as const, limitNanoUsd: 3_000_000, limitTokens: null, resetAt: null }]
    const { token } = await gateway.token({ budgets })
    await store.ledger.append(aBatch({ rows: [house({ tokenId: token.id, costNanoUsd: null })] }))
    const used = async () => {
      const [state] = await gateway.ctx.budgets.states({ kind: 'token', id: token.id }, budgets, NOON)
      return state!.used.nanoUsd
    }
    expect(await used()).toBe(0n)
    await post('/manage/prices/reprice', NOVEMBER)
    await eventually(async () => (await used()) === 2_000_000n, 'the budget follows')
  })

  it('is done once at a time', async () => {
    const { post } = await start([house({ costNanoUsd: null })])
    const answers = await Promise.all([1, 2, 3].map(() => post('/manage/prices/reprice', NOVEMBER)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    expect(answers.find(({ status }) => status === 409)?.body).toEqual(anError('conflict'))
  })

  it.each([
    [{}, { from: 'is required', to: 'is required' }],
    [{ from: '2026-11-02', to: '2026-11-02' }, { to: 'must be after from' }],
    [{ ...NOVEMBER, dry_run: 'yes' }, { dry_run: 'must be true or false' }],
    [{ ...NOVEMBER, models: 'x' }, { models: 'is not a known field; did you mean model?' }],
  ])('refuses %j', async (fields, problems) => {
    const { post, audit } = await start([])
    const { status, body } = await post('/manage/prices/reprice', fields)
    expect({ status, body }).toEqual({ status: 422, body: anError('validation_failed', problems as never) })
    expect(await audit('action=prices.reprice&outcome=failure')).toHaveLength(1)
  })
})
