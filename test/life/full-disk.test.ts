import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type LedgerBatch, StoreError } from '../../src/store/store.ts'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat, eventually, type RawAnswer } from '../helpers/http.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let secret: string
let isFull = false

beforeEach(async () => {
  isFull = false
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
  secret = (await gateway.token()).secret
  // The ledger asks for `append` at each write, so that a disk can fill up between two of them.
  const { ledger } = gateway.ctx.store
  const append = ledger.append.bind(ledger)
  ledger.append = (batch: LedgerBatch) => {
    if (isFull) throw new StoreError('full', 'The disk that holds /srv/private/llm-proxy.db is full.')
    return append(batch)
  }
})
afterEach(async () => {
  isFull = false
  await gateway.stop()
  await upstream.close()
})

const codeOf = (answer: RawAnswer) => (JSON.parse(answer.body.toString()) as { error: { code: string } }).error.code
const idOf = (answer: RawAnswer) => answer.header('x-llm-proxy-request-id')!
const ready = async () => {
  const answer = await ask(`${gateway.url}/ready`)
  return { status: answer.status, body: JSON.parse(answer.body.toString()) as { checks: { database: string } } }
}

/** Streams that stand still in the middle until they are let go. */
async function inFlight(count: number) {
  const held: ServerResponse[] = []
  const events = chatEvents(['one', 'two'])
  upstream.script((_req, res) => {
    res.writeHead(200, sseHead)
    res.write(events[0], () => held.push(res))
  })
  const answers = Array.from({ length: count }, () => chat(gateway.baseUrl, secret, { stream: true }))
  await eventually(() => held.length === count, `${count} streams`)
  return {
    whole: events.join(''),
    finish() {
      for (const res of held) res.end(events.slice(1).join(''))
      return Promise.all(answers)
    },
  }
}

describe('when the disk is full', () => {
  it('answers in flight end whole, new requests wait outside, and the rows are written once there is room', async () => {
    const streams = await inFlight(5)
    isFull = true
    const answers = await streams.finish()
    for (const answer of answers)
      expect([answer.status, answer.ended, answer.body.toString()]).toEqual([200, 'clean', streams.whole])
    expect(await gateway.rows()).toEqual([])

    const before = upstream.seen.length
    for (let i = 0; i < 3; i++) {
      const refused = await chat(gateway.baseUrl, secret)
      expect([refused.status, codeOf(refused)]).toEqual([503, 'storage_unavailable'])
      expect(Number(refused.header('retry-after'))).toBeGreaterThan(0)
      expect(refused.body.toString()).not.toContain('/srv/private')
    }
    expect(upstream.seen.length).toBe(before)
    expect(await ready()).toMatchObject({ status: 503, body: { checks: { database: 'cannot write' } } })
    expect((await ask(`${gateway.url}/health`)).status).toBe(200)
    expect(gateway.logs()).toContain('/srv/private/llm-proxy.db is full')
    const metrics = await ask(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}` } })
    expect(metrics.body.toString()).toMatch(/^llmproxy_ledger_pending_rows 5$/m)

    isFull = false
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    await eventually(async () => (await ready()).status === 200, 'the gateway to be ready again')
    expect((await gateway.rows()).map(({ requestId }) => requestId).sort()).toEqual(answers.map(idOf).sort())
    const next = await chat(gateway.baseUrl, secret)
    expect(next.status).toBe(200)
    expect((await gateway.rows()).filter(({ requestId }) => requestId === idOf(next))).toHaveLength(1)
  })

  it('a token with max_requests is not let through uncounted', async () => {
    const { secret: counted, token } = await gateway.token({ maxRequests: 2 })
    isFull = true
    const before = upstream.seen.length
    const refused = await chat(gateway.baseUrl, counted)
    expect([refused.status, codeOf(refused)]).toEqual([503, 'storage_unavailable'])
    expect(upstream.seen.length).toBe(before)
    isFull = false
    await eventually(async () => (await ready()).status === 200, 'the gateway to be ready again')
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await chat(gateway.baseUrl, counted)).status)
    expect(statuses).toEqual([200, 200, 429])
    expect((await gateway.ctx.store.tokens.get(token.id))?.requestCount).toBe(2)
  })

  it('at the end of the process too, the rows are in the log, to be entered by hand', async () => {
    const streams = await inFlight(2)
    isFull = true
    const answers = await streams.finish()
    await gateway.close(0)
    const lost = gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes('a ledger row could not be written'))
    for (const answer of answers) expect(lost.filter((line) => line.includes(idOf(answer)))).toHaveLength(1)
    expect(lost).toHaveLength(2)
    gateway = await startTestGateway({ upstream: upstream.url })
  })
})

it('a request that was written down as open, and could not be counted then, is ended in the books all the same', async () => {
  const { ledger } = gateway.ctx.store
  const append = ledger.append.bind(ledger)
  ledger.append = (batch: LedgerBatch) => {
    if (batch.takes.length > 0) throw new StoreError('full', 'The disk is full.')
    return append(batch)
  }
  const budgets = [{ period: 'total', limitNanoUsd: 1_000_000_000, limitTokens: null, resetAt: null } as const]
  const limited = await gateway.token({ maxRequests: 5, budgets: [...budgets] })
  const answer = await chat(gateway.baseUrl, limited.secret)
  expect([answer.status, codeOf(answer)]).toEqual([503, 'storage_unavailable'])
  await eventually(async () => (await ledger.openRequests()).length === 0, 'the end of what was open')
  const rows = (await gateway.rows()).filter(({ tokenId }) => tokenId === limited.token.id)
  expect(rows).toMatchObject([{ status: 503, error: 'storage_unavailable', costNanoUsd: 0n }])
})
