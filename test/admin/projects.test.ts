import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Project } from '../../src/store/store.ts'
import { aRequest, keep, startConsole, type TestConsole, textOf, type Visitor } from './helpers.ts'

const KEY = 'sk-of-a-provider-in-full-1234'
const EVIL = '<script>alert(1)</script>'

let house: TestConsole
let admin: Visitor
let viewer: Visitor
beforeAll(async () => {
  house = await startConsole()
  admin = await house.as('admin')
  viewer = await house.as('viewer')
})
afterAll(() => house.stop())

const made = async (fields: Partial<Project>) => (await house.token({}, fields)).project
const reread = async ({ id }: Pick<Project, 'id'>) => (await house.ctx.store.projects.get(id))!
const keysOf = ({ id }: Pick<Project, 'id'>) => house.ctx.store.providerKeys.listByProject(id)
const actions = async (target: string) =>
  (await house.ctx.store.audit.list({ targetId: target }, { limit: 20 })).data.map(({ action, actor }) => ({
    action,
    actor,
  }))
const budget = (limitNanoUsd: number) => ({ period: 'month' as const, limitNanoUsd, limitTokens: null, resetAt: null })

describe('the list of projects', () => {
  it('is sorted by what one asks for, either way, and found by name or id', async () => {
    const projects = {
      dear: await made({ name: 'sort-dear' }),
      busy: await made({ name: 'sort-busy' }),
      idle: await made({ name: 'sort-idle' }),
    }
    await keep(house, [
      aRequest({ projectId: projects.dear.id, costNanoUsd: 9_000_000n }),
      ...Array.from({ length: 3 }, () =>
        aRequest({ projectId: projects.busy.id, costNanoUsd: 1_000_000n, status: 500 }),
      ),
    ])
    const order = async (query: string) => {
      const { html } = await admin.get(`/admin/projects?q=sort-&${query}`)
      return Object.entries(projects)
        .map(([name, { id }]) => ({ name, at: html.indexOf(`/admin/projects/${id}"`) }))
        .filter(({ at }) => at !== -1)
        .sort((a, b) => a.at - b.at)
        .map(({ name }) => name)
    }
    expect(await order('')).toEqual(['dear', 'busy', 'idle'])
    expect(await order('sort=-spend')).toEqual(['idle', 'busy', 'dear'])
    expect((await order('sort=requests'))[0]).toBe('busy')
    expect((await order('sort=errors'))[0]).toBe('busy')
    expect(await order('sort=name')).toEqual(['busy', 'dear', 'idle'])
    expect(await order('sort=__proto__')).toEqual(['dear', 'busy', 'idle'])
    const { html } = await admin.get(`/admin/projects?q=${projects.idle.id}`)
    expect(html).toContain('sort-idle')
    expect(html).not.toContain('sort-busy')
    const csv = await admin.get('/admin/projects?q=sort-dear&format=csv')
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.html).toContain(`${projects.dear.id},sort-dear,true,`)
    expect(csv.html).toContain(',1,1,0,0.009')
  })

  it('shows the fullest budget, and what to do where nothing is found', async () => {
    const project = await made({ name: 'list-budget', budgets: [budget(1_000_000_000_000), budget(1_000_000)] })
    await keep(house, [aRequest({ projectId: project.id, costNanoUsd: 500_000n })])
    expect((await admin.get('/admin/projects?q=list-budget')).html).toContain('50 % of the month budget is used')
    expect((await admin.get('/admin/projects?q=nowhere')).html).toContain('No project found')
  })
})

describe('a project', () => {
  it('is created with a key and limits, and the key is never shown', async () => {
    const fields = {
      name: 'created',
      'provider_keys.0.provider': 'openai',
      'provider_keys.0.key': KEY,
      'rate_limit.requests_per_minute': '60',
      'budgets.0.period': 'month',
      'budgets.0.limit_usd': '25',
      'budgets.0.limit_tokens': '',
      allowed_models: 'gpt-4o*',
      metadata: '{"a":1}',
    }
    const { status, location } = await admin.post('/admin/projects/new/create', fields)
    expect(status).toBe(303)
    const { html } = await admin.get(location!)
    expect(html).toContain('…1234')
    expect(html).not.toContain(KEY)
    const project = (await house.ctx.store.projects.findByName('created'))!
    expect(project).toMatchObject({ allowedModels: ['gpt-4o*'], metadata: { a: 1 }, budgets: [{ limitNanoUsd: 25e9 }] })

    const again = await admin.post('/admin/projects/new/create', fields)
    expect(again.status).toBe(409)
    expect(again.html).toMatch(/f-name-error">is taken/)
    expect(again.html).not.toContain(KEY)
  })

  it('is edited, and refused at the field', async () => {
    const project = await made({ name: 'to edit', allowedModels: ['gpt-*'], budgets: [budget(1_000_000_000)] })
    const at = `/admin/projects/${project.id}/edit`
    expect((await admin.get(at)).html).toContain('name="budgets.0.limit_usd" type="text" value="1"')
    const wrong = await admin.post(`${at}/save`, { name: '', 'rate_limit.tokens_per_minute': 'many' })
    expect(wrong.status).toBe(422)
    expect(wrong.html).toMatch(/f-name-error/)
    expect(wrong.html).toMatch(/f-rate_limit-tokens_per_minute-error">must be a number/)
    const blank = { 'budgets.0.period': 'month', 'budgets.0.limit_usd': '', 'budgets.0.limit_tokens': '' }
    const { location } = await admin.post(`${at}/save`, { name: 'edited', allowed_models: '', metadata: '', ...blank })
    expect(location).toBe(`/admin/projects/${project.id}`)
    expect(await reread(project)).toMatchObject({ name: 'edited', allowedModels: null, budgets: null, metadata: {} })
  })

  it('shows what was used in thirty days, and how long answers took', async () => {
    const { token, project } = await house.token({}, { name: 'used' })
    const owner = { tokenId: token.id, projectId: project.id }
    await keep(house, [aRequest({ ...owner, latencyMs: 700 }), aRequest({ ...owner, latencyMs: 700 })])
    for (const path of [`/admin/projects/${project.id}`, `/admin/tokens/${token.id}`]) {
      const text = textOf(await admin.get(path))
      expect(text).toContain('Spend, 30 days $0.00069')
      expect(text).toMatch(/Latency p50 \d\d\d ms p95 \d\d\d ms/)
    }
  })

  it('is switched off and on, and a budget of it begins anew', async () => {
    const project = await made({ name: 'switch', budgets: [budget(1_000_000)] })
    const at = `/admin/projects/${project.id}`
    await admin.post(`${at}/off`)
    expect((await admin.get(at)).html).toContain('None of its tokens is let in')
    await admin.post(`${at}/on`)
    await admin.post(`${at}/reset-budget`, { index: '0', period: 'month' })
    const after = await reread(project)
    expect(after.isActive).toBe(true)
    expect(after.budgets![0]!.resetAt).not.toBeNull()
  })

  it('is deleted with all that is in it, by who types its name', async () => {
    const { token, project } = await house.token({}, { name: 'to delete' })
    const at = `/admin/projects/${project.id}`
    expect((await admin.get(at)).html).toContain('its 1 token and its 0 provider keys')
    const wrong = await admin.post(`${at}/delete`, { confirm_name: 'To delete' })
    expect([wrong.status, /f-confirm_name-error/.test(wrong.html)]).toEqual([422, true])
    expect(await admin.post(`${at}/delete`, { confirm_name: 'to delete' })).toMatchObject({
      location: '/admin/projects',
    })
    expect(await house.ctx.store.projects.get(project.id)).toBeNull()
    expect(await house.ctx.store.tokens.get(token.id)).toBeNull()
    expect(await actions(project.id)).toContainEqual({ action: 'project.delete', actor: `admin:${admin.user.name}` })
  })

  it('has all its tokens revoked at once', async () => {
    const { token, project } = await house.token({}, { name: 'to revoke' })
    await admin.post(`/admin/projects/${project.id}/revoke-tokens`)
    expect((await house.ctx.store.tokens.get(token.id))!.revokedAt).not.toBeNull()
    expect((await admin.get(`/admin/projects/${project.id}`)).html).toContain('1 token revoked.')
  })

  it('shows foreign texts as texts', async () => {
    const project = await made({ name: EVIL, metadata: { [EVIL]: EVIL }, allowedModels: [EVIL] })
    for (const path of ['/admin/projects', `/admin/projects/${project.id}`, `/admin/projects/${project.id}/edit`]) {
      const { html } = await admin.get(path)
      expect(html).not.toContain(EVIL)
      expect(html).toContain('&lt;script&gt;')
    }
  })
})

describe('a provider key', () => {
  it('is added, weighed, rotated, left to rest, woken and removed, and only its end is ever shown', async () => {
    const project = await made({ name: 'keys' })
    const at = `/admin/projects/${project.id}`
    await admin.post(`${at}/add-key`, { provider: 'anthropic', key: KEY, weight: '' })
    const [key] = await keysOf(project)
    expect(key).toMatchObject({ provider: 'anthropic', last4: '1234', weight: 1 })
    const mine = { key_id: key!.id }

    await admin.post(`${at}/weigh-key`, { ...mine, weight: '2.5' })
    expect(await keysOf(project)).toEqual([{ ...key, weight: 2.5 }])
    const wrong = await admin.post(`${at}/weigh-key`, { ...mine, weight: '0' })
    expect([wrong.status, wrong.html.includes('The weight must be more than 0')]).toEqual([422, true])

    await admin.post(`${at}/rest-key`, mine)
    expect(house.ctx.live.benches()).toEqual([expect.objectContaining({ keyId: key!.id, why: 'by_hand' })])
    expect((await admin.get(at)).html).toContain('by hand, until')
    await admin.post(`${at}/wake-key`, mine)
    expect(house.ctx.live.benches()).toEqual([])

    const refused = await admin.post(`${at}/replace-key`, { ...mine, key: 'with "quotes"' })
    expect([refused.status, /rotate-0-error/.test(refused.html)]).toEqual([422, true])
    expect(refused.html).not.toMatch(/with (?:"|&#34;)quotes/)
    await admin.post(`${at}/replace-key`, { ...mine, key: 'sk-the-next-key-in-full-9876' })
    const [next, ...more] = await keysOf(project)
    expect([next, more]).toEqual([expect.objectContaining({ provider: 'anthropic', last4: '9876', weight: 2.5 }), []])
    const { html } = await admin.get(at)
    expect(html).toContain('…9876')
    expect(html).not.toMatch(/in-full|sealed/)
    expect((await admin.post(`${at}/replace-key`, { ...mine, key: KEY })).status).toBe(404)

    await admin.post(`${at}/remove-key`, { key_id: next!.id })
    expect(await keysOf(project)).toEqual([])
    expect((await actions(key!.id)).map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'provider_key.create',
        'provider_key.update',
        'provider_key.bench',
        'provider_key.unbench',
        'provider_key.replace',
      ]),
    )
    expect(house.logs()).not.toMatch(/in-full/)
  })
})

describe('a viewer', () => {
  it('reads projects and is offered nothing else, and may do nothing else', async () => {
    const { project, token } = await house.token(
      { name: 'of the viewed' },
      { name: 'viewed', budgets: [budget(1_000)] },
    )
    for (const path of ['/admin/projects', `/admin/projects/${project.id}`]) {
      const { status, html } = await viewer.get(path)
      expect(status).toBe(200)
      expect(html).not.toMatch(/action="\/admin\/(?:tokens|projects)\/[^"]*\/|\/new|\/edit"|Delete project/)
    }
    for (const path of ['/admin/projects/new', `/admin/projects/${project.id}/edit`])
      expect((await viewer.get(path)).status).toBe(403)
    for (const action of [
      'off',
      'add-key',
      'rest-key',
      'replace-key',
      'remove-key',
      'reset-budget',
      'revoke-tokens',
      'delete',
      'edit/save',
    ])
      expect((await viewer.post(`/admin/projects/${project.id}/${action}`)).status).toBe(403)
    expect(await reread(project)).toEqual(project)
    const restricted = await house.as('viewer', project.id)
    const { html } = await restricted.get('/admin/projects')
    expect(html).toContain('viewed')
    expect(html).not.toContain('default')
    expect((await restricted.get(`/admin/projects/${project.id}`)).html).toContain(token.id)
    const other = (await house.ctx.store.projects.findByName('default'))!
    expect((await restricted.get(`/admin/projects/${other.id}`)).status).toBe(404)
  })
})
