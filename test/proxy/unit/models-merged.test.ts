import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Config } from '../../../src/config/config.ts'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask } from '../../helpers/http.ts'
import { type Script, sendJson, startUpstream, type Upstream } from '../../helpers/upstream.ts'

const card = (id: string, more: object = {}) => ({ id, object: 'model', created: 1, owned_by: 'x', ...more })
const listing =
  (...ids: string[]): Script =>
  (_req, res) =>
    sendJson(res, 200, { object: 'list', data: ids.map((id) => card(id)) })

/** What each of them says of its models. */
const SCRIPTS: Record<string, Script> = {
  openai(req, res, seen) {
    if (seen.url === '/v1/models') return listing('gpt-4o', 'shared')(req, res, seen)
    const id = seen.url.split('/').at(-1)!
    if (id === 'alias') return sendJson(res, 200, { id: 'gpt-4o', object: 'model' })
    sendJson(res, 404, { error: { message: `No \`${id}\`.`, param: 'model', code: 'model_not_found' } })
  },
  anthropic(_req, res, { url }) {
    const second = url.includes('after_id=')
    const id = second ? 'claude-haiku-5' : 'claude-opus-5'
    const data = [{ type: 'model', id, display_name: `Claude ${id}`, created_at: '2026-05-01T00:00:00Z' }]
    sendJson(res, 200, { data, has_more: !second, first_id: id, last_id: id })
  },
  gemini(_req, res) {
    const model = {
      name: 'models/gemini-3-pro',
      displayName: 'Gemini 3 Pro',
      supportedGenerationMethods: ['generateContent'],
    }
    sendJson(res, 200, { models: [model] })
  },
  groq: listing('shared', 'openai/gpt-oss-120b', 'openai/gpt-4o'),
  'my-llm': listing('shared', 'tiny'),
}

const upstreams = new Map<string, Upstream>()
let gateway: TestGateway
let secret: string

beforeEach(async () => {
  for (const [name, script] of Object.entries(SCRIPTS)) upstreams.set(name, await startUpstream(script))
  const own = (name: string, more: object = {}) => ({
    apiKey: `sk-of-${name}`,
    baseUrl: upstreams.get(name)!.url,
    ...more,
  })
  const providers: Config['providers'] = {
    ...Object.fromEntries(['openai', 'anthropic', 'gemini', 'groq'].map((name) => [name, own(name)])),
    'my-llm': own('my-llm', { apiKey: null, kind: 'openai', headers: { 'x-team': 'a' } }),
    'azure-openai': { apiKey: 'k', baseUrl: 'http://127.0.0.1:1', models: ['deployed'] },
    static: { kind: 'openai', apiKey: 'k', baseUrl: 'http://127.0.0.1:1/v1', models: ['fixed'] },
  }
  gateway = await startTestGateway({ config: { providers } })
  secret = (await gateway.token()).secret
})
afterEach(async () => {
  jest.restoreAllMocks()
  await gateway.stop()
  await Promise.all([...upstreams.values()].map((upstream) => upstream.close()))
})

type Listed = { id: string; provider?: string; [more: string]: unknown }
const get = async (url: string, headers: Record<string, string> = {}, token = secret) => {
  const answer = await ask(url, { headers: { authorization: `Bearer ${token}`, ...headers } })
  return { answer, status: answer.status, body: JSON.parse(answer.body.toString()) }
}
const list = async (token = secret) => {
  const { answer, body } = await get(`${gateway.baseUrl}/models`, {}, token)
  return { answer, data: body.data as Listed[], ids: (body.data as Listed[]).map(({ id }) => id) }
}
const BARE = [
  'gpt-4o',
  'shared',
  'claude-opus-5',
  'claude-haiku-5',
  'gemini-3-pro',
  'openai/gpt-oss-120b',
  'deployed',
  'tiny',
  'fixed',
]
const PREFIXED = [
  'openai:gpt-4o',
  'openai:shared',
  'anthropic:claude-opus-5',
  'anthropic:claude-haiku-5',
  'gemini:gemini-3-pro',
  'groq:shared',
  'groq:openai/gpt-oss-120b',
  'groq:openai/gpt-4o',
  'azure-openai:deployed',
  'my-llm:shared',
  'my-llm:tiny',
  'static:fixed',
]

describe('the list of models of several providers', () => {
  it('has what each of them has, once by its name and once with its provider', async () => {
    const { data, ids } = await list()
    expect(ids).toEqual([...BARE, ...PREFIXED])
    const byId = Object.fromEntries(data.map((model) => [model.id, model]))
    expect(byId['gpt-4o']).toEqual({ ...card('gpt-4o'), provider: 'openai' })
    expect(byId['claude-opus-5']).toEqual({
      id: 'claude-opus-5',
      object: 'model',
      created: 1_777_593_600,
      owned_by: 'anthropic',
      type: 'model',
      display_name: 'Claude claude-opus-5',
      created_at: '2026-05-01T00:00:00Z',
      provider: 'anthropic',
    })
    expect(byId['gemini-3-pro']).toMatchObject({ owned_by: 'google', displayName: 'Gemini 3 Pro', provider: 'gemini' })
    expect(byId['static:fixed']).toEqual({
      id: 'static:fixed',
      object: 'model',
      owned_by: 'static',
      provider: 'static',
    })
  })

  it('is the same without /v1', async () => {
    const { body } = await get(`${gateway.url}/models?limit=1`)
    expect(body.data.map(({ id }: Listed) => id)).toEqual([...BARE, ...PREFIXED])
    expect((await gateway.rows()).at(-1)).toMatchObject({ endpoint: '/v1/models', status: 200 })
    expect((await get(`${gateway.url}/modelsx`)).body.error.code).toBe('unknown_route')
  })

  it('has a name under the provider that requests for it go to', async () => {
    const { data } = await list()
    const providerOf = (id: string) => data.find((model) => model.id === id)?.provider
    expect([providerOf('shared'), providerOf('openai/gpt-oss-120b')]).toEqual(['openai', 'groq'])
    // A request for it means OpenAI's.
    expect(providerOf('openai/gpt-4o')).toBeUndefined()
  })

  it('is asked for as each of them wants it, with the key that it gave out', async () => {
    await list()
    const seen = (name: string) => upstreams.get(name)!.seen.map(({ url, headers }) => ({ url, headers }))
    expect(seen('anthropic')).toMatchObject([
      { url: '/v1/models?limit=1000', headers: { 'x-api-key': 'sk-of-anthropic', 'anthropic-version': '2023-06-01' } },
      { url: '/v1/models?limit=1000&after_id=claude-opus-5' },
    ])
    expect(seen('gemini')).toMatchObject([
      { url: '/v1/models?pageSize=1000', headers: { 'x-goog-api-key': 'sk-of-gemini' } },
    ])
    expect(seen('groq')).toMatchObject([{ url: '/v1/models', headers: { authorization: 'Bearer sk-of-groq' } }])
    expect(seen('my-llm')).toMatchObject([{ url: '/v1/models', headers: { 'x-team': 'a' } }])
    expect(seen('my-llm')[0]!.headers.authorization).toBeUndefined()
  })

  it('is one request in the books, with every try', async () => {
    const { answer } = await list()
    expect(answer.header('x-llm-proxy-attempts')).toBe('6')
    expect(answer.header('x-llm-proxy-provider')).toBeUndefined()
    const [row, ...others] = await gateway.rows()
    expect(others).toEqual([])
    expect(row).toMatchObject({ endpoint: '/v1/models', status: 200, provider: null, costNanoUsd: 0n })
    expect(row!.attempts.map(({ provider }) => provider).sort()).toEqual(
      ['anthropic', 'anthropic', 'gemini', 'groq', 'my-llm', 'openai'].sort(),
    )
  })

  it('has no more than the caller may use', async () => {
    const idsFor = async (allowedModels: string[]) => (await list((await gateway.token({ allowedModels })).secret)).ids
    expect(await idsFor(['claude-*'])).toEqual([...BARE, ...PREFIXED].filter((id) => id.includes('claude')))
    expect(await idsFor(['groq:*'])).toEqual([
      'openai/gpt-oss-120b',
      'groq:shared',
      'groq:openai/gpt-oss-120b',
      'groq:openai/gpt-4o',
    ])
    // Not `groq:openai/…`, which is no model of OpenAI's.
    expect(await idsFor(['openai/*'])).toEqual([
      'gpt-4o',
      'shared',
      'openai/gpt-oss-120b',
      'openai:gpt-4o',
      'openai:shared',
    ])
  })

  it('does without a provider that fails, and names it', async () => {
    upstreams.get('groq')!.script((_req, res) => sendJson(res, 500, {}))
    upstreams.get('anthropic')!.script((_req, res) => sendJson(res, 401, {}))
    const { answer, ids } = await list()
    expect([answer.status, answer.header('x-llm-proxy-unavailable')]).toEqual([200, 'anthropic,groq'])
    expect(ids).toEqual([...BARE, ...PREFIXED].filter((id) => !/claude|groq|gpt-oss/.test(id)))
    upstreams.get('groq')!.script(SCRIPTS.groq!)
    expect((await list()).answer.header('x-llm-proxy-unavailable')).toBe('anthropic')
  })

  it('waits for a provider that is silent, but not for long', async () => {
    upstreams.get('groq')!.script(() => {})
    const listed = list()
    await upstreams.get('groq')!.next()
    const now = performance.now.bind(performance)
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 4_001)
    const { answer, ids } = await listed
    expect(answer.header('x-llm-proxy-unavailable')).toContain('groq')
    expect(ids).toContain('fixed')
  })
})

describe('for a client of Anthropic’s', () => {
  const asAnthropic = (path: string) => get(`${gateway.baseUrl}${path}`, { 'anthropic-version': '2023-06-01' })

  it('the list has the shape that his SDK reads', async () => {
    const { body } = await asAnthropic('/models')
    expect(body).toMatchObject({ has_more: false, first_id: 'gpt-4o', last_id: 'static:fixed' })
    const [first] = body.data
    expect(first).toEqual({ type: 'model', id: 'gpt-4o', display_name: 'gpt-4o', created_at: '1970-01-01T00:00:01Z' })
    const byId = Object.fromEntries(body.data.map((model: Listed) => [model.id, model]))
    expect(byId['anthropic:claude-opus-5']).toEqual({
      type: 'model',
      id: 'anthropic:claude-opus-5',
      display_name: 'Claude claude-opus-5',
      created_at: '2026-05-01T00:00:00Z',
    })
    expect(byId['gemini-3-pro']).toMatchObject({ display_name: 'Gemini 3 Pro', created_at: '1970-01-01T00:00:00Z' })
  })

  it('can be walked page by page, in both directions', async () => {
    const all = [...BARE, ...PREFIXED]
    const walked: string[] = []
    for (let after = ''; ; ) {
      const { body } = await asAnthropic(`/models?limit=4${after && `&after_id=${encodeURIComponent(after)}`}`)
      walked.push(...body.data.map(({ id }: Listed) => id))
      if (!body.has_more) break
      after = body.last_id
    }
    expect(walked).toEqual(all)
    const { body } = await asAnthropic(`/models?limit=2&before_id=${all[5]}`)
    expect([body.data.map(({ id }: Listed) => id), body.has_more]).toEqual([all.slice(3, 5), true])
    expect((await asAnthropic('/models?after_id=gone')).body).toEqual({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    })
  })
})

describe('one model', () => {
  const one = (path: string, headers: Record<string, string> = {}, token = secret) =>
    get(`${gateway.baseUrl}/models/${path}`, headers, token)

  it.each([
    ['gpt-4o', 'openai'],
    ['openai:gpt-4o', 'openai'],
    ['openai/gpt-4o', 'openai'],
    ['openai%2Fgpt-4o', 'openai'],
    ['openai%2Fgpt-oss-120b', 'groq'],
    ['groq:openai%2Fgpt-oss-120b', 'groq'],
    ['groq/openai/gpt-4o', 'groq'],
    ['gemini:gemini-3-pro', 'gemini'],
    ['deployed', 'azure-openai'],
    ['my-llm:tiny', 'my-llm'],
  ])('is found by %s', async (path, provider) => {
    const { status, body } = await one(path)
    expect([status, body.id, body.provider]).toEqual([200, decodeURIComponent(path), provider])
    expect((await gateway.rows()).at(-1)).toMatchObject({ status: 200, provider })
  })

  it('is asked of its provider alone, where it names one', async () => {
    await one('groq:shared')
    expect([...upstreams].flatMap(([name, { seen }]) => (seen.length > 0 ? [name] : []))).toEqual(['groq'])
  })

  it('has Anthropic’s shape for a client of Anthropic’s', async () => {
    const { body } = await one('claude-opus-5', { 'anthropic-version': '2023-06-01' })
    expect(body).toEqual({
      type: 'model',
      id: 'claude-opus-5',
      display_name: 'Claude claude-opus-5',
      created_at: '2026-05-01T00:00:00Z',
    })
  })

  it('is not found where nobody has it, or the caller may not use it', async () => {
    const { secret: other } = await gateway.token({ allowedModels: ['claude-*'] })
    for (const [path, token] of [
      ['nothing', secret],
      ['openai:nothing', secret],
      ['static:nothing', secret],
      ['gpt-4o', other],
    ] as const) {
      const { status, body } = await one(path, {}, token)
      expect([status, body.error.code, body.error.param]).toEqual([404, 'model_not_found', 'model'])
    }
  })

  it('that stands in no list is asked of the default provider: it may be an alias, or new', async () => {
    expect(await one('alias')).toMatchObject({ status: 200, body: { id: 'gpt-4o', object: 'model' } })
    expect(upstreams.get('openai')!.seen.at(-1)!.url).toBe('/v1/models/alias')
    expect((await gateway.rows()).at(-1)).toMatchObject({ status: 200, provider: 'openai' })
    // Its answer would have OpenAI's shape.
    const { body } = await one('alias', { 'anthropic-version': '2023-06-01' })
    expect(body).toMatchObject({ type: 'error', error: { type: 'not_found_error', code: 'model_not_found' } })
  })

  it('of a provider that fails is no model that does not exist', async () => {
    upstreams.get('groq')!.script((_req, res) => sendJson(res, 500, {}))
    expect(await one('groq:shared')).toMatchObject({ status: 502, body: { error: { code: 'upstream_unreachable' } } })
    const { status, answer } = await one('nothing', { 'anthropic-version': '2023-06-01' })
    expect([status, answer.header('x-llm-proxy-unavailable')]).toEqual([404, 'groq'])
  })
})

it('the demo model is found by its name too', async () => {
  await gateway.stop()
  gateway = await startTestGateway()
  const { secret: token } = await gateway.token()
  for (const id of ['demo', 'demo:demo'])
    expect((await get(`${gateway.baseUrl}/models/${id}`, {}, token)).body).toMatchObject({ id, provider: 'demo' })
})

it('for a client of Google’s the list has the shape that his SDK reads', async () => {
  const { body } = await get(`${gateway.url}/v1beta/models`)
  const { body: model } = await get(`${gateway.url}/v1beta/models/gemini-3-pro`)
  expect(body.models.map(({ name }: { name: string }) => name)).toEqual(
    [...BARE, ...PREFIXED].map((id) => `models/${id}`),
  )
  expect(model).toEqual({
    name: 'models/gemini-3-pro',
    displayName: 'Gemini 3 Pro',
    supportedGenerationMethods: ['generateContent'],
  })
  expect(body.models).toContainEqual({ name: 'models/gpt-4o', displayName: 'gpt-4o' })
})
