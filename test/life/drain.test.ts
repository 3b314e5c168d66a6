import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChildGateway, startChildGateway } from '../helpers/child.ts'
import { ask, chat, type RawAnswer } from '../helpers/http.ts'
import { ledgerOf } from '../helpers/ledger-files.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

const events = chatEvents(['one', 'two', 'three'])

/** A gateway with one stream in flight, which goes on when the test says so. */
async function midStream() {
  const gateway = await startChildGateway({ upstream: upstream.url })
  const { secret } = await gateway.token()
  const begun = new Promise<ServerResponse>((resolve) => {
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      res.write(events[0], () => resolve(res))
    })
  })
  const answer = chat(gateway.baseUrl, secret, { stream: true })
  answer.catch(() => {})
  const res = await begun
  const finish = () => res.end(events.slice(1).join(''))
  return { gateway, secret, answer, finish }
}

const rowsIn = ({ dataDir }: ChildGateway) =>
  ledgerOf(dataDir, (month) =>
    month
      .prepare<[], { id: string; status: number; error: string | null; source: string }>(
        'SELECT request_id AS id, status, error, usage_source AS source FROM ledger',
      )
      .all(),
  )

describe('after SIGTERM', () => {
  it('the stream in flight ends whole and is booked, new requests are turned away, and the exit code is 0', async () => {
    const { gateway, secret, answer, finish } = await midStream()
    gateway.kill('SIGTERM')
    await gateway.says(/"message":"draining"/)

    const ready = await ask(`${gateway.url}/ready`)
    expect([ready.status, JSON.parse(ready.body.toString())]).toMatchObject([503, { checks: { process: 'draining' } }])
    expect((await ask(`${gateway.url}/health`)).status).toBe(200)
    const refused = await chat(gateway.baseUrl, secret)
    expect(JSON.parse(refused.body.toString())).toMatchObject({ error: { code: 'draining' } })
    expect([refused.status, refused.header('connection')]).toEqual([503, 'close'])
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0)

    finish()
    const whole: RawAnswer = await answer
    expect([whole.body.toString(), whole.ended]).toEqual([events.join(''), 'clean'])
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    const rows = rowsIn(gateway)
    expect(rows.filter(({ id }) => id === whole.header('x-llm-proxy-request-id'))).toMatchObject([
      { status: 200, error: null, source: 'estimated' },
    ])
    expect(gateway.stderr()).toBe('')
  })

  it('with nothing in flight the end comes at once, and every row is there', async () => {
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer()))
    const gateway = await startChildGateway({ upstream: upstream.url })
    const { secret } = await gateway.token()
    const answers = await Promise.all(Array.from({ length: 50 }, () => chat(gateway.baseUrl, secret)))
    const since = performance.now()
    gateway.kill('SIGTERM')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - since).toBeLessThan(3_000)
    const ids = answers.map((answer) => answer.header('x-llm-proxy-request-id')!)
    expect(
      rowsIn(gateway)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort())
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'a second signal (%s) ends it at once, and not as a success',
    async (signal) => {
      const { gateway, answer, finish } = await midStream()
      gateway.kill('SIGTERM')
      await gateway.says(/"message":"draining"/)
      gateway.kill(signal)
      const { code } = await gateway.exited
      expect(code).toBe(1)
      finish()
      expect((await answer.catch(() => ({ ended: 'broken' }))).ended).toBe('broken')
    },
  )
})
