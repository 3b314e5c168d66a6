import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { snippets } from '../../src/admin/access/snippets.ts'
import type { Token } from '../../src/store/store.ts'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const run = promisify(execFile)
const itWithCurl = existsSync('/usr/bin/curl') ? it : it.skip
const DAY_MS = 86_400_000
const EVIL = `<script>alert(1)</script>`

let house: TestConsole
let admin: Visitor
let viewer: Visitor
beforeAll(async () => {
  house = await startConsole()
  admin = await house.as('admin')
  viewer = await house.as('viewer')
})
afterAll(() => house.stop())

const projectId = async () => (await house.ctx.store.projects.findByName('default'))!.id
const textOf = (html: string) =>
  html
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
const secretIn = (html: string) => /id="secret"[^>]*>(sk-[\w-]{43})</.exec(html)?.[1] ?? ''
const snippetIn = (html: string, id: string) =>
  textOf(new RegExp(`id="snippet-${id}"[^>]*>([^<]*)<`).exec(html)?.[1] ?? '')

async function create(fields: Record<string, string> = {}) {
  const answer = await admin.post('/admin/tokens/new/create', { project_id: await projectId(), life: '30d', ...fields })
  return { ...answer, secret: secretIn(answer.html) }
}
const budget = (limitNanoUsd: number) => ({ period: 'month' as const, limitNanoUsd, limitTokens: null, resetAt: null })
const reread = async ({ id }: Token) => (await house.ctx.store.tokens.get(id))!

describe('creating a token', () => {
  it('shows it once, and leaves no trace of it anywhere', async () => {
    const { status, html, headers, secret } = await create({ name: 'laptop' })
    expect(status).toBe(200)
    expect(secret).toMatch(/^sk-/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.getSetCookie().join()).not.toContain(secret)
    const { data } = await house.ctx.store.tokens.list({ search: 'laptop', now: Date.now() }, { limit: 2 })
    expect(data).toHaveLength(1)
    // A reload that is no second sending of the form, and every page that has to do with it.
    for (const path of ['/admin/tokens/new', '/admin/tokens', `/admin/tokens/${data[0]!.id}`])
      expect((await admin.get(path)).html).not.toContain(secret)
    expect(await admin.get('/admin/tokens/new/create')).toMatchObject({ status: 303, location: '/admin/tokens/new' })
    expect(html.split(secret).length).toBeGreaterThan(2)
    expect(house.logs()).not.toContain(secret)
    const files = readdirSync(house.dataDir, { recursive: true, encoding: 'utf8' }).filter((name) => /\.db/.test(name))
    expect(files.length).toBeGreaterThan(0)
    for (const name of files) expect(readFileSync(join(house.dataDir, name)).includes(secret)).toBe(false)
    const { data: trail } = await house.ctx.store.audit.list({ action: 'token.create' }, { limit: 1 })
    expect(trail[0]).toMatchObject({ actor: `admin:${admin.user.name}`, targetId: data[0]!.id, outcome: 'success' })
  })

  it('takes every field, and counts a budget row without an amount for none', async () => {
    await create({
      name: 'full',
      expires_at: '2099-01-02T03:04',
      'rate_limit.requests_per_minute': '60',
      max_requests: '1000',
      'budgets.0.period': 'day',
      'budgets.0.limit_usd': '',
      'budgets.0.limit_tokens': '',
      'budgets.1.period': 'week',
      'budgets.1.limit_usd': '2.50',
      'budgets.1.limit_tokens': '',
      allowed_models: 'gpt-4o*\n\n demo ',
      allowed_endpoints: '/v1/chat/*',
      allowed_ips: '127.0.0.1, 10.0.0.0/8',
      metadata: '{"team":"search"}',
    })
    const { data } = await house.ctx.store.tokens.list({ search: 'full', now: Date.now() }, { limit: 1 })
    expect(data[0]).toMatchObject({
      expiresAt: Date.UTC(2099, 0, 2, 3, 4),
      maxRequests: 1000,
      rateLimit: { requestsPerMinute: 60, tokensPerMinute: null, concurrentRequests: null },
      budgets: [{ period: 'week', limitNanoUsd: 2_500_000_000, limitTokens: null, resetAt: null }],
      allowedModels: ['gpt-4o*', 'demo'],
      allowedEndpoints: ['/v1/chat/*'],
      allowedIps: ['127.0.0.1', '10.0.0.0/8'],
      metadata: { team: 'search' },
    })
  })

  it.each([
    ['1h', 3_600_000],
    ['24h', DAY_MS],
    ['30d', 30 * DAY_MS],
    ['never', null],
  ])('that lives %s', async (life, length) => {
    await create({ name: `lives ${life}`, life })
    const { data } = await house.ctx.store.tokens.list({ search: `lives ${life}`, now: Date.now() }, { limit: 1 })
    expect(data[0]!.expiresAt).toBe(length === null ? null : data[0]!.createdAt + length)
  })

  it('says at the field what is wrong, by the row in which it stands, and keeps what was typed', async () => {
    const { status, html, secret } = await create({
      name: 'kept <name>',
      'budgets.0.period': 'month',
      'budgets.0.limit_usd': '',
      'budgets.0.limit_tokens': '',
      'budgets.1.period': 'day',
      'budgets.1.limit_usd': 'much',
      'budgets.1.limit_tokens': '',
      allowed_ips: 'home',
      metadata: '{',
    })
    expect([status, secret]).toEqual([422, ''])
    expect(html).toContain('id="f-budgets-1-limit_usd-error"')
    expect(html).not.toContain('id="f-budgets-0-limit_usd-error"')
    expect(html).toMatch(/id="f-allowed_ips-error">must be an IP address/)
    expect(html).toMatch(/id="f-metadata-error">must be a JSON object/)
    expect(html).toContain('value="kept &lt;name&gt;"')
    expect(html).toContain('value="much"')
  })

  it('refuses an end in the past, and a project that is not there', async () => {
    expect((await create({ expires_at: '2020-01-01T00:00' })).html).toMatch(/f-expires_at-error">must be in the future/)
    expect((await create({ project_id: 'proj_none' })).status).toBe(404)
    expect((await create({ life: 'long' })).html).toMatch(/f-life-error/)
  })

  itWithCurl('gives a command for curl that is answered as it stands', async () => {
    const { html } = await create({ name: 'for curl' })
    const { stdout } = await run('/bin/sh', [
      '-c',
      snippetIn(html, 'curl').replace(/^curl /, 'curl -sS --noproxy "*" '),
    ])
    expect(JSON.parse(stdout)).toMatchObject({ model: 'demo', choices: [{ message: { role: 'assistant' } }] })
  })

  it('gives a program for Node.js that runs as it stands', async () => {
    const { html } = await create({ name: 'for node' })
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', snippetIn(html, 'node')])
    expect(stdout).toContain('Say hello.')
  })

  it('gives the environment with which Claude Code asks the gateway', async () => {
    const { html, secret } = await create({ name: 'for claude' })
    const set = Object.fromEntries(
      [...snippetIn(html, 'claude-code').matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )
    expect(set).toEqual({ ANTHROPIC_BASE_URL: house.url, ANTHROPIC_AUTH_TOKEN: secret, ANTHROPIC_MODEL: 'demo' })
    const answer = await fetch(`${set.ANTHROPIC_BASE_URL}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: set.ANTHROPIC_MODEL, max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect(answer.status).toBe(200)
  })

  it('says so where no model is known that the token may use', async () => {
    const { html } = await create({ name: 'no model', allowed_models: 'nobody-has-*' })
    expect(html).toContain('No model was found')
    expect(snippetIn(html, 'curl')).toContain('name-of-a-model')
  })

  itWithCurl('quotes what comes from outside, so that no name of a model is a command', async () => {
    const model = `x'; echo hacked; "$(echo hacked)" \`echo hacked\` \\`
    const [curl, , , , claude] = snippets({ origin: house.url, secret: 'sk-none', model })
    const shown = curl!.text.replace(/^curl .*$/m, 'printf "%s\\n" \\')
    const { stdout } = await run('/bin/sh', ['-c', shown])
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!).model).toBe(model)
    const { stdout: env } = await run('/bin/sh', [
      '-c',
      claude!.text.replace(/claude$/, 'printf "%s" "$ANTHROPIC_MODEL"'),
    ])
    expect(env).toBe(model)
  })
})

describe('the list of tokens', () => {
  it('finds tokens by state, end, budget, project and text', async () => {
    const own = { name: 'list-project' }
    const { token: plain, project } = await house.token({ name: 'list-plain' }, own)
    const add = async (fields: Partial<Token>) => (await house.token({ projectId: project.id, ...fields })).token
    const soon = await add({ name: 'list-soon', expiresAt: Date.now() + DAY_MS })
    const over = await add({ name: 'list-over', expiresAt: Date.now() - 1 })
    const off = await add({ name: 'list-off', isActive: false })
    const revoked = await add({ name: 'list-revoked', revokedAt: Date.now() })
    const spent = await add({ name: 'list-spent', budgets: [budget(1_000_000)] })
    const fresh = await add({ name: 'list-fresh', budgets: [budget(1_000_000_000)] })
    await keep(house, [aRequest({ tokenId: spent.id, projectId: project.id, costNanoUsd: 900_000n })])
    const all = { plain, soon, over, off, revoked, spent, fresh }
    const found = async (query: string) => {
      const { html, status } = await admin.get(`/admin/tokens?project=${project.id}&${query}`)
      expect(status).toBe(200)
      return Object.entries(all).flatMap(([name, { id }]) => (html.includes(`/admin/tokens/${id}"`) ? name : []))
    }
    expect(await found('')).toEqual(Object.keys(all))
    expect(await found('state=active')).toEqual(['plain', 'soon', 'spent', 'fresh'])
    expect(await found('state=expired')).toEqual(['over'])
    expect(await found('state=off')).toEqual(['off'])
    expect(await found('state=revoked')).toEqual(['revoked'])
    expect(await found('expiring=1')).toEqual(['soon'])
    expect(await found('spent=1')).toEqual(['spent'])
    expect(await found('q=LIST-S')).toEqual(['soon', 'spent'])
    expect(await found(`q=${off.last4}`)).toContain('off')
    expect(await found(`q=${off.id}`)).toEqual(['off'])
    expect(await found('q=nothing-at-all')).toEqual([])
    const { html } = await admin.get(`/admin/tokens?project=${project.id}&state=expired&format=csv`)
    expect(html.trim().split('\r\n')).toHaveLength(2)
    expect(html).toContain(`${over.id},list-over,`)
  })

  it('goes from page to page, each token once', async () => {
    const { project } = await house.token({ name: 'page-0' }, { name: 'paged' })
    for (let i = 1; i < 55; i++) await house.token({ name: `page-${i}`, projectId: project.id })
    const idsIn = (html: string) => [...html.matchAll(/name="token" value="(tok_[^"]+)"/g)].map(([, id]) => id!)
    const first = await admin.get(`/admin/tokens?project=${project.id}`)
    const next = textOf(/href="([^"]+)" rel="next"/.exec(first.html)![1]!)
    const second = await admin.get(next)
    expect([idsIn(first.html).length, idsIn(second.html).length]).toEqual([50, 5])
    expect(new Set([...idsIn(first.html), ...idsIn(second.html)]).size).toBe(55)
    expect(second.html).not.toContain('rel="next"')
    expect(second.html).toContain('First page')
  })
})

describe('revoking several tokens', () => {
  it('shows what would be revoked, and wants their number', async () => {
    const made = [await house.token({ name: 'bulk <b>1' }), await house.token({ name: 'bulk 2' })].map(
      (one) => one.token,
    )
    const gone = (await house.token({ name: 'bulk gone', revokedAt: 1 })).token
    const query = [...made, gone].map(({ id }) => `token=${id}`).join('&')
    const { html } = await admin.get(`/admin/tokens/revoke?${query}`)
    expect(html).toContain('bulk &lt;b&gt;1')
    expect(html).not.toContain('bulk gone')
    expect(html).toContain('Type 2 to confirm')
    const at = textOf(/action="(\/admin\/tokens\/revoke\/confirm[^"]+)"/.exec(html)![1]!)

    const wrong = await admin.post(at, { count: '3' })
    expect(wrong.status).toBe(422)
    expect(wrong.html).toMatch(/f-count-error">must be 2/)
    expect(await Promise.all(made.map(reread))).toEqual(made)

    expect(await admin.post(at, { count: '2' })).toMatchObject({ status: 303, location: '/admin/tokens' })
    for (const token of made) {
      expect((await reread(token)).revokedAt).not.toBeNull()
      const { data } = await house.ctx.store.audit.list({ targetId: token.id, action: 'token.revoke' }, { limit: 5 })
      expect(data).toEqual([expect.objectContaining({ actor: `admin:${admin.user.name}`, outcome: 'success' })])
    }
    expect((await admin.get('/admin/tokens')).html).toContain('2 tokens revoked.')
  })

  it('says what to do where nothing was ticked', async () => {
    const { status, html } = await admin.get('/admin/tokens/revoke')
    expect([status, html.includes('Nothing to revoke')]).toEqual([200, true])
    expect((await admin.post('/admin/tokens/revoke/confirm', { count: '0' })).status).toBe(422)
  })
})

describe('a token', () => {
  it('is switched off with one click, on again with another, and is not let in meanwhile', async () => {
    const { token, secret } = await house.token({ name: 'switched' })
    const models = () => fetch(`${house.baseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } })
    expect(await admin.post(`/admin/tokens/${token.id}/off`)).toMatchObject({
      status: 303,
      location: `/admin/tokens/${token.id}`,
    })
    expect((await models()).status).toBe(401)
    expect((await admin.get(`/admin/tokens/${token.id}`)).html).toContain('switched off')
    await admin.post(`/admin/tokens/${token.id}/on`)
    expect((await models()).status).toBe(200)
  })

  it('is revoked for good, and deleted for good', async () => {
    const { token } = await house.token({ name: 'ended' })
    await admin.post(`/admin/tokens/${token.id}/revoke`)
    const { html } = await admin.get(`/admin/tokens/${token.id}`)
    expect(html).toContain('It was stopped for good')
    expect(html).not.toContain(`/admin/tokens/${token.id}/on"`)
    expect((await admin.post(`/admin/tokens/${token.id}/on`)).status).toBe(409)
    expect((await admin.post(`/admin/tokens/${token.id}/delete`)).location).toBe('/admin/tokens')
    expect((await admin.get(`/admin/tokens/${token.id}`)).status).toBe(404)
  })

  it('is edited without losing what the form does not show: the moment of its end, the reset of a budget', async () => {
    const expiresAt = Date.now() + DAY_MS + 123
    const { token } = await house.token({
      name: 'edited',
      expiresAt,
      budgets: [{ ...budget(5_000_000_000), resetAt: 1_000 }],
    })
    const { html } = await admin.get(`/admin/tokens/${token.id}/edit`)
    const value = (name: string) => textOf(new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(html)![1]!)
    const fields = ['name', 'expires_at', 'budgets.0.limit_usd', 'budgets.0.limit_tokens', 'budgets.0.reset_at']
    const same = Object.fromEntries(fields.map((name) => [name, value(name.replaceAll('.', '\\.'))]))
    const answer = await admin.post(`/admin/tokens/${token.id}/edit/save`, {
      ...same,
      'budgets.0.period': 'month',
      allowed_models: '',
      metadata: '',
      name: 'renamed',
    })
    expect(answer).toMatchObject({ status: 303, location: `/admin/tokens/${token.id}` })
    expect(await reread(token)).toEqual({ ...token, name: 'renamed', updatedAt: expect.any(Number) })
  })

  it('begins a budget anew, but not one that was changed meanwhile', async () => {
    const { token } = await house.token({ name: 'reset', budgets: [budget(1_000_000)] })
    const at = `/admin/tokens/${token.id}/reset-budget`
    expect((await admin.post(at, { index: '0', period: 'day' })).status).toBe(409)
    expect((await admin.post(at, { index: '1', period: 'month' })).status).toBe(409)
    expect((await reread(token)).budgets![0]!.resetAt).toBeNull()
    expect((await admin.post(at, { index: '0', period: 'month' })).status).toBe(303)
    expect((await reread(token)).budgets![0]!.resetAt).toBeGreaterThanOrEqual(token.createdAt)
  })

  it('shows limits with what is used of them, requests, and foreign texts as texts', async () => {
    const { token, secret } = await house.token({
      name: EVIL,
      metadata: { [EVIL]: EVIL },
      maxRequests: 10,
      rateLimit: { requestsPerMinute: 5, tokensPerMinute: null, concurrentRequests: null },
    })
    await fetch(`${house.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'Hi' }] }),
    }).then((answer) => answer.text())
    const { html } = await admin.get(`/admin/tokens/${token.id}`)
    expect(html).not.toContain(EVIL)
    expect(html).toContain('&lt;script&gt;')
    expect(html).toContain('1 of 5 now')
    expect(html).toContain('1 of 10')
    expect(html).not.toContain(token.hash)
  })
})

describe('a viewer', () => {
  it('reads tokens and is offered nothing else, and may do nothing else', async () => {
    const { token } = await house.token({ name: 'looked at', budgets: [budget(1_000_000)] })
    for (const path of ['/admin/tokens', `/admin/tokens/${token.id}`]) {
      const { status, html } = await viewer.get(path)
      expect(status).toBe(200)
      expect(html).not.toMatch(/action="\/admin\/(?:tokens|projects)\/[^"]*\/|tokens\/new|\/edit"|Revoke ticked/)
    }
    for (const path of ['/admin/tokens/new', '/admin/tokens/revoke', `/admin/tokens/${token.id}/edit`])
      expect((await viewer.get(path)).status).toBe(403)
    for (const action of ['off', 'revoke', 'delete', 'edit/save', 'reset-budget'])
      expect((await viewer.post(`/admin/tokens/${token.id}/${action}`)).status).toBe(403)
    expect((await viewer.post('/admin/tokens/new/create', { project_id: await projectId() })).status).toBe(403)
    expect(await reread(token)).toEqual(token)
  })

  it('of one project sees its tokens alone', async () => {
    const { token: own, project } = await house.token({ name: 'own token' }, { name: 'own project' })
    const { token: other } = await house.token({ name: 'foreign token' }, { name: 'foreign project' })
    const restricted = await house.as('viewer', project.id)
    for (const query of ['', '?q=token', '?spent=1', '?format=csv']) {
      const { html } = await restricted.get(`/admin/tokens${query}`)
      expect(html).not.toMatch(/foreign/)
      if (query !== '?spent=1') expect(html).toContain(own.id)
    }
    expect((await restricted.get(`/admin/tokens/${other.id}`)).status).toBe(404)
    expect((await restricted.get(`/admin/tokens?project=${other.projectId}`)).status).toBe(404)
  })
})

it('says how many tokens its spreadsheet has at the most', async () => {
  expect((await admin.get('/admin/tokens')).html).toContain('The newest 20,000 of what the filter gives')
})
