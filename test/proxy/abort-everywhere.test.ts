import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { LedgerRow } from '../../src/store/store.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { eventually } from '../helpers/http.ts'
import { chatEvents, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

const WORDS = 'Money that is counted wrong is the first thing that people complain about .'.split(' ')
const EVENTS = chatEvents(
  WORDS.map((word) => `${word} `),
  { prompt_tokens: 50, completion_tokens: 15 },
)

let upstream: Upstream
let gateway: TestGateway
/** Lets the provider write so many events, and waits then. */
let upTo = 0
beforeAll(async () => {
  upstream = await startUpstream(async (_req, res, { aborted }) => {
    res.writeHead(200, sseHead)
    for (const event of EVENTS.slice(0, upTo)) res.write(event)
    if (upTo >= EVENTS.length) res.end()
    await aborted
  })
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** Reads until the text has come to its `events`th event, then hangs up; the row. */
async function leaveAfter(events: number): Promise<LedgerRow> {
  upTo = events
  const { secret, token } = await gateway.token({
    budgets: [{ period: 'total', limitNanoUsd: 1_000_000_000, limitTokens: null, resetAt: null }],
  })
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const req = request(`${gateway.baseUrl}/chat/completions`, { method: 'POST', headers }, (res) => {
      let seen = 0
      res.on('error', () => {})
      res.on('data', (piece: Buffer) => {
        seen += piece.toString().split('data: ').length - 1
        if (seen < Math.min(events, WORDS.length)) return
        req.destroy()
        resolve()
      })
    })
    req.on('error', (error) => (req.destroyed ? undefined : reject(error)))
    req.end(JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hi' }] }))
  })
  return eventually(async () => {
    const [row] = (await gateway.rows()).filter(({ tokenId }) => tokenId === token.id)
    const [budget] = await gateway.ctx.budgets.states({ kind: 'token', id: token.id }, token.budgets!, Date.now())
    if (row) expect([budget!.used.nanoUsd, budget!.reserved.nanoUsd]).toEqual([row.costNanoUsd, 0n])
    return row
  }, 'the row')
}

it('a client that leaves after any event of a stream is charged for what was written, once, and never for more than the whole', async () => {
  const costs: bigint[] = []
  for (let events = 1; events <= WORDS.length; events++) {
    const row = await leaveAfter(events)
    expect(row).toMatchObject({ status: 499, estimateReason: 'client_abort', usage: { source: 'estimated' } })
    costs.push(row.costNanoUsd!)
  }
  for (let i = 1; i < costs.length; i++) expect(costs[i]! >= costs[i - 1]!).toBe(true)
  expect(costs.at(-1)! > costs[0]!).toBe(true)
  expect(costs.at(-1)! <= 50n * 2_500n + 20n * 10_000n).toBe(true)
})
