import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startChildGateway } from '../helpers/child.ts'
import { makeFolder } from '../helpers/folder.ts'
import { chat, eventually } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

type Request = { status: number; error: string | null; cost_usd: string; reserved_usd: string }
type Budget = { used_usd: string; reserved_usd: string }

it('requests that a crash cut off are booked at the next start, once, and hold no money back any more', async () => {
  const dataDir = makeFolder()
  upstream.script(() => {})
  const first = await startChildGateway({ upstream: upstream.url, dataDir })
  const { id, secret } = await first.token({ budgets: [{ period: 'month', limit_usd: '5' }] })
  const budgetOf = async (gateway: typeof first) =>
    (await gateway.manage<{ data: Budget[] }>('GET', `/budgets?token_id=${id}`)).data[0]!
  const rowsOf = async (gateway: typeof first) =>
    (await gateway.manage<{ data: Request[] }>('GET', `/requests?token_id=${id}`)).data
  for (let i = 0; i < 3; i++) chat(first.baseUrl, secret, { max_tokens: 1_000 }).catch(() => {})
  await eventually(() => upstream.seen.length === 3, 'three requests under way')
  const before = await budgetOf(first)
  expect([before.used_usd, Number(before.reserved_usd) > 0.03]).toEqual(['0', true])
  first.kill('SIGKILL')
  await first.exited

  const second = await startChildGateway({ upstream: upstream.url, dataDir })
  const rows = await rowsOf(second)
  expect(rows).toHaveLength(3)
  for (const row of rows)
    expect(row).toMatchObject({ status: 499, error: 'interrupted', usage: { estimate_reason: 'interrupted' } })
  const cost = rows.reduce((sum, { cost_usd }) => sum + Number(cost_usd), 0)
  expect(cost > 0 && cost < Number(before.reserved_usd)).toBe(true)
  expect(await budgetOf(second)).toMatchObject({ reserved_usd: '0' })
  expect(Number((await budgetOf(second)).used_usd)).toBeCloseTo(cost, 9)
  upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
  expect((await chat(second.baseUrl, secret, { max_tokens: 10 })).status).toBe(200)
  second.kill('SIGKILL')
  await second.exited

  const third = await startChildGateway({ upstream: upstream.url, dataDir })
  expect(await rowsOf(third)).toHaveLength(4)
  third.kill('SIGTERM')
  await third.exited
}, 60_000)
