import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, eventually, raw } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let token: string
beforeAll(async () => {
  upstream = await startUpstream()
  const timeouts = { connectMs: 300, headersMs: 300, firstTokenMs: 300, idleMs: 300, totalMs: 60_000 }
  gateway = await startTestGateway({ upstream: upstream.url, config: { timeouts } })
  token = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

it('an upload whose client sends no more is his fault, and is told so', async () => {
  const head = `POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: audio/mpeg\r\ncontent-length: 1000\r\n\r\nsome bytes`
  const answer = await raw(gateway.url, head, /request_timeout/)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  const row = await eventually(async () => (await gateway.rows()).at(-1), 'the row')
  expect(row).toMatchObject({ status: 408, error: 'request_timeout', endpoint: '/v1/files' })
  // It is no failure of the provider, whose breaker it would open.
  expect(gateway.ctx.live.snapshot()).toMatchObject([{ provider: 'openai', inFlight: 0, isFailing: false }])
})

it('an answer that has nothing in it is not taken for work that was done', async () => {
  upstream.script((_req, res) => void res.writeHead(204).end())
  expect((await chat(gateway.baseUrl, token)).status).toBe(204)
  expect((await gateway.rows()).at(-1)).toMatchObject({
    status: 204,
    usage: { inputTokens: 0, outputTokens: 0, source: 'none' },
  })
})
