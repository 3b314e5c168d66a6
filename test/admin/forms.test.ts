import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'

let house: TestConsole
let owner: Visitor
const made = async (name: string) => (await house.ctx.store.projects.findByName(name)) !== null

beforeAll(async () => {
  house = await startConsole()
  owner = await house.as('owner')
})
afterAll(() => house.stop())

describe('a form', () => {
  it('acts and goes on to a page, with a word of what was done that is shown once', async () => {
    const done = await owner.post('/admin/projects/new/create', { name: 'From a form' })
    expect(done.status).toBe(303)
    expect(await made('From a form')).toBe(true)
    expect((await owner.get(done.location!)).html).toContain('class="toast"')
    expect((await owner.get(done.location!)).html).not.toContain('class="toast"')
  })

  it('is recorded in the audit log under the name of who sent it', async () => {
    await owner.post('/admin/projects/new/create', { name: 'Audited' })
    const { data } = await house.ctx.store.audit.list({ action: 'project.create' }, { limit: 1 })
    expect(data[0]).toMatchObject({ actor: `admin:${owner.user.name}`, outcome: 'success', after: { name: 'Audited' } })
  })

  it.each([
    ['without its token', { _csrf: '' }, {}],
    ['with a token of somebody else', { _csrf: 'other' }, {}],
    ['from another site, by its origin', {}, { origin: 'https://evil.example' }],
    ['from a sandbox', {}, { origin: 'null' }],
    ['from another site, as the browser says', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from a neighbour of the same domain', {}, { 'sec-fetch-site': 'same-site' }],
  ])('is refused %s, and changes nothing', async (_how, fields: { _csrf?: string }, headers) => {
    const other = await house.as('owner')
    const token = fields._csrf === 'other' ? { _csrf: await other.csrf() } : fields
    const answer = await owner.post('/admin/projects/new/create', { name: 'forged', ...token }, headers)
    expect(answer.status).toBe(403)
    expect(answer.html).toContain('Nothing was changed')
    expect(await made('forged')).toBe(false)
  })

  it('comes from the public address where a proxy gives the request another host', async () => {
    const { config } = house.ctx
    const behind = await startConsole({
      config: { admin: { ...config.admin, publicUrl: 'https://llm.example.com' } },
    })
    try {
      const admin = await behind.as('admin')
      const send = (origin: string) => admin.post('/admin/projects/new/create', { name: origin }, { origin })
      expect((await send('https://llm.example.com')).status).toBe(303)
      expect((await send('https://llm.example.com.evil.example')).status).toBe(403)
      expect((await send('null')).status).toBe(403)
    } finally {
      await behind.stop()
    }
  })

  it('says what is wrong at the field, and keeps what was typed', async () => {
    const answer = await owner.post('/admin/projects/new/create', { name: '', metadata: '{"broken' })
    expect(answer.status).toBe(422)
    expect(answer.html).toContain('{&#34;broken')
    expect(answer.html).toMatch(/aria-invalid="true"/)
    expect(answer.html).toContain('role="alert"')
  })

  it.each([
    ['of a megabyte', 'x'.repeat(300_000), 413],
    ['with a thousand fields', undefined, 400],
  ])('%s is refused in words', async (_what, name, status) => {
    const fields: Record<string, string> =
      name === undefined ? Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, '1'])) : { name }
    const answer = await owner.post('/admin/projects/new/create', fields)
    expect(answer.status).toBe(status)
    expect(answer.html).toContain('<h1>')
  })

  it('sent again with a reload comes back to the page it was on', async () => {
    expect(await owner.get('/admin/projects/new/create')).toMatchObject({
      status: 303,
      location: '/admin/projects/new',
    })
  })
})

describe('every page', () => {
  it('forbids scripts and styles that are not files of its own, frames around it, and keeping it', async () => {
    for (const visitor of [owner, house.stranger()]) {
      const { headers } = await visitor.get(visitor === owner ? '/admin' : '/admin/sign-in')
      const policy = Object.fromEntries(
        headers
          .get('content-security-policy')!
          .split(';')
          .map((one) => one.trim().split(/ (.*)/s) as [string, string]),
      )
      expect(policy).toMatchObject({
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self'",
        'form-action': "'self'",
        'base-uri': "'none'",
        'frame-ancestors': "'none'",
      })
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  it('names what is not there, in words', async () => {
    const answer = await owner.get('/admin/nothing-here')
    expect(answer.status).toBe(404)
    expect(answer.html).toContain('There is no such page.')
  })

  it('is dark, light, or like the system, as the visitor says', async () => {
    const visitor = await house.as('viewer')
    expect((await visitor.get('/admin')).html).toContain('data-theme="auto"')
    const back = await visitor.post('/admin/theme', { theme: 'dark', to: '/admin/projects' })
    expect(back).toMatchObject({ status: 303, location: '/admin/projects' })
    expect((await visitor.get('/admin')).html).toContain('data-theme="dark"')
    await visitor.post('/admin/theme', { theme: '"><script>', to: 'https://evil.example' })
    expect((await visitor.get('/admin')).html).toContain('data-theme="auto"')
  })

  it('loads files that are named by their content, and may be kept for good', async () => {
    const { html } = await owner.get('/admin')
    const files = [...html.matchAll(/(?:src|href)="(\/admin\/assets\/[^"]+)"/g)].map(([, file]) => file!)
    expect(files.length).toBeGreaterThan(4)
    for (const file of files) {
      const answer = await house.stranger().get(file)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    }
    expect((await house.stranger().get('/admin/assets/../../package.json')).status).not.toBe(200)
    expect((await house.stranger().get('/admin/assets/%2e%2e%2fadmin.ts')).status).not.toBe(200)
  })
})

describe('the whole console', () => {
  it('can be switched off', async () => {
    const off = await startConsole({ config: { admin: { ...house.ctx.config.admin, enabled: false } } })
    try {
      expect((await off.stranger().get('/admin')).status).toBe(404)
      expect(await off.stranger().get('/')).toMatchObject({ status: 302, location: '/docs' })
    } finally {
      await off.stop()
    }
  })
})
