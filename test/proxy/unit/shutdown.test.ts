import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { makeFolder } from '../../helpers/folder.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask, chat, eventually } from '../../helpers/http.ts'
import { chatEvents, type Script, sendJson, sseHead, startUpstream, type Upstream } from '../../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let dataDir: string

beforeEach(async () => {
  upstream = await startUpstream()
  dataDir = makeFolder()
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

/** What a gateway started on the same folder finds in its ledger. */
async function rowsAfterRestart() {
  gateway = await startTestGateway({ upstream: upstream.url, dataDir })
  return gateway.rows()
}

describe('what a shutdown cuts off', () => {
  it.each([
    ['a stream that reported no usage yet', 'inject'],
    ['a stream that reports none', 'estimate'],
  ] as const)('%s is in the ledger all the same, with an estimate', async (_what, streamUsage) => {
    gateway = await startTestGateway({ upstream: upstream.url, dataDir, config: { streamUsage } })
    const begun = Promise.withResolvers<void>()
    upstream.script((_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of chatEvents(['Hello', ' world']).slice(0, 3)) res.write(event)
      begun.resolve()
    })
    const { secret, token } = await gateway.token()
    const answer = chat(gateway.baseUrl, secret, { stream: true }).catch(() => null)
    await begun.promise
    await gateway.close(0)
    expect((await answer)?.ended ?? 'broken').toBe('broken')
    expect(await rowsAfterRestart()).toMatchObject([
      { tokenId: token.id, stream: true, usage: { source: 'estimated' } },
    ])
  })

  it.each([
    ['a download', (): Script => (_req, res) => void res.writeHead(200, { 'content-type': 'audio/mpeg' }).write('abc')],
    ['a request that waits for its answer', (): Script => () => {}],
  ])('%s is in the ledger all the same', async (_what, script) => {
    gateway = await startTestGateway({ upstream: upstream.url, dataDir })
    upstream.script(script())
    const { secret, token } = await gateway.token()
    const answer = ask(`${gateway.baseUrl}/files/f/content`, { headers: { authorization: `Bearer ${secret}` } }).catch(
      () => null,
    )
    await upstream.next()
    await gateway.close(0)
    expect((await answer)?.ended ?? 'broken').toBe('broken')
    expect(await rowsAfterRestart()).toMatchObject([{ tokenId: token.id, error: expect.any(String) }])
  })

  it('a request that waits for another try is in the ledger all the same', async () => {
    const retry = { maxRetries: 2, initialBackoffMs: 60_000, maxBackoffMs: 60_000, factor: 2, jitter: 0 }
    gateway = await startTestGateway({ upstream: upstream.url, dataDir, config: { retry } })
    upstream.script((_req, res) => sendJson(res, 500, {}))
    const { secret, token } = await gateway.token()
    const answer = chat(gateway.baseUrl, secret).catch(() => null)
    const failed = () => gateway.ctx.metrics.registry.getSingleMetricAsString('llmproxy_upstream_attempts_total')
    await eventually(async () => (await failed()).includes('outcome="failed"'), 'the first failure')
    await gateway.close(0)
    await answer
    expect(await rowsAfterRestart()).toMatchObject([{ tokenId: token.id, error: expect.any(String) }])
  })

  it('leaves the requests before it as they were', async () => {
    gateway = await startTestGateway({ upstream: upstream.url, dataDir })
    const { secret } = await gateway.token()
    for (let i = 0; i < 5; i++) await chat(gateway.baseUrl, secret)
    await gateway.close(0)
    expect(await rowsAfterRestart()).toHaveLength(5)
  })
})
