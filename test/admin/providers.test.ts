import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { addProviderKey } from '../../src/domain/provider-keys.ts'
import type { Project, ProviderKey } from '../../src/store/store.ts'
import { type Script, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { type Answer, aRequest, keep, startConsole, type TestConsole, textOf, type Visitor } from './helpers.ts'

const OPERATORS_KEY = 'sk-of-the-operator-00000000'
const PROJECTS_KEY = 'sk-of-the-search-team-00007777'
const HOSTILE = '<script>alert(1)</script>'

let house: TestConsole
let upstream: Upstream
let admin: Visitor
let viewer: Visitor
let project: Project
let key: ProviderKey

const lists =
  (ids: string[]): Script =>
  (_req, res) =>
    sendJson(res, 200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })

beforeAll(async () => {
  upstream = await startUpstream()
  const { timeouts } = loadConfig({ env: {}, cwd: import.meta.dirname }).config
  house = await startConsole({
    config: {
      timeouts: { ...timeouts, headersMs: 200, firstTokenMs: 200 },
      providers: {
        openai: {
          apiKey: OPERATORS_KEY,
          baseUrl: upstream.url,
          limits: { maxConcurrent: 12, maxQueued: 34, queueTimeoutMs: 5_000 },
        },
        gone: { kind: 'openai', apiKey: 'sk-of-gone-00000000', baseUrl: await closedAddress() },
      },
    },
  })
  admin = await house.as('admin')
  viewer = await house.as('viewer')
  project = (await house.token({}, { name: 'Search team' })).project
  const parts = { ...house.ctx, providerNames: ['openai', 'groq'] }
  key = await addProviderKey(parts, SYSTEM, project.id, { provider: 'openai', key: PROJECTS_KEY })
  await addProviderKey(parts, SYSTEM, project.id, { provider: 'groq', key: 'gsk-of-the-search-team-0001' })
  await keep(house, [
    aRequest({ projectId: project.id, costNanoUsd: 2_500_000_000n }),
    aRequest({ projectId: project.id, status: 502, error: 'upstream_unreachable', model: HOSTILE, costNanoUsd: 0n }),
  ])
})
beforeEach(() => upstream.script(lists(['gpt-4o', HOSTILE])))
afterAll(async () => {
  await house.stop()
  await upstream.close()
})

/** Where nothing listens any more. */
async function closedAddress(): Promise<string> {
  const { url, close } = await startUpstream()
  await close()
  return url
}

const test = (provider: string, keyId = 'shared') => admin.post(`/admin/providers/${provider}/test`, { key_id: keyId })
const audited = async (action: string) =>
  (await house.ctx.store.audit.list({ action }, { limit: 1 })).data.map(({ actor, targetId, after }) => ({
    actor,
    targetId,
    after,
  }))[0]

describe('the list of providers', () => {
  it('tells of each whose key it is asked with and what it was asked for, and what others wait for', async () => {
    const page = await viewer.get('/admin/providers')
    expect(page.status).toBe(200)
    const text = textOf(page)
    expect(text).toMatch(
      /openai unused Address http:\S+ Key the operator's, and 1 project key .*2 requests , 1 error , \$2\.50/,
    )
    expect(text).toMatch(/groq unused Address https:\/\/api\.groq\.com\S* Key 1 project key 24 hours no requests/)
    expect(text).toMatch(/mistral MISTRAL_API_KEY/)
    expect(text).toMatch(/vllm VLLM_BASE_URL/)
    expect(page.html).not.toContain(OPERATORS_KEY)
  })

  it('shows a breaker that failing requests have opened, what is left of limits, and keys that rest', async () => {
    const lane = { provider: 'gone', keyId: 'shared', model: 'any' }
    const { secret } = await house.token()
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${house.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gone:any', messages: [{ role: 'user', content: 'Hi' }] }),
      })
      expect(answer.status).toBe(502)
      await answer.text()
    }
    house.ctx.live.noteHeaders(lane, ['x-ratelimit-limit-requests', '60', 'x-ratelimit-remaining-requests', '17'])
    house.ctx.live.benchKey('gone', 'shared', Date.now() + 60_000, 'refused')
    const text = textOf(await viewer.get('/admin/providers'))
    expect(text).toMatch(/gone down breaker open .*17 requests .*the operator's: refused, until/)
    const detail = textOf(await viewer.get('/admin/providers/gone'))
    expect(detail).toMatch(/any the operator's open until .*17/)
    house.ctx.live.unbenchKey('gone', 'shared')
  })

  it('is there as CSV', async () => {
    const { html } = await viewer.get('/admin/providers?format=csv')
    expect(html).toMatch(/^provider,health,reason,base_url,key,project_keys,models,requests_24h/)
    expect(html).toMatch(/^openai,\w+,[^,]*,http:[^,]*,the operator's,1,/m)
  })

  it('teaches how to set a key where there is none', async () => {
    const other = await startConsole({ config: { demo: false } })
    try {
      const text = textOf(await (await other.as('admin')).get('/admin/providers'))
      expect(text).toContain('No provider has a key yet')
      expect(text).toContain('OPENAI_API_KEY')
      expect(textOf(await (await other.as('admin')).get('/admin/providers/openai'))).toContain('Set OPENAI_API_KEY')
    } finally {
      await other.stop()
    }
  })

  it('is not for who sees one project alone, nor is a single provider or a test of it', async () => {
    const fenced = await house.as('viewer', project.id)
    for (const path of ['/admin/providers', '/admin/providers/openai', '/admin/providers?format=csv'])
      expect([path, (await fenced.get(path)).status]).toEqual([path, 403])
    expect((await fenced.post('/admin/providers/openai/test', { key_id: 'shared' })).status).toBe(403)
  })
})

describe('the page of a provider', () => {
  it('shows its keys by project with four characters alone, its limits and its last errors', async () => {
    const page = await viewer.get('/admin/providers/openai')
    const text = textOf(page)
    expect(text).toMatch(/…7777 Search team 1 fit/)
    expect(text).toContain('At once 12 requests Waiting up to 34 requests, for 5.00 s each')
    expect(text).toMatch(/Last errors .*<script>alert\(1\)<\/script> 502 upstream_unreachable/)
    expect(page.html).not.toContain(HOSTILE)
    expect(page.html).not.toContain(PROJECTS_KEY)
  })

  it('lists its models with prices, finds them by part of a name, and shows no more than 200', async () => {
    upstream.script(lists(['gpt-4o', HOSTILE, ...Array.from({ length: 300 }, (_, i) => `m-${i}`)]))
    await test('openai')
    const page = await viewer.get('/admin/providers/openai')
    expect(page.html).not.toContain(HOSTILE)
    expect(textOf(page)).toContain('The first 200 of 302')
    const found = await viewer.get('/admin/providers/openai?q=GPT-4O')
    expect(textOf(found)).toMatch(/gpt-4o \$2\.5 \$10 genai-prices/)
    expect(found.html).not.toContain('m-17')
    expect(textOf(await viewer.get('/admin/providers'))).toMatch(/openai .*Models 302/)
    const csv = (await viewer.get('/admin/providers/openai?format=csv')).html
    expect(csv.trim().split('\r\n')).toHaveLength(303)
    expect(csv).toMatch(/^gpt-4o,2\.5,10,genai-prices/m)
  })

  it('of a name that nobody knows is not there', async () => {
    for (const name of ['nobody', '%3Cscript%3E', 'constructor'])
      expect((await viewer.get(`/admin/providers/${name}`)).status).toBe(404)
  })

  it('lets a key that rests work again, by the name of who asked', async () => {
    house.ctx.live.benchKey('openai', key.id, Date.now() + 60_000, 'limited')
    const seen = await viewer.get('/admin/providers/openai')
    expect(textOf(seen)).toMatch(/…7777 Search team 1 limited rests until/)
    expect(seen.html).not.toContain('/unbench')
    expect((await viewer.post('/admin/providers/openai/unbench', { key_id: key.id })).status).toBe(403)
    expect(house.ctx.live.benchedUntil('openai', key.id)).not.toBeNull()
    const { status, location } = await admin.post('/admin/providers/openai/unbench', { key_id: key.id })
    expect([status, location]).toEqual([303, '/admin/providers/openai'])
    expect(house.ctx.live.benchedUntil('openai', key.id)).toBeNull()
    expect(await audited('provider_key.unbench')).toEqual({
      actor: `admin:${admin.user.name}`,
      targetId: key.id,
      after: { provider: 'openai', rested: true },
    })
  })
})

describe('a test of a provider', () => {
  const outcome = (page: Answer) => /Test:\s*(.*?) (?:At the moment|Requests, 24 h)/.exec(textOf(page))?.[1] ?? ''

  it('tells that it is reachable, takes the key, and how many models it has, asking it anew each time', async () => {
    upstream.seen.length = 0
    const page = await test('openai')
    expect(page.status).toBe(200)
    expect(outcome(page)).toMatch(/^openai answered in [\d.]+ m?s and takes the key\. It lists 2 models\./)
    const asked = upstream.seen.length
    upstream.script(lists(['only']))
    expect(outcome(await test('openai'))).toContain('It lists 1 model.')
    expect(upstream.seen.length).toBeGreaterThan(asked)
    expect(
      new Set(upstream.seen.map(({ method, url, headers }) => [method, url, headers.authorization].join(' '))),
    ).toEqual(new Set([`GET /v1/models Bearer ${OPERATORS_KEY}`]))
    expect(await audited('provider.test')).toEqual({
      actor: `admin:${admin.user.name}`,
      targetId: 'shared',
      after: { provider: 'openai', verdict: 'ok' },
    })
  })

  it("asks with a project's key where that is chosen", async () => {
    upstream.seen.length = 0
    expect(outcome(await test('openai', key.id))).toContain('takes the key')
    expect(upstream.seen.at(-1)!.headers.authorization).toBe(`Bearer ${PROJECTS_KEY}`)
  })

  it.each<[string, Script, RegExp]>([
    [
      'a refused key',
      (_req, res) => sendJson(res, 401, { error: {} }),
      /refuses the key \(401\)\. Set OPENAI_API_KEY to a valid key/,
    ],
    ['a limit', (_req, res) => sendJson(res, 429, {}), /limits our requests now \(429\)\. Wait/],
    ['trouble there', (_req, res) => sendJson(res, 503, {}), /in trouble \(503\)\. Look at its status page/],
    ['another address', (_req, res) => sendJson(res, 404, {}), /with 404: .* Look at OPENAI_BASE_URL/],
    [
      'a page instead of a list',
      (_req, res) => void res.end('<h1>Welcome</h1>'),
      /not with a list of models\. .*OPENAI_BASE_URL/,
    ],
    ['silence', () => {}, /did not answer in .* Look at the network/],
    ['a connection that breaks', (_req, res) => void res.destroy(), /(cannot be reached|broke its answer off)/],
  ])('tells what failed and what to do: %s', async (_what, script, words) => {
    upstream.script(script)
    const page = await test('openai')
    expect(page.status).toBe(200)
    expect(outcome(page)).toMatch(words)
    expect(page.html).not.toContain(OPERATORS_KEY)
  })

  it('tells who to ask where the key of a project is refused', async () => {
    upstream.script((_req, res) => sendJson(res, 403, {}))
    expect(outcome(await test('openai', key.id))).toContain('Give the project a valid key')
  })

  it('tells that nothing listens there', async () => {
    expect(outcome(await test('gone'))).toMatch(
      /gone cannot be reached: nothing listens at that address\. .*providers\.gone\.base_url/,
    )
  })

  it('is refused to a viewer, and for a key of another provider', async () => {
    upstream.seen.length = 0
    expect((await viewer.get('/admin/providers/openai')).html).not.toContain('/admin/providers/openai/test')
    expect((await viewer.post('/admin/providers/openai/test', { key_id: 'shared' })).status).toBe(403)
    const page = await test('gone', key.id)
    expect(page.status).toBe(422)
    expect(page.html).toContain('is not a key for this provider (any more)')
    expect((await test('groq', 'shared')).status).toBe(409)
    expect(upstream.seen.filter(({ headers }) => headers.authorization === `Bearer ${PROJECTS_KEY}`)).toEqual([])
  })
})
