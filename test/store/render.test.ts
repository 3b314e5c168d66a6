import { expect, it } from '@jest/globals'
import renderUsage, { type RenderUsage } from '../../src/manage/render-usage.ts'
import { openStore } from '../../src/store/open.ts'
import { createReport } from '../../src/store/sqlite/ledger/report.ts'
import type { UsageGroup } from '../../src/store/store.ts'
import { aBatch, aRow, NOON } from './samples.ts'
import { folder } from './temporary.ts'

const GROUPS: UsageGroup[] = ['token', 'hour']
const TOKENS = 4_000

it('a long report is made into text off the event loop, which gets its bytes and no objects', async () => {
  const store = await openStore({ dataDir: folder() })
  const rows = Array.from({ length: TOKENS }, (_, i) => aRow({ tokenId: `tok_${i}` }))
  await store.ledger.append(aBatch({ rows }))
  const query = { groupBy: GROUPS, filter: { from: NOON, to: NOON + 3_600_000 } }
  const input: RenderUsage = { groupBy: GROUPS, format: 'json' }
  const module = new URL('../../src/manage/render-usage.ts', import.meta.url).href
  const here = async () => renderUsage(await store.ledger.usage(query), input)
  const there = () => store.ledger.render({ module, input }, { usage: query })
  // Both once, to load what they need.
  const text = await here()
  expect(Buffer.from(await there()).toString()).toBe(text)
  expect(JSON.parse(text).data).toHaveLength(TOKENS)
  expect(await cpuOf(there)).toBeLessThan((await cpuOf(here)) / 3)
  await store.close()
})

it('a renderer that fails fails its report, and no other', async () => {
  const store = await openStore({ dataDir: folder() })
  const query = { groupBy: GROUPS, filter: {} }
  const none = store.ledger.render({ module: 'file:///no/such/module.ts' }, { usage: query })
  await expect(none).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' })
  expect((await store.ledger.usage(query)).totals.requests).toBe(0)
  await store.close()
})

it('a report has a bound on its rows', () => {
  const report = createReport(['token'], () => null, 2)
  const series = (tokenId: string) => ({
    tokenId,
    projectId: '',
    model: '',
    provider: '',
    endpoint: '',
    status: 200,
    error: '',
  })
  report.at(NOON, series('a'))
  report.at(NOON, series('b'))
  report.at(NOON, series('a'))
  expect(() => report.at(NOON, series('c'))).toThrow(
    expect.objectContaining({ kind: 'too_large', message: expect.stringContaining('more than 2 rows') }),
  )
})

/** Microseconds of this thread. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}
