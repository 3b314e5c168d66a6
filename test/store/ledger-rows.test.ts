import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { newRequestId } from '../../src/ids.ts'
import { openStore } from '../../src/store/open.ts'
import type { AttemptRecord, LedgerRow } from '../../src/store/store.ts'
import { expectError } from './contract.ts'
import { aBatch, aRow, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const FILE = 'ledger-2026-11.db'

const text = fc.oneof(fc.string(), fc.constantFrom('', '(other)', 'a\nb', 'null', '3:a b', "x'; --", 'ü☃'))
const name = fc.option(text, { nil: null })
const milliseconds = fc.double({ min: 0, max: 1e9, noNaN: true })
const count = fc.nat()
const anAttempt: fc.Arbitrary<AttemptRecord> = fc.record({
  provider: fc.constantFrom('openai', 'mistral'),
  model: name,
  outcome: fc.constantFrom('answered', 'unsent', 'failed', 'cancelled'),
  status: fc.option(fc.constantFrom(200, 500), { nil: null }),
  durationMs: milliseconds,
  error: fc.constantFrom(null, 'upstream_timeout'),
})
const anyRow: fc.Arbitrary<Omit<LedgerRow, 'requestId'>> = fc.record({
  at: fc.integer({ min: NOON, max: NOON + 1e9 }),
  tokenId: fc.constantFrom('tok_1', 'tok_2', null),
  projectId: fc.constantFrom('proj_1', null),
  method: fc.constantFrom('GET', 'POST'),
  endpoint: text.map((path) => `/v1/${path}`),
  model: name,
  provider: fc.constantFrom('openai', null),
  servedModel: name,
  attempts: fc.array(anAttempt, { maxLength: 3 }),
  status: fc.constantFrom(200, 404, 499, 504),
  stream: fc.boolean(),
  latencyMs: milliseconds,
  firstTokenMs: fc.option(milliseconds, { nil: null }),
  usage: fc.record({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    reasoningTokens: count,
    details: fc.constantFrom(null, { web_searches: 3 }, { input_audio_tokens: 0, output_audio_tokens: 7 }),
    source: fc.constantFrom('reported', 'estimated', 'none'),
  }),
  estimateReason: fc.constantFrom(null, 'client_abort', 'not_reported'),
  costNanoUsd: fc.option(fc.bigInt(0n, 2n ** 50n), { nil: null }),
  priceSource: fc.constantFrom(null, 'config', 'genai-prices 0.1.8'),
  reservedNanoUsd: fc.option(fc.bigInt(0n, 2n ** 62n), { nil: null }),
  cache: fc.constantFrom('hit', 'miss', 'bypass'),
  error: fc.constantFrom(null, 'upstream_timeout'),
  changes: fc.array(fc.oneof(fc.constantFrom('model', 'stream_options'), text), { maxLength: 2 }),
  requestBytes: count,
  responseBytes: count,
})

describe('a row of the ledger', () => {
  it('comes back as it was written, whatever is in it, also after it was priced anew', async () => {
    const store = await openStore({ dataDir: folder() })
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 30 }), async (given) => {
        const rows = given.map((row) => ({ ...row, requestId: newRequestId(row.at) }))
        await store.ledger.append(aBatch({ rows }))
        for (const row of rows) expect(await store.ledger.get(row.requestId)).toEqual(row)
        const ids = new Set(rows.map(({ requestId }) => requestId))
        const cost = { costNanoUsd: 123n, priceSource: 'config' }
        await store.ledger.reprice({ from: NOON, to: NOON + 2e9 }, ({ requestId }) =>
          ids.has(requestId) ? cost : null,
        )
        for (const row of rows) expect(await store.ledger.get(row.requestId)).toEqual({ ...row, ...cost })
      }),
      { numRuns: 30, endOnFailure: true },
    )
    expect(await store.ledger.verify()).toEqual([])
    await store.close()
  })

  it('keeps its own names where the dictionaries of the month are full, and is found by them', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const attempt = aRow().attempts[0]!
    const made = (i: number) =>
      aRow({
        model: `made-up-${i}`,
        attempts: [{ ...attempt, outcome: 'failed', model: `made-up-${i}` }],
        endpoint: `/v1/${i}`,
        changes: ['model', `dropped:${i}`],
      })
    const rows = Array.from({ length: 3_000 }, (_, i) => made(i))
    for (let i = 0; i < rows.length; i += 500) await store.ledger.append(aBatch({ rows: rows.slice(i, i + 500) }))
    for (const i of [0, 1_500, 2_999]) {
      expect(await store.ledger.get(rows[i]!.requestId)).toEqual(rows[i])
      expect((await store.ledger.list({ model: `made-up-${i}` }, { limit: 5 })).data).toEqual([rows[i]])
      expect((await store.ledger.list({ endpoint: `/v1/${i}` }, { limit: 5 })).data).toEqual([rows[i]])
    }
    // Names of requests that are answered have room of their own.
    const answered = aRow({ model: 'answered', servedModel: 'answered-2026' })
    await store.ledger.append(aBatch({ rows: [answered] }))
    expect(await store.ledger.get(answered.requestId)).toEqual(answered)
    const month = new Sqlite(join(dataDir, FILE), { readonly: true })
    expect(month.prepare('SELECT count(*) FROM forms').pluck().get()).toBeLessThan(1_010)
    expect(month.prepare("SELECT count(*) FROM forms WHERE served_model = 'answered-2026'").pluck().get()).toBe(1)
    month.close()
    await store.ledger.reprice({ from: 0, to: NOON * 2 }, () => ({ costNanoUsd: 9n, priceSource: 'config' }))
    expect(await store.ledger.get(rows[2_999]!.requestId)).toEqual({
      ...rows[2_999],
      costNanoUsd: 9n,
      priceSource: 'config',
    })
    await store.close()
  })

  it('takes little more than a hundred bytes where requests are alike', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      aRow({ at: NOON + i, usage: { ...aRow().usage, details: null } }),
    )
    await store.ledger.append(aBatch({ rows }))
    await store.close()
    const month = new Sqlite(join(dataDir, FILE), { readonly: true })
    const pages = Number(month.prepare("SELECT sum(pgsize) FROM dbstat WHERE name = 'requests'").pluck().get())
    month.close()
    expect(pages / rows.length).toBeLessThan(130)
  })
})

describe('a row whose series or form is lost together with its second copy', () => {
  it('is named by verify, refused by its id when it is read, and after a repair there again, without the names', async () => {
    const dataDir = folder()
    const store = await openStore({ dataDir })
    const [whole, lostSeries, lostForm] = [
      aRow({ model: 'whole' }),
      aRow({ model: 'lost' }),
      aRow({ model: 'whole', servedModel: 'lost too' }),
    ]
    await store.ledger.append(aBatch({ rows: [whole, lostSeries, lostForm] }))
    const month = new Sqlite(join(dataDir, FILE))
    month.exec("DELETE FROM series WHERE model = 'lost'; DELETE FROM forms WHERE served_model = 'lost too'")
    month.exec("DELETE FROM spare WHERE content LIKE '%lost%'")
    month.close()
    await store.close()

    const again = await openStore({ dataDir })
    const found = await again.ledger.verify()
    for (const table of ['series', 'forms'])
      expect(found).toContainEqual(expect.objectContaining({ table, key: '2', field: 'names', found: 'lost' }))
    for (const { requestId } of [lostSeries, lostForm])
      await expectError(
        again.ledger.get(requestId),
        'corrupt',
        new RegExp(`row of ${requestId} cannot be read .its series or form is lost`),
      )
    expect(await again.ledger.get(whole.requestId)).toEqual(whole)

    await again.ledger.repair()
    expect(await again.ledger.verify()).toEqual([])
    const { requestId, usage, costNanoUsd } = lostSeries
    expect(await again.ledger.get(requestId)).toMatchObject({
      requestId,
      usage,
      costNanoUsd,
      model: '(lost)',
      status: 0,
    })
    expect(await again.ledger.get(lostForm.requestId)).toMatchObject({ model: 'whole', method: '(lost)', attempts: [] })
    const { totals } = await again.ledger.usage({ groupBy: [], filter: {} })
    expect([totals.requests, totals.costNanoUsd]).toEqual([3, 4_500n])
    await again.close()
  })
})
