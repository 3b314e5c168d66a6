import Anthropic from '@anthropic-ai/sdk'
import { afterEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const question = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'How many tokens are these, I wonder?' }],
}

describe('POST /v1/messages/count_tokens', () => {
  it('is an estimate for a model of another provider, which costs nothing and needs no budget', async () => {
    upstream = await startUpstream()
    gateway = await startTestGateway({ upstream: upstream.url })
    const budgets = [{ period: 'day' as const, limitNanoUsd: 1, limitTokens: null, resetAt: null }]
    const { secret } = await gateway.token({ budgets })
    const client = new Anthropic({ baseURL: gateway.url, apiKey: secret, maxRetries: 0 })
    const { data, response } = await client.messages.countTokens(question).withResponse()
    expect(data.input_tokens).toBeGreaterThan(5)
    // Some ten; a rougher count where the machine is busy.
    expect(data.input_tokens).toBeLessThan(60)
    expect(response.headers.get('x-llm-proxy-estimated')).toBe('true')
    expect(upstream.seen).toEqual([])
    expect(await gateway.rows()).toMatchObject([{ status: 200, costNanoUsd: 0n }])
  })

  it("is Anthropic's own count for its models", async () => {
    upstream = await startUpstream((_req, res) => sendJson(res, 200, { input_tokens: 42 }))
    gateway = await startTestGateway({
      config: { providers: { anthropic: { apiKey: 'anthropic-key-0123456789', baseUrl: upstream.url } } },
    })
    const { secret } = await gateway.token()
    const client = new Anthropic({ baseURL: gateway.url, apiKey: secret, maxRetries: 0 })
    expect(await client.messages.countTokens({ ...question, model: 'claude-opus-4-8' })).toEqual({ input_tokens: 42 })
    expect((await upstream.next()).url).toBe('/v1/messages/count_tokens')
  })
})
