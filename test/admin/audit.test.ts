import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { compare } from '../../src/admin/audit/compare.ts'
import { updateProject } from '../../src/domain/projects.ts'
import { deleteToken, updateToken } from '../../src/domain/tokens.ts'
import type { AuditEntry, Project, Token } from '../../src/store/store.ts'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'

const XSS = '<script>alert(1)</script>'
let house: TestConsole
let viewer: Visitor
let project: Project
let token: Token

const ada = { name: 'admin:ada', ip: '10.0.0.7', userAgent: XSS }

beforeAll(async () => {
  house = await startConsole()
  viewer = await house.as('viewer')
  ;({ token, project } = await house.token({ name: `bot ${XSS}` }, { name: 'Billing' }))
  const { token: gone } = await house.token()
  const parts = { ...house.ctx, providerNames: ['openai'], defaultProvider: 'openai' }
  await updateProject(parts, ada, project.id, {
    name: `Invoices ${XSS}`,
    rate_limit: { requests_per_minute: 60 },
    metadata: { [XSS]: XSS },
  })
  await updateToken(parts, ada, token.id, { max_requests: 5 })
  await deleteToken(parts, ada, gone.id)
})
afterAll(() => house.stop())

const show = async (query = '') => (await viewer.get(`/admin/audit${query}`)).html
const actionsIn = (html: string) => [...html.matchAll(/<code>([a-z_]+\.[a-z_]+)<\/code><\/a><\/td>/g)].map(([, a]) => a)

describe('the audit log', () => {
  it('says who did what, newest first, with the names of what is still there', async () => {
    const html = await show('?actor=admin%3Aada')
    expect(actionsIn(html)).toEqual(['token.delete', 'token.update', 'project.update'])
    expect(html).toContain(`href="/admin/tokens/${token.id}"`)
    expect(html).toContain(`href="/admin/projects/${project.id}"`)
    expect(html).toContain('Invoices &lt;script&gt;')
    expect(html).toContain('10.0.0.7, &lt;script&gt;alert(1)&lt;/script&gt;')
    expect(html).not.toContain(XSS)
  })

  it('shows what was before beside what came after, and marks what changed', async () => {
    const html = await show('?action=project.update')
    expect(html).toMatch(/<code>name<\/code> <span class="badge info">changed<\/span>/)
    expect(html).toContain('<del>Billing</del>')
    expect(html).toContain('<ins>Invoices &lt;script&gt;')
    expect(html).toMatch(/<code>rate_limit.requests_per_minute<\/code> <span class="badge info">changed/)
    expect(html).toMatch(/<code>id<\/code>\s*<\/th>\s*<td>proj_/)
  })

  it.each([
    ['action', () => 'token.update', ['token.update']],
    ['target', () => token.id, ['token.update']],
    ['outcome', () => 'failure', []],
  ])('is narrowed by %s', async (name, value, expected) => {
    expect(actionsIn(await show(`?actor=admin%3Aada&${name}=${encodeURIComponent(value())}`))).toEqual(expected)
  })

  it('is narrowed by project and time, and says when nothing fits', async () => {
    const html = await show(`?actor=admin%3Aada&project=${project.id}`)
    expect(actionsIn(html)).toEqual(['token.update', 'project.update'])
    const minute = (offset: number) => new Date(Date.now() + offset).toISOString().slice(0, 16)
    expect(actionsIn(await show(`?actor=admin%3Aada&from=${minute(-120_000)}&to=${minute(120_000)}`))).toHaveLength(3)
    const empty = await show(`?actor=admin%3Aada&to=${minute(-120_000)}`)
    expect(actionsIn(empty)).toEqual([])
    expect(empty).toContain('No entry fits these filters')
  })

  it('says how to write a time that it cannot read', async () => {
    const answer = await viewer.get('/admin/audit?from=yesterday')
    expect(answer.status).toBe(400)
    expect(answer.html).toContain('write it as 2026-11-21T14:00')
  })

  it('goes on page by page, without a row twice or left out', async () => {
    for (let i = 0; i < 120; i++) await house.ctx.store.audit.append(entry(i))
    const seen: string[] = []
    let next: string | undefined = '/admin/audit?actor=pager'
    for (let pages = 0; next !== undefined && pages < 5; pages++) {
      const { html }: { html: string } = await viewer.get(next)
      seen.push(...[...html.matchAll(/<dt>Entry<\/dt><dd><code>(aud_\d+)</g)].map(([, id]) => id!))
      next = /href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => `aud_${119 - i}`))
  })

  it('is a spreadsheet too, with the same filters', async () => {
    const answer = await viewer.get('/admin/audit?actor=admin%3Aada&format=csv')
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
    const [head, ...rows] = answer.html.trim().split('\r\n')
    expect(head).toBe('id,at,actor,ip,user_agent,action,target_id,project_id,outcome,reason,before,after')
    expect(rows).toHaveLength(3)
    const paged = (await viewer.get('/admin/audit?actor=pager&format=csv&after=aud_50')).html.trim().split('\r\n')
    expect(paged).toHaveLength(121)
  })

  it('is not for who sees one project alone', async () => {
    const restricted = await house.as('viewer', project.id)
    expect((await restricted.get('/admin/audit')).status).toBe(403)
    expect((await restricted.get('/admin')).html).not.toContain('href="/admin/audit"')
  })
})

describe('a comparison', () => {
  it('puts what changed first, by paths, and tells none from nothing', () => {
    expect(compare({ a: 1, b: null, c: { d: [1, 2] } }, { a: 1, b: 'x', c: { d: [1], e: [] } })).toEqual([
      { field: 'b', before: 'none', after: 'x', isChanged: true },
      { field: 'c.d', before: '1, 2', after: '1', isChanged: true },
      { field: 'c.e', after: 'none', isChanged: true },
      { field: 'a', before: '1', after: '1', isChanged: false },
    ])
  })

  it('tells what a field became, without the nothing that it was', () => {
    expect(compare({ limit: null, metadata: { team: 'a' } }, { limit: { rpm: 60 }, metadata: {} })).toEqual([
      { field: 'metadata.team', before: 'a', isChanged: true },
      { field: 'limit.rpm', after: '60', isChanged: true },
    ])
  })

  it('marks nothing where there was nothing before, and has an end', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, 'x'.repeat(5000)]))
    const found = compare(null, many)
    expect(found).toHaveLength(200)
    expect(found.every(({ isChanged, after }) => !isChanged && after!.length <= 2001)).toBe(true)
  })
})

const entry = (i: number): AuditEntry => ({
  id: `aud_${i}`,
  at: Date.now() - 10_000 + i,
  actor: 'pager',
  ip: null,
  userAgent: null,
  action: 'test.page',
  targetId: null,
  projectId: null,
  outcome: 'success',
  reason: null,
  before: null,
  after: null,
})
