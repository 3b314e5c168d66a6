import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { type House, openHouse, route, target } from './house.ts'

let house: House
beforeEach(async () => {
  house = await openHouse({
    routes: [
      route('smart', [target('one', 'gpt-4o'), target('claude', 'claude-sonnet-4-6')], { recovery: 'restart' }),
      route('long', [target('two', 'long-context')]),
    ],
    rules: [
      {
        name: 'gold',
        when: { headers: { 'x-tier': 'gold' } },
        route: 'long',
        provider: null,
        model: null,
        weight: null,
      },
    ],
    config: {
      prices: { discounts: {}, models: [{ provider: 'claude', model: '*', input: 3, output: 15 }] },
    },
  })
})
afterEach(() => house.close())

const explain = async (question: object) => {
  const answer = await ask(`${house.gateway.url}/manage/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
  })
  return { status: answer.status, body: JSON.parse(answer.body.toString()) }
}
const request = (more: object = {}) => ({ model: 'smart', messages: [{ role: 'user', content: 'Hi' }], ...more })

describe('an explanation', () => {
  it('tells the way of a request and what would be lost and paid on it, and sends nothing', async () => {
    const { token } = await house.gateway.token({ maxRequests: 10, rateLimit: null })
    const { status, body } = await explain({ token_id: token.id, request: request({ seed: 7, max_tokens: 1_000 }) })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      token_id: token.id,
      served: true,
      error: null,
      model: 'smart',
      rule: null,
      route: 'smart',
      strategy: 'fallback',
      recovery: 'restart',
      max_retries: 1,
      limits: { max_requests: { limit: 10, used: 0 } },
      stops: [
        { step: 1, provider: 'one', model: 'gpt-4o', key_id: 'shared', translated: false, dropped: [], error: null },
        {
          step: 2,
          provider: 'claude',
          dialect: 'anthropic-messages',
          translated: true,
          dropped: ['seed'],
          takes_requests: true,
          key_rests_until: null,
          price_source: 'config',
          highest_cost_usd: expect.stringMatching(/^0\.015/),
        },
      ],
    })
    expect([house.one, house.two, house.anthropic].flatMap(({ seen }) => seen)).toEqual([])
    expect(await house.gateway.rows()).toEqual([])
    expect((await house.gateway.ctx.store.tokens.get(token.id))!.requestCount).toBe(0)
    // No key of anybody is told.
    expect(JSON.stringify(body)).not.toContain('sk-')
  })

  it('asks the rules, with the headers that are given', async () => {
    const { project } = await house.gateway.token()
    const { body } = await explain({ project_id: project.id, headers: { 'X-Tier': 'gold' }, request: request() })
    expect(body).toMatchObject({ token_id: null, project_id: project.id, rule: 'gold', route: 'long' })
    expect(body.stops).toMatchObject([{ provider: 'two', model: 'long-context' }])
  })

  it('tells why a request would be refused', async () => {
    const { token } = await house.gateway.token({ allowedModels: ['other'] })
    expect((await explain({ token_id: token.id, request: request() })).body).toMatchObject({
      served: false,
      error: { code: 'model_not_allowed', status: 403 },
      stops: [],
    })
    const { token: old } = await house.gateway.token({ expiresAt: 1 })
    expect((await explain({ token_id: old.id, request: request() })).body.error.code).toBe('token_expired')
  })

  it('tells which key rests', async () => {
    const { token } = await house.gateway.token()
    house.gateway.ctx.live.benchKey('one', 'shared', Date.now() + 60_000, 'limited')
    const { body } = await explain({ token_id: token.id, request: request() })
    const resting = body.stops.find(({ provider }: { provider: string }) => provider === 'one')
    expect(Date.parse(resting.key_rests_until)).toBeGreaterThan(Date.now())
  })

  it.each([
    ['nobody’s request', { request: {} }, 422],
    ['two askers', { token_id: 'a', project_id: 'b', request: {} }, 422],
    ['a token that is not there', { token_id: 'tok_x', request: {} }, 404],
    ['a project that is not there', { project_id: 'proj_x', request: {} }, 404],
    ['no request', { token_id: 'tok_x' }, 422],
    ['a misspelt field', { token_id: 'tok_x', request: {}, endpont: '/x' }, 422],
  ])('refuses %s', async (_what, question, status) => {
    expect((await explain(question)).status).toBe(status)
  })
})
