import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { createRoute } from '../../src/domain/routes.ts'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { route, target } from '../routing/house.ts'
import { type Answer, startConsole, type TestConsole, textOf, type Visitor } from './helpers.ts'

let house: TestConsole
let upstream: Upstream
let admin: Visitor
let viewer: Visitor

beforeAll(async () => {
  upstream = await startUpstream()
  const { routing } = loadConfig({ env: {}, cwd: import.meta.dirname }).config
  house = await startConsole({
    config: {
      providers: {
        openai: { apiKey: 'sk-of-the-operator-00000000', baseUrl: upstream.url },
        mine: { kind: 'openai', apiKey: 'sk-of-mine-0000000000', baseUrl: upstream.url },
      },
      prices: { discounts: {}, models: [{ provider: 'mine', model: '*', input: 3, output: 15 }] },
      routing: {
        ...routing,
        retry: { ...routing.retry, maxRetries: 0 },
        routes: [
          route('smart', [target('openai', 'gpt-4o'), target('mine', 'big')], { strategy: 'weighted' }),
          route('gpt-*', [target('openai', null)]),
        ],
        rules: [
          {
            name: 'gold',
            when: { headers: { 'x-tier': 'gold' }, promptTokens: { gt: 1000 } },
            route: 'smart',
            provider: null,
            model: null,
            weight: null,
          },
          { name: 'canary', when: { project: 'nobody' }, route: null, provider: 'mine', model: 'next', weight: 5 },
        ],
      },
    },
  })
  admin = await house.as('admin')
  viewer = await house.as('viewer')
})
afterAll(async () => {
  await house.stop()
  await upstream.close()
})

const stored = () => house.ctx.store.routes.list()
const audited = async (action: string) =>
  (await house.ctx.store.audit.list({ action }, { limit: 10 })).data.map(({ actor, outcome }) => ({ actor, outcome }))
const remove = async (pattern: string) => {
  const found = (await stored()).find((one) => one.pattern === pattern)
  if (found) await admin.post(`/admin/routing/${found.id}/edit/delete`)
}

describe('the page of routing', () => {
  it('shows the routes and rules of the file, and what holds for every request', async () => {
    const page = await viewer.get('/admin/routing')
    expect(page.status).toBe(200)
    const text = textOf(page)
    expect(text).toContain('smart file weighted')
    expect(text).toMatch(/2\. mine big 1/)
    expect(text).toContain('gpt-* file fallback 1. openai the model asked for')
    expect(text).toMatch(/gold prompt > 1,000 tokens header x-tier is gold route smart/)
    expect(text).toMatch(/canary project nobody mine: next 5/)
    expect(text).toContain('opens after 5 failures in 30.0 s, for 15.0 s')
  })

  it('shows a breaker that requests have opened, and that the target comes back', async () => {
    upstream.script((_req, res) => sendJson(res, 503, { error: { message: 'down' } }))
    const { secret } = await house.token()
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${house.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hi' }] }),
      })
      expect(answer.status).toBe(503)
      await answer.text()
    }
    const text = textOf(await viewer.get('/admin/routing'))
    expect(text).toMatch(/gpt-\* file fallback 1\. openai the model asked for – down breaker open – 100 % 0 20\d\d-/)
    // The other route's target is of another model.
    expect(text).toMatch(/1\. openai gpt-4o 1 unused/)
  })

  it('finds routes by pattern, provider and model', async () => {
    const found = textOf(await viewer.get('/admin/routing?q=BIG'))
    expect(found).toContain('smart file weighted')
    expect(found).not.toContain('gpt-* file')
    expect(textOf(await viewer.get('/admin/routing?q=zzz'))).toContain('No route has “zzz”')
  })

  it('gives the routes as CSV, a line for each target', async () => {
    const { html, headers } = await viewer.get('/admin/routing?format=csv')
    expect(headers.get('content-disposition')).toContain('routes.csv')
    const lines = html.trim().split('\r\n')
    expect(lines[0]).toMatch(/^pattern,origin,in_force,strategy,step,provider,model,weight/)
    expect(lines.slice(1, 3).map((line) => line.split(',').slice(0, 8).join())).toEqual([
      'smart,file,true,weighted,1,openai,gpt-4o,1',
      'smart,file,true,weighted,2,mine,big,1',
    ])
  })

  it('is not for who sees one project alone, nor are its actions', async () => {
    const { project } = await house.token({}, { name: 'fenced' })
    const fenced = await house.as('viewer', project.id)
    for (const path of [
      '/admin/routing',
      '/admin/routing?model=smart',
      '/admin/routing?format=csv',
      '/admin/routing/new',
    ])
      expect([path, (await fenced.get(path)).status]).toEqual([path, 403])
    expect((await fenced.get('/admin')).html).not.toContain('/admin/routing')
    expect((await fenced.post('/admin/routing/reload')).status).toBe(403)
  })

  it('lets a viewer look and not touch', async () => {
    const { html } = await viewer.get('/admin/routing')
    expect(html).not.toContain('/admin/routing/new')
    expect(html).not.toContain('/admin/routing/reload')
    expect((await viewer.get('/admin/routing/new')).status).toBe(403)
    const before = await stored()
    for (const action of ['new/create', 'reload', 'rte_x/edit/update', 'rte_x/edit/delete'])
      expect([action, (await viewer.post(`/admin/routing/${action}`)).status]).toEqual([action, 403])
    expect(await stored()).toEqual(before)
  })
})

describe('a route of the database', () => {
  it('is created from the rows that say something, in the order of their places', async () => {
    const page = await admin.get('/admin/routing/new')
    expect(page.html.match(/name="targets\.\d+\.provider"/g)).toHaveLength(3)
    const { status, location } = await admin.post('/admin/routing/new/create', {
      pattern: 'fast',
      strategy: 'weighted',
      'targets.0.provider': 'openai',
      'targets.0.model': 'gpt-4o-mini',
      'targets.0.weight': '1',
      'targets.0.position': '2',
      'targets.1.provider': '',
      'targets.1.model': '',
      'targets.1.position': '2',
      'targets.2.provider': 'mine',
      'targets.2.weight': '2.5',
      'targets.2.position': '1',
      'targets.2.timeouts.first_token_ms': '5000',
      max_retries: '1',
      recovery: 'off',
      routes_around_refusals: ['false', 'true'],
      'timeouts.total_ms': '60 000',
    })
    expect([status, location]).toEqual([303, '/admin/routing'])
    expect((await stored()).find(({ pattern }) => pattern === 'fast')).toMatchObject({
      strategy: 'weighted',
      targets: [
        { provider: 'mine', model: null, weight: 2.5, timeouts: { firstTokenMs: 5000 } },
        { provider: 'openai', model: 'gpt-4o-mini', weight: 1, timeouts: null },
      ],
      maxRetries: 1,
      recovery: 'off',
      routesAroundRefusals: true,
      timeouts: { totalMs: 60_000 },
    })
    const shown = await admin.get('/admin/routing')
    expect(textOf(shown)).toContain('The route fast holds from the next request on.')
    expect(textOf(shown)).toContain('fast database weighted · 1 retry · cut streams: off · routes around refusals')
    expect(await audited('route.create')).toContainEqual({ actor: `admin:${admin.user.name}`, outcome: 'success' })
    await remove('fast')
  })

  it('that is wrong is told so at its fields, in the rows that were typed, with what was typed', async () => {
    const { status, html } = await admin.post('/admin/routing/new/create', {
      pattern: '',
      strategy: 'fallback',
      'targets.0.provider': '',
      'targets.1.provider': 'openai',
      'targets.1.weight': 'much',
      'targets.2.model': 'a model without a provider',
      max_retries: '99',
    })
    expect(status).toBe(422)
    const errorAt = (name: string) => new RegExp(`id="f-${name.replace(/\./g, '-')}-error">([^<]*)`).exec(html)?.[1]
    expect(errorAt('pattern')).toBeDefined()
    expect(errorAt('targets.0.provider')).toBeUndefined()
    expect(errorAt('targets.1.weight')).toBe('must be a number')
    expect(errorAt('targets.2.provider')).toBe('is required')
    expect(errorAt('max_retries')).toBe('must be at most 20')
    expect(html).toContain('value="much"')
    expect(html).toContain('value="a model without a provider"')
  })

  it('needs a target', async () => {
    const { status, html } = await admin.post('/admin/routing/new/create', {
      pattern: 'empty',
      'targets.0.provider': '',
    })
    expect(status).toBe(422)
    expect(textOf({ html })).toContain('choose a provider in at least one row')
  })

  it('cannot have the pattern of one in the file, or of another', async () => {
    const fields = { 'targets.0.provider': 'openai' }
    const taken = await admin.post('/admin/routing/new/create', { pattern: 'smart', ...fields })
    expect(taken.status).toBe(409)
    expect(textOf(taken)).toContain('There is a route of this pattern in the configuration file')
    expect(taken.html).toContain('is taken by another route')
  })

  it('is changed, its rows taken out and added, and deleted', async () => {
    await admin.post('/admin/routing/new/create', {
      pattern: 'changing',
      'targets.0.provider': 'openai',
      'targets.0.timeouts.idle_ms': '700',
      'targets.1.provider': 'mine',
      max_retries: '3',
    })
    const { id } = (await stored()).find(({ pattern }) => pattern === 'changing')!
    const form = await admin.get(`/admin/routing/${id}/edit`)
    expect(form.html.match(/name="targets\.\d+\.provider"/g)).toHaveLength(5)
    expect(form.html).toContain('value="700"')
    const { status } = await admin.post(`/admin/routing/${id}/edit/update`, {
      pattern: 'changed',
      strategy: 'cheapest',
      'targets.0.provider': 'openai',
      'targets.0.timeouts.idle_ms': '700',
      'targets.1.provider': 'mine',
      'targets.1.remove': 'on',
      'targets.2.provider': 'openai',
      'targets.2.model': 'o3',
      max_retries: '',
      recovery: '',
      routes_around_refusals: 'false',
    })
    expect(status).toBe(303)
    expect(await house.ctx.store.routes.get(id)).toMatchObject({
      pattern: 'changed',
      strategy: 'cheapest',
      targets: [
        { provider: 'openai', model: null, timeouts: { idleMs: 700 } },
        { provider: 'openai', model: 'o3', timeouts: null },
      ],
      maxRetries: null,
      recovery: null,
    })
    expect((await admin.post(`/admin/routing/${id}/edit/delete`)).status).toBe(303)
    expect(await house.ctx.store.routes.get(id)).toBeNull()
    expect(await audited('route.delete')).toContainEqual({ actor: `admin:${admin.user.name}`, outcome: 'success' })
    expect((await admin.get(`/admin/routing/${id}/edit`)).status).toBe(404)
  })

  it('that the file has since taken the place of is marked', async () => {
    const parts = { ...house.ctx, providerNames: ['openai'], fileRoutes: () => [] }
    const { id } = await createRoute(parts, SYSTEM, { pattern: 'smart', targets: [{ provider: 'openai' }] })
    expect(textOf(await viewer.get('/admin/routing'))).toContain('smart database shadowed by the file')
    expect(textOf(await admin.get(`/admin/routing/${id}/edit`))).toContain('this one never holds')
    await remove('smart')
  })

  it('shows a hostile pattern and model as the texts that they are', async () => {
    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    await admin.post('/admin/routing/new/create', {
      pattern: hostile,
      'targets.0.provider': 'openai',
      'targets.0.model': hostile,
    })
    const { id } = (await stored()).find(({ pattern }) => pattern === hostile)!
    const explained = `/admin/routing?model=${encodeURIComponent(hostile)}&project=default`
    for (const path of ['/admin/routing', `/admin/routing/${id}/edit`, explained, '/admin/routing?live=1']) {
      const html = path.includes('live') ? await firstEvent(path) : (await admin.get(path)).html
      expect(html).toContain('&lt;script&gt;alert(1)')
      expect(html).not.toMatch(/<script>alert|<img src=x/)
    }
    await remove(hostile)
  })
})

async function firstEvent(path: string): Promise<string> {
  const cookie = [...admin.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const abort = new AbortController()
  const { body } = await fetch(house.url + path, { headers: { cookie }, signal: abort.signal })
  let text = ''
  for await (const piece of body!) {
    text += Buffer.from(piece).toString()
    if (text.includes('\n\n')) break
  }
  abort.abort()
  return text
}

describe('an explanation', () => {
  const onPage = async (query: Record<string, string>) => viewer.get(`/admin/routing?${new URLSearchParams(query)}`)
  const jsonIn = ({ html }: Answer) => {
    const text = /<pre id="explanation"[^>]*>([\s\S]*?)<\/pre>/.exec(html)![1]!
    return JSON.parse(
      text
        .replace(/&#34;/g, '"')
        .replace(/&#39;/g, "'")
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>')
        .replace(/&amp;/g, '&'),
    )
  }
  const byApi = async (question: object) => {
    const answer = await fetch(`${house.url}/manage/explain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${MANAGEMENT_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    })
    return answer.json()
  }

  it('says what the management API says of the same question', async () => {
    const { token } = await house.token({ name: 'asker', allowedModels: ['gpt-*'] })
    const request = { messages: [{ role: 'user', content: 'Tell me <all>' }], max_tokens: 500, stream: true }
    const page = await onPage({ model: 'gpt-5', token: token.id, body: JSON.stringify(request) })
    expect(page.status).toBe(200)
    expect(jsonIn(page)).toEqual(await byApi({ token_id: token.id, request: { ...request, model: 'gpt-5' } }))
    const text = textOf(page)
    expect(text).toContain('It would go to openai as gpt-5.')
    expect(text).toContain('The token asker of the project default.')
    expect(text).toContain('None of the 2 rules fits.')
    expect(text).toContain('The route gpt-*.')
    expect(house.ctx.live.snapshot().some(({ model }) => model === 'gpt-5')).toBe(false)
  })

  it('goes by rules that ask for headers, and by the name of a project', async () => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'word '.repeat(5000) }] })
    const page = await onPage({ model: 'anything', project: 'default', headers: 'X-Tier: gold', body })
    const text = textOf(page)
    expect(text).toContain('The rule “gold” fits.')
    expect(text).toContain('The route smart.')
    expect(text).toContain('by chance, in proportion to their weights')
    expect(jsonIn(page).stops).toHaveLength(2)
    expect(text).toMatch(/\$0\.\d+/)
  })

  it('says why a request would be refused, and what to do', async () => {
    const { token } = await house.token({ allowedModels: ['other'] })
    const page = await onPage({ model: 'smart', token: token.id })
    expect(textOf(page)).toContain('It would be refused with 403 (model_not_allowed)')
    expect(textOf(page)).toContain('Add the model to the allowed models')
    const { token: old } = await house.token({ expiresAt: 1 })
    expect(textOf(await onPage({ model: 'smart', token: old.id }))).toContain('(token_expired)')
  })

  it('says who is not fit at the moment', async () => {
    house.ctx.live.benchKey('mine', 'shared', Date.now() + 60_000, 'limited')
    const page = await onPage({ model: 'mine:next', project: 'default' })
    expect(textOf(page)).toContain('It would go to mine as next, though its key rests at the moment')
    house.ctx.live.unbenchKey('mine', 'shared')
  })

  it.each([
    ['no project and no token', { model: 'smart' }, 'is required, or the id of a token'],
    ['a token that is not there', { model: 'smart', token: 'tok_none' }, 'is not known here'],
    ['a project that is not there', { model: 'smart', project: 'proj_none' }, 'is not known here'],
    ['a token itself', { model: 'smart', token: 'sk-something' }, 'must be the id of a token'],
    ['a body that is no JSON', { model: 'smart', project: 'default', body: '{' }, 'must be a JSON object'],
    ['a body that is a list', { model: 'smart', project: 'default', body: '[]' }, 'must be a JSON object'],
    ['headers without a colon', { model: 'smart', project: 'default', headers: 'gold' }, 'must have lines like'],
    ['an endpoint that is no path', { model: 'smart', project: 'default', endpoint: 'chat' }, 'must be a path'],
  ])('asks again at the field for %s', async (_what, query, reason) => {
    const page = await onPage(query)
    expect(page.status).toBe(200)
    expect(/class="field-error"[^>]*>([^<]*)/.exec(page.html)?.[1]).toContain(reason)
    expect(page.html).not.toContain('id="explanation"')
  })
})
