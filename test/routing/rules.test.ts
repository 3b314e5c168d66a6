import { afterEach, describe, expect, it } from '@jest/globals'
import { featuresOf } from '../../src/proxy/features.ts'
import type { Rule } from '../../src/routing/types.ts'
import { type House, openHouse, route, target } from './house.ts'

let house: House

const rule = (name: string, when: Rule['when'], to: Partial<Rule>): Rule => ({
  name,
  when,
  route: null,
  provider: null,
  model: null,
  weight: null,
  ...to,
})

const open = (rules: Rule[]) =>
  openHouse({ rules, routes: [route('long', [target('two', 'long-context')]), route('gpt-*', [target('one', null)])] })

const post = async (body: object, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${house.gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  await answer.text()
  return answer
}
const models = () => [house.one, house.two].map(({ seen }) => seen.map(({ body }) => JSON.parse(String(body)).model))

describe('a rule', () => {
  afterEach(() => house.close())

  it('sends long prompts to a route of their own', async () => {
    house = await open([rule('long prompts', { model: 'gpt-*', promptTokens: { gt: 1_000 } }, { route: 'long' })])
    await post({})
    await post({ messages: [{ role: 'user', content: 'word '.repeat(2_000) }] })
    expect(models()).toEqual([['gpt-4'], ['long-context']])
    expect((await house.gateway.rows()).at(-1)!.changes).toEqual(['rule:long prompts', 'route:long', 'model'])
  })

  it('sends who it fits to a provider, with its own name for the model or the one asked for', async () => {
    house = await open([
      rule('gold', { headers: { 'x-tier': 'gold' } }, { provider: 'two', model: 'best' }),
      rule('streams', { stream: true, endpoint: '/v1/chat/*' }, { provider: 'two' }),
    ])
    expect((await post({}, { 'x-tier': 'gold' })).headers.get('x-llm-proxy-route')).toBe('gold')
    await post({ stream: true })
    await post({})
    expect(models()).toEqual([['gpt-4'], ['best', 'gpt-4']])
  })

  it('asks about the token, its project and what it carries', async () => {
    house = await open([rule('team a', { metadata: { team: 'a' } }, { provider: 'two' })])
    await post({})
    house.secret = (await house.gateway.token({ metadata: { team: 'a' } })).secret
    await post({})
    expect(models()).toEqual([['gpt-4'], ['gpt-4']])
  })

  it('asks what is in the request', async () => {
    house = await open([rule('pictures', { has: ['images', 'tools'] }, { provider: 'two' })])
    const picture = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    const tools = [{ type: 'function', function: { name: 'x' } }]
    await post({ messages: [{ role: 'user', content: [picture] }] })
    await post({ messages: [{ role: 'user', content: [picture] }], tools })
    // A word is no picture.
    await post({ messages: [{ role: 'user', content: '{"type":"image_url"}' }], tools })
    expect(models()).toEqual([['gpt-4', 'gpt-4'], ['gpt-4']])
  })

  it('does not let a token to a model that it may not ask for', async () => {
    house = await open([rule('all', {}, { provider: 'two', model: 'secret' })])
    house.secret = (await house.gateway.token({ allowedModels: ['gpt-4'] })).secret
    expect((await post({})).status).toBe(200)
    expect((await post({ model: 'other' })).status).toBe(403)
  })
})

it.each([
  ['nothing', { messages: [{ role: 'user', content: 'tools' }] }, []],
  ['functions of old', { functions: [{ name: 'x' }] }, ['tools']],
  ['no tools', { tools: [] }, []],
  ['a picture of Anthropic’s', { messages: [{ content: [{ type: 'image', source: {} }] }] }, ['images']],
  [
    'a picture of Google’s',
    { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: '' } }] }] },
    ['images'],
  ],
  ['a picture of Responses', { input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, ['images']],
  ['sound', { messages: [{ content: [{ type: 'input_audio' }] }] }, ['audio']],
  ['a document', { messages: [{ content: [{ type: 'document' }, { type: 'file' }] }] }, ['files']],
  ['a schema', { response_format: { type: 'json_schema' } }, ['json_schema']],
  ['a schema of Responses', { text: { format: { type: 'json_schema' } } }, ['json_schema']],
  ['a schema of Google’s', { generationConfig: { responseSchema: {} } }, ['json_schema']],
  ['an effort', { reasoning_effort: 'low' }, ['reasoning']],
  ['thinking', { thinking: { type: 'enabled' } }, ['reasoning']],
  ['no thinking', { thinking: { type: 'disabled' } }, []],
  ['garbage', { messages: [null, 1, { content: [null, 'x', []] }], input: 'x', contents: {} }, []],
])('the features of a request with %s are told', (_what, body, features) => {
  expect([...featuresOf(body as Record<string, unknown>)]).toEqual(features)
})
