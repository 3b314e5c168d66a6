import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { namedEvents } from '../fixtures/sample.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, eventually } from '../helpers/http.ts'
import { sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const SEARCH = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'news' } }
const CODE = { id: 'ci_1', type: 'code_interpreter_call', status: 'completed', code: '1', container_id: 'cntr_1' }
const response = (output: object[]) => ({
  object: 'response',
  model: 'gpt-5-mini',
  output,
  usage: { input_tokens: 1_000, output_tokens: 100, total_tokens: 1_100 },
})

async function send(stream: boolean, signal?: AbortSignal) {
  const { secret, token } = await gateway.token()
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5-mini', input: 'News?', tools: [{ type: 'web_search' }], stream }),
  }
  const url = `${gateway.baseUrl}/responses`
  const answer = signal ? await fetch(url, { ...init, signal }) : await ask(url, init)
  const row = () =>
    eventually(async () => (await gateway.rows()).find(({ tokenId }) => tokenId === token.id), 'the row')
  return { answer, row }
}

it('a search of the provider’s own is part of the cost (gpt-5-mini: 0.25, 2; a thousand searches 10 USD)', async () => {
  upstream.script((_req, res) => sendJson(res, 200, response([SEARCH])))
  const { row } = await send(false)
  expect(await row()).toMatchObject({
    usage: { source: 'reported', details: { web_searches: 1 } },
    costNanoUsd: 1_000n * 250n + 100n * 2_000n + 10_000_000n,
    priceSource: expect.stringMatching(/^genai-prices [\d.]+$/),
  })
})

it('what a provider charges apart and nobody has a price for is named beside the cost', async () => {
  upstream.script((_req, res) => sendJson(res, 200, response([CODE, CODE])))
  const { row } = await send(false)
  expect(await row()).toMatchObject({
    usage: { details: { code_executions: 2 } },
    costNanoUsd: 450_000n,
    priceSource: expect.stringMatching(/^genai-prices [\d.]+, without code_execution$/),
  })
})

it('a search counts although the client left before the answer', async () => {
  upstream.script(async (_req, res, { aborted }) => {
    res.writeHead(200, sseHead)
    res.write(namedEvents([{ type: 'response.output_item.done', ...{ output_index: 0, item: SEARCH } }]))
    await aborted
  })
  const controller = new AbortController()
  const { answer, row } = await send(true, controller.signal)
  await (answer as Response).body!.getReader().read()
  controller.abort()
  const { usage, costNanoUsd, estimateReason } = await row()
  expect([estimateReason, usage.details]).toEqual(['client_abort', { web_searches: 1 }])
  expect(costNanoUsd).toBe(BigInt(usage.inputTokens) * 250n + 10_000_000n)
})
