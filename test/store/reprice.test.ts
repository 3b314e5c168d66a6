import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { openStore } from '../../src/store/open.ts'
import { expectError } from './contract.ts'
import { aBatch, aRow, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const HOUR = 3_600_000
const ALWAYS = { from: 0, to: Date.UTC(2100, 0, 1) }

const aCost = fc.option(fc.bigInt({ min: 0n, max: 10n ** 13n }), { nil: null })
const someRows = fc.array(
  fc.record({
    at: fc.integer({ min: NOON - 400 * HOUR, max: NOON + 400 * HOUR }),
    tokenId: fc.constantFrom('tok_1', 'tok_2', null),
    status: fc.constantFrom(200, 499, 500),
    costNanoUsd: aCost,
  }),
  { minLength: 1, maxLength: 600 },
)

describe('pricing rows anew', () => {
  it('leaves rows and sums equal, whatever the rows and the costs, also while others write', async () => {
    await fc.assert(
      fc.asyncProperty(someRows, fc.array(aCost, { minLength: 1 }), async (given, costs) => {
        const dataDir = folder()
        const [store, other] = [await openStore({ dataDir }), await openStore({ dataDir })]
        const rows = given.map(aRow)
        await store.ledger.append(aBatch({ rows }))
        let asked = 0
        const expected = new Map(rows.map(({ requestId, costNanoUsd }) => [requestId, costNanoUsd]))
        const done = other.ledger.reprice(ALWAYS, ({ requestId }) => {
          const costNanoUsd = costs[asked++ % costs.length]!
          if (costNanoUsd === null) return null
          expected.set(requestId, costNanoUsd)
          return { costNanoUsd, priceSource: 'config' }
        })
        const late = given.slice(0, 5).map(aRow)
        for (const row of late) {
          await store.ledger.append(aBatch({ rows: [row] }))
          if (!expected.has(row.requestId)) expected.set(row.requestId, row.costNanoUsd)
        }
        await done
        expect(await store.ledger.verify()).toEqual([])
        const { data } = await store.ledger.list({}, { limit: 1_000 })
        expect(new Map(data.map(({ requestId, costNanoUsd }) => [requestId, costNanoUsd]))).toEqual(expected)
        const sum = [...expected.values()].reduce<bigint>((all, cost) => all + (cost ?? 0n), 0n)
        expect((await store.ledger.usage({ groupBy: [], filter: {} })).totals.costNanoUsd).toBe(sum)
        await other.close()
        await store.close()
      }),
      { numRuns: 15 },
    )
  })

  it('finds expensive rows by their new cost', async () => {
    const store = await openStore({ dataDir: folder() })
    await store.ledger.append(aBatch({ rows: [aRow({ costNanoUsd: 5n }), aRow({ costNanoUsd: null })] }))
    await store.ledger.reprice(ALWAYS, () => ({ costNanoUsd: 1_000_000n, priceSource: 'config' }))
    expect((await store.ledger.list({ minCostNanoUsd: 1_000_000n }, { limit: 10 })).data).toHaveLength(2)
    await store.close()
  })

  it('stops where the sums of a row are missing, and says what to do', async () => {
    const dataDir = folder()
    const first = await openStore({ dataDir })
    await first.ledger.append(aBatch({ rows: [aRow()] }))
    await first.close()
    const store = await openStore({ dataDir })
    const month = new Sqlite(join(dataDir, 'ledger-2026-11.db'))
    month.exec('DELETE FROM daily')
    month.close()
    const changed = store.ledger.reprice(ALWAYS, () => ({ costNanoUsd: 7n, priceSource: 'config' }))
    await expectError(changed, 'corrupt', /ledger verify --repair/)
    expect((await store.ledger.list({}, { limit: 1 })).data[0]?.costNanoUsd).toBe(1_500n)
    await store.close()
  })
})
