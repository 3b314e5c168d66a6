import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'
import { MANAGEMENT_TOKEN, startTestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

const NOVEMBER = Date.UTC(2026, 10, 21, 12)
const DAMAGED = 'this is no database '.repeat(1_000)
const budget = (period: 'month' | 'total') => ({
  period,
  limitNanoUsd: 1_000_000_000,
  limitTokens: null,
  resetAt: null,
})

it('a month that is over and damaged keeps no gateway from starting, nor requests out; what needs it says so', async () => {
  const dataDir = makeFolder({ 'ledger-2026-10.db': DAMAGED })
  const gateway = await startTestGateway({ upstream: upstream.url, dataDir, now: () => NOVEMBER })
  expect(gateway.logs()).toMatch(/a month of the ledger cannot be used[^\n]*2026-10/)
  const { secret, token } = await gateway.token({ budgets: [budget('month')] })
  expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
  expect(await gateway.ctx.store.ledger.spend({ tokenId: token.id, from: NOVEMBER })).toMatchObject({ tokens: 12 })

  const report = async (from: string) => {
    const answer = await ask(`${gateway.url}/manage/usage?from=${from}`, {
      headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` },
    })
    return { status: answer.status, body: JSON.parse(answer.body.toString()) }
  }
  expect(await report('2026-11-01')).toMatchObject({ status: 200, body: { totals: { requests: 1 } } })
  expect(await report('2026-10-01')).toMatchObject({ status: 503, body: { error: { code: 'storage_unavailable' } } })
  // What it has spent in all its life cannot be known.
  const forLife = await gateway.token({ budgets: [budget('total')] })
  expect((await chat(gateway.baseUrl, forLife.secret)).status).toBe(503)
  expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
  await gateway.stop()
})

it('a damaged file of this month refuses to start, by its name', async () => {
  const dataDir = makeFolder()
  writeFileSync(join(dataDir, 'ledger-2026-11.db'), DAMAGED)
  await expect(startTestGateway({ upstream: upstream.url, dataDir, now: () => NOVEMBER })).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringMatching(/ledger-2026-11\.db is damaged/),
  })
})
