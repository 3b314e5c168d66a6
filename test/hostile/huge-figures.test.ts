import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    config: {
      prices: {
        discounts: {},
        models: [
          { provider: 'openai', model: 'gold', input: 100_000, output: 100_000 },
          { provider: 'openai', model: 'free', input: 0, output: 0 },
        ],
      },
    },
  })
})
beforeEach(() => upstream.script((_req, res) => sendJson(res, 200, chatAnswer())))
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const HUGE = Number.MAX_SAFE_INTEGER
const budget = (fields: object) => ({
  period: 'total' as const,
  limitNanoUsd: null,
  limitTokens: null,
  resetAt: null,
  ...fields,
})
const rowOf = async (tokenId: string) => (await gateway.ctx.store.ledger.list({ tokenId }, { limit: 1 })).data[0]!

describe('a provider that reports figures which cannot be', () => {
  it.each<[string, object]>([
    ['as many tokens as there are numbers', { prompt_tokens: HUGE, completion_tokens: 0 }],
    ['more than a number holds', { prompt_tokens: 1e300, completion_tokens: 1e300 }],
    ['two halves of it', { prompt_tokens: HUGE / 2, completion_tokens: HUGE / 2 }],
    ['Anthropic’s cache beside it', { input_tokens: 1, cache_read_input_tokens: HUGE, output_tokens: 1 }],
    ['Gemini’s thoughts beside it', { promptTokenCount: 1, candidatesTokenCount: 1, thoughtsTokenCount: HUGE }],
    ['less than nothing', { prompt_tokens: -5, completion_tokens: -5 }],
  ])('is not believed, its answer is estimated: %s', async (_what, usage) => {
    upstream.script((_req, res) => sendJson(res, 200, { ...chatAnswer(), usage }))
    const { secret, token } = await gateway.token()
    expect((await chat(gateway.baseUrl, secret)).status).toBe(200)
    const row = await rowOf(token.id)
    expect(row).toMatchObject({ status: 200, estimateReason: 'not_reported', usage: { source: 'estimated' } })
    expect(row.usage.inputTokens + row.usage.outputTokens).toBeLessThan(100)
  })

  it('or searches and seconds which cannot be, is believed in the rest', async () => {
    const usage = {
      input_tokens: 9,
      output_tokens: 3,
      server_tool_use: { web_search_requests: HUGE },
      prompt_audio_seconds: 1e300,
    }
    upstream.script((_req, res) => sendJson(res, 200, { ...chatAnswer(), usage }))
    const { secret, token } = await gateway.token()
    await chat(gateway.baseUrl, secret)
    expect(await rowOf(token.id)).toMatchObject({ usage: { inputTokens: 9, outputTokens: 3, details: null } })
  })
})

it('the highest figures that are believed, at the highest price, are added up exactly', async () => {
  upstream.script((_req, res) =>
    sendJson(res, 200, { ...chatAnswer(), model: 'gold', usage: { prompt_tokens: 1e9, completion_tokens: 0 } }),
  )
  const { secret, token } = await gateway.token()
  for (let i = 0; i < 20; i++) await chat(gateway.baseUrl, secret, { model: 'gold' })
  // A billion tokens at ten cents: 10^17 nano-dollars each.
  expect(await rowOf(token.id)).toMatchObject({ costNanoUsd: 10n ** 17n })
  const { totals } = await gateway.ctx.store.ledger.usage({ groupBy: ['token', 'hour'], filter: { tokenId: token.id } })
  expect(totals).toMatchObject({ requests: 20, inputTokens: 20e9, costNanoUsd: 2n * 10n ** 18n })
  expect(await gateway.ctx.store.ledger.verify()).toEqual([])
})

describe('a request that names figures which cannot be', () => {
  const bodies: object[] = [
    { max_tokens: HUGE },
    { max_tokens: HUGE, n: HUGE },
    { n: HUGE },
    { max_tokens: 1e308, max_completion_tokens: 7 },
    { max_tokens: -1 },
    { max_tokens: 'many', n: [] },
  ]

  it('holds back nothing that is not given back, also where others hold something back', async () => {
    const { secret, token } = await gateway.token({ budgets: [budget({ limitNanoUsd: 1_000_000_000 })] })
    const held = Promise.withResolvers<void>()
    upstream.script(async (_req, res) => {
      await held.promise
      sendJson(res, 200, chatAnswer())
    })
    const all = Promise.all(
      [{ max_tokens: 5_000 }, ...bodies].map((body) => chat(gateway.baseUrl, secret, { model: 'free', ...body })),
    )
    held.resolve()
    for (const { status } of await all) expect(status).toBe(200)
    const [state] = await gateway.ctx.budgets.states({ kind: 'token', id: token.id }, token.budgets!, Date.now())
    expect(state!.reserved).toEqual({ nanoUsd: 0n, tokens: 0 })
  })

  it('is refused under a budget in dollars, which says what it would need', async () => {
    const { secret } = await gateway.token({ budgets: [budget({ limitNanoUsd: 1_000_000_000 })] })
    const answer = await chat(gateway.baseUrl, secret, { max_tokens: HUGE, n: HUGE })
    const { error } = JSON.parse(answer.body.toString()) as {
      error: { code: string; details: { budget: { needed_usd: string } } }
    }
    expect([answer.status, error.code]).toEqual([429, 'insufficient_quota'])
    expect(error.details.budget.needed_usd).toMatch(/^10000\.\d+$/)
  })
})
