import { beforeEach, describe, expect, it } from '@jest/globals'
import type { LedgerRow, Store, UsageFilter, UsageGroup } from '../../src/store/store.ts'
import type { Given } from './contract.ts'
import { aBatch, aRow, NOON } from './samples.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Reports, spending and open requests. */
export function describeUsage(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const append = (rows: LedgerRow[]) => store.ledger.append(aBatch({ rows }))
  const counts = async (groupBy: UsageGroup[], filter: UsageFilter = {}) =>
    (await store.ledger.usage({ groupBy, filter })).rows.map(({ keys, requests }) => [...keys, requests])

  describe('usage', () => {
    it('adds up by token, project, model and provider, the most used first', async () => {
      await append([
        aRow({ tokenId: 'tok_a', model: 'm1' }),
        aRow({ tokenId: 'tok_b', model: 'm2' }),
        aRow({ tokenId: 'tok_b', model: null, provider: null, projectId: null }),
      ])
      expect(await counts(['token'])).toEqual([
        ['tok_b', 2],
        ['tok_a', 1],
      ])
      expect(await counts(['project'])).toEqual([
        ['proj_1', 2],
        [null, 1],
      ])
      expect(await counts(['provider'], { tokenId: 'tok_b' })).toHaveLength(2)
      expect(await counts(['model'], { projectId: 'proj_1' })).toEqual([
        ['m1', 1],
        ['m2', 1],
      ])
      expect(await counts(['token', 'model'], { model: 'm2' })).toEqual([['tok_b', 'm2', 1]])
      expect(await counts(['endpoint', 'status'])).toEqual([['/v1/chat/completions', '2xx', 3]])
    })

    it('adds every kind of token, money beyond 53 bits, and tells what it does not know', async () => {
      await append([
        aRow({ costNanoUsd: 9_007_199_254_740_993n }),
        aRow({ costNanoUsd: 9_007_199_254_740_993n, cache: 'hit' }),
        aRow({ costNanoUsd: null, status: 499, error: 'client_closed_request', latencyMs: 100, firstTokenMs: null }),
      ])
      const { rows, totals } = await store.ledger.usage({ groupBy: [], filter: {} })
      expect(totals).toMatchObject({
        requests: 3,
        errors: 1,
        inputTokens: 30,
        outputTokens: 15,
        cachedTokens: 6,
        cacheWriteTokens: 9,
        reasoningTokens: 3,
        costNanoUsd: 18_014_398_509_481_986n,
        unpricedRequests: 1,
        unpricedTokens: 15,
        estimatedRequests: 0,
        cacheHits: 1,
      })
      expect(rows).toEqual([{ keys: [], ...totals }])
      expect(totals.latencyMs.p50).toBeGreaterThan(8)
      expect(totals.latencyMs.p50).toBeLessThanOrEqual(16)
      expect(totals.latencyMs.p99).toBeLessThanOrEqual(100)
      expect(totals.latencyMs.p99).toBeGreaterThan(64)
      expect(totals.firstTokenMs.p95).toBeLessThanOrEqual(8)
    })

    it('gives only so many rows where the top is asked for, the most expensive first, and the totals of all', async () => {
      await append([
        aRow({ model: 'often', costNanoUsd: 1n }),
        aRow({ model: 'often', costNanoUsd: 1n }),
        aRow({ model: 'dear', costNanoUsd: 50n }),
        aRow({ model: 'free', costNanoUsd: 0n }),
        aRow({ model: 'free too', costNanoUsd: 0n }),
        aRow({ model: 'free too', costNanoUsd: 0n }),
      ])
      const { rows, totals } = await store.ledger.usage({ groupBy: ['model'], filter: {}, top: 3 })
      expect(rows.map(({ keys }) => keys[0])).toEqual(['dear', 'often', 'free too'])
      expect(totals).toMatchObject({ requests: 6, costNanoUsd: 52n })
    })

    it('leaves percentiles out where times are not asked for, and nothing else', async () => {
      await append([aRow(), aRow({ at: NOON - 3 * HOUR, model: 'other' })])
      for (const groupBy of [[], ['model'], ['hour', 'model'], ['day']] as UsageGroup[][]) {
        const whole = await store.ledger.usage({ groupBy, filter: { from: NOON - DAY - 1234 } })
        const without = await store.ledger.usage({ groupBy, filter: { from: NOON - DAY - 1234 }, times: false })
        const none = { p50: null, p95: null, p99: null }
        expect(without.totals).toEqual({ ...whole.totals, latencyMs: none, firstTokenMs: none })
        expect(without.rows).toEqual(whole.rows.map((row) => ({ ...row, latencyMs: none, firstTokenMs: none })))
      }
    })

    it('has no rows and empty totals where there was nothing', async () => {
      const { rows, totals } = await store.ledger.usage({ groupBy: ['day'], filter: {} })
      expect(rows).toEqual([])
      expect(totals).toMatchObject({ requests: 0, costNanoUsd: 0n, latencyMs: { p50: null, p95: null, p99: null } })
    })

    it('adds up by UTC day and hour, ascending, exact to the millisecond at both ends', async () => {
      const midnight = Date.UTC(2026, 10, 22)
      await append(
        [midnight, midnight - 1, midnight + 1, midnight + DAY, midnight + 40 * DAY].map((at) => aRow({ at })),
      )
      expect(await counts(['day'])).toEqual([
        ['2026-11-21', 1],
        ['2026-11-22', 2],
        ['2026-11-23', 1],
        ['2027-01-01', 1],
      ])
      expect(await counts(['day'], { from: midnight, to: midnight + 1 })).toEqual([['2026-11-22', 1]])
      expect(await counts(['hour'], { from: midnight - HOUR, to: midnight + 1 })).toEqual([
        ['2026-11-21T23:00:00Z', 1],
        ['2026-11-22T00:00:00Z', 1],
      ])
      expect(await counts([], { from: midnight - 1, to: midnight + 40 * DAY })).toEqual([[4]])
      expect(await counts(['day'], { from: midnight + 41 * DAY })).toEqual([])
    })

    it('says the same for any span as its rows do', async () => {
      const rows = Array.from({ length: 300 }, (_, i) =>
        aRow({ at: NOON + i * 1_234_567, tokenId: `tok_${i % 3}`, status: i % 7 ? 200 : 502, costNanoUsd: BigInt(i) }),
      )
      for (let i = 0; i < rows.length; i += 50) await append(rows.slice(i, i + 50))
      for (const [from, to] of [
        [NOON + 1, NOON + 100 * 1_234_567],
        [NOON + 5 * 1_234_567, NOON + 5 * 1_234_567 + 1],
        [NOON - DAY, NOON + 3 * DAY + 7],
        [NOON + DAY, NOON + DAY],
      ] as const) {
        const inside = rows.filter(({ at, tokenId }) => at >= from && at < to && tokenId === 'tok_1')
        const expected = inside.reduce((sum, { costNanoUsd }) => sum + costNanoUsd!, 0n)
        expect(await store.ledger.spend({ tokenId: 'tok_1', from, to })).toEqual({
          costNanoUsd: expected,
          tokens: 15 * inside.length,
        })
        const { totals } = await store.ledger.usage({
          groupBy: ['hour', 'status'],
          filter: { tokenId: 'tok_1', from, to },
        })
        expect([totals.requests, totals.costNanoUsd]).toEqual([inside.length, expected])
      }
    })

    it('finds one token among many', async () => {
      await append(Array.from({ length: 60 }, (_, i) => aRow({ tokenId: `tok_${i % 30}`, at: NOON + i * HOUR })))
      expect(await counts(['hour', 'token'], { tokenId: 'tok_3' })).toEqual([
        ['2026-11-21T15:00:00Z', 'tok_3', 1],
        ['2026-11-22T21:00:00Z', 'tok_3', 1],
      ])
      expect(await counts(['day'], { tokenId: 'tok_3', to: NOON + 20 * HOUR })).toEqual([['2026-11-21', 1]])
      expect(await store.ledger.spend({ tokenId: 'tok_3' })).toEqual({ costNanoUsd: 3_000n, tokens: 30 })
    })

    it('groups by the metadata of tokens', async () => {
      const { id } = await given.project()
      const search = await given.token(id, { metadata: { team: 'search', tier: 1 } })
      const ads = await given.token(id, { metadata: { team: 'ads', deep: { a: 1 } } })
      await append([search, search, ads].map((token) => aRow({ tokenId: token.id })))
      await append([aRow({ tokenId: 'tok_gone' })])
      expect(await counts(['metadata.team'])).toEqual([
        ['"search"', 2],
        [null, 1],
        ['"ads"', 1],
      ])
      expect(await counts(['metadata.tier', 'metadata.deep'])).toEqual([
        [null, null, 2],
        ['1', null, 2],
      ])
    })

    it('bounds the names that callers can make up, and loses no request over it', async () => {
      const refused = Array.from({ length: 2_100 }, (_, i) =>
        aRow({ model: `made-up-${i}`, attempts: [], provider: null }),
      )
      await append(refused)
      await append([aRow({ model: 'gpt-4o' })])
      const { rows, totals } = await store.ledger.usage({ groupBy: ['model'], filter: {} })
      expect(rows[0]).toMatchObject({ keys: ['(other)'], requests: 100 })
      expect(rows.length).toBe(2_002)
      expect(totals.requests).toBe(2_101)
      const page = await store.ledger.list({ model: 'made-up-2099' }, { limit: 5 })
      expect(page.data).toEqual([refused[2_099]])
    })
  })

  describe('open requests', () => {
    const { usage, servedModel, attempts, status, latencyMs, firstTokenMs, ...row } = aRow()
    const open = {
      requestId: row.requestId,
      at: row.at,
      tokenId: row.tokenId,
      projectId: row.projectId,
      method: row.method,
      endpoint: row.endpoint,
      model: row.model,
      provider: row.provider,
      stream: row.stream,
      inputTokens: 7,
      reservedNanoUsd: 9_007_199_254_740_993n,
      process: 'host:1',
    }

    it('are there until their row is written', async () => {
      await store.ledger.append(aBatch({ opens: [open, { ...open, requestId: 'req_later', at: NOON + 40 * DAY }] }))
      expect((await store.ledger.openRequests()).map(({ requestId }) => requestId)).toEqual([
        row.requestId,
        'req_later',
      ])
      expect((await store.ledger.openRequests())[0]).toEqual(open)
      await append([aRow({ requestId: row.requestId })])
      expect(await store.ledger.openRequests()).toHaveLength(1)
    })
  })

  describe('retention', () => {
    it('deletes whole months that are past, and the reports of those left are as before', async () => {
      const at = Date.UTC(2026, 4, 31, 23, 59)
      await append([aRow({ at })])
      await append([aRow({ at: at + DAY })])
      // What was written to a moment ago is in use.
      expect(await store.ledger.retention(Date.UTC(2026, 5, 1))).toEqual([])
      const other = await given.another()
      expect(await other.ledger.retention(Date.UTC(2026, 5, 1) - 1)).toEqual([])
      expect(await other.ledger.retention(Date.UTC(2026, 5, 1))).toEqual(['2026-05'])
      expect(await counts(['day'])).toEqual([['2026-06-01', 1]])
      await other.close()
    })
  })

  it('adds up by its own account', async () => {
    const { id } = await given.project()
    const used = await given.token(id)
    const rows = [aRow({ tokenId: used.id }), aRow({ tokenId: used.id, costNanoUsd: null, at: NOON + 40 * DAY })]
    await store.ledger.append(aBatch({ rows, counts: new Map([[used.id, 2]]) }))
    expect(await store.ledger.verify()).toEqual([])
    await store.ledger.repair()
    expect(await store.ledger.verify()).toEqual([])
  })
}
