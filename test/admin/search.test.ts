import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SYSTEM } from '../../src/domain/audit.ts'
import { addProviderKey } from '../../src/domain/provider-keys.ts'
import { generateToken } from '../../src/domain/secrets.ts'
import type { Project, Token } from '../../src/store/store.ts'
import { aRequest, keep, startConsole, type TestConsole, type Visitor } from './helpers.ts'

let house: TestConsole
let owner: Visitor
let viewer: Visitor
let shop: { secret: string; token: Token; project: Project }
let other: typeof shop
const row = aRequest({ model: 'gpt-4o-mini' })

beforeAll(async () => {
  house = await startConsole()
  shop = await house.token({ name: 'billing bot' }, { name: 'Shop' })
  other = await house.token({ name: 'Foreign bot' }, { name: 'Foreign project' })
  await keep(house, [{ ...row, tokenId: other.token.id, projectId: other.project.id }])
  owner = await house.as('owner')
  viewer = await house.as('viewer', shop.project.id)
}, 60_000)
afterAll(() => house.stop())

const search = (visitor: Visitor, q: string) => visitor.get(`/admin/search?q=${encodeURIComponent(q)}`)

describe('the search', () => {
  it('leads from an id straight to its page', async () => {
    for (const [id, path] of [
      [shop.token.id, `/admin/tokens/${shop.token.id}`],
      [shop.project.id, `/admin/projects/${shop.project.id}`],
      [row.requestId, `/admin/requests/${row.requestId}`],
      [` ${row.requestId} `, `/admin/requests/${row.requestId}`],
    ] as const)
      expect(await search(owner, id)).toMatchObject({ status: 303, location: path })
    expect((await owner.get(`/admin/requests/${row.requestId}`)).status).toBe(200)
  })

  it('leads from the id of a provider key to its project', async () => {
    const parts = { ...house.ctx, providerNames: ['openai'], defaultProvider: 'openai' }
    const key = await addProviderKey(parts, SYSTEM, shop.project.id, {
      provider: 'openai',
      key: 'sk-example-of-a-key-0001',
    })
    expect(await search(owner, key.id)).toMatchObject({ status: 303, location: `/admin/projects/${shop.project.id}` })
  })

  it('finds a token by itself, and shows and logs it nowhere', async () => {
    const found = await search(owner, shop.secret)
    expect(found).toMatchObject({ status: 303, location: `/admin/tokens/${shop.token.id}` })
    const unknown = generateToken()
    const missed = await search(owner, unknown)
    expect(missed.location).toBe('/admin/search?secret=1')
    const { html } = await owner.get(missed.location!)
    expect(html).toContain('no token of this gateway')
    const away = await search(house.stranger(), shop.secret)
    expect(away.status).toBe(303)
    for (const text of [html, away.location!, decodeURIComponent(away.location!), found.location!, house.logs()]) {
      expect(text).not.toContain(unknown)
      expect(text).not.toContain(shop.secret)
    }
  })

  it('finds projects, tokens and models by a part of their names, in any case', async () => {
    expect((await search(owner, 'SHO')).html).toContain(`href="/admin/projects/${shop.project.id}">Shop<`)
    expect((await search(owner, 'Billing')).html).toContain(`href="/admin/tokens/${shop.token.id}">billing bot<`)
    expect((await search(owner, shop.token.last4)).html).toContain(`href="/admin/tokens/${shop.token.id}"`)
    expect((await search(owner, '4o-mini')).html).toContain('href="/admin/requests?model=gpt-4o-mini"')
  })

  it('says when there is nothing, and what it looked for', async () => {
    expect((await search(owner, 'nobody')).html).toContain('has “nobody” in its name')
    expect((await search(owner, 'req_0000000000000000000000000')).html).toContain('There is no such request')
    expect((await search(owner, 'tok_gone')).html).toContain('href="/admin/requests?token=tok_gone"')
    expect((await owner.get('/admin/search')).html).toContain('Look for anything')
    const { html } = await search(owner, '<script>alert(1)</script>')
    expect(html).not.toContain('<script>alert')
  })

  it('of a viewer of one project finds nothing of others', async () => {
    for (const q of [other.token.id, other.project.id, row.requestId, 'Foreign', 'gpt-4o', 'bot']) {
      const { status, html } = await search(viewer, q)
      expect(status).toBe(200)
      expect(html).not.toMatch(/Foreign (bot|project)|gpt-4o-mini/)
    }
    expect((await search(viewer, other.secret)).location).toBe('/admin/search?secret=1')
    expect((await search(viewer, 'bot')).html).toContain('billing bot')
  })
})
