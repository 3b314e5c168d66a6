import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { TOTP } from 'otpauth'
import { browserName } from '../../src/admin/settings/browser-name.ts'
import { createAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { beginTotp, confirmTotp } from '../../src/domain/totp.ts'
import { PASSWORD, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const XSS = '<script>alert(1)</script>'
let house: TestConsole
let owner: Visitor

beforeEach(async () => {
  house = await startConsole()
  owner = await house.as('owner')
})
afterEach(() => house.stop())

const users = () => house.ctx.store.adminUsers
const page = (id: string) => `/admin/settings/users/${id}`
const ann = (role = 'viewer') =>
  createAdminUser(house.ctx, SYSTEM, { name: 'ann@example.com', role, password: PASSWORD })
const audited = async (action: string) => (await house.ctx.store.audit.list({ action }, { limit: 10 })).data
/** Signs in with the form. */
const signIn = async (name: string, password = PASSWORD) => {
  const visitor = house.stranger()
  await visitor.post('/admin/sign-in', { name, password })
  return visitor
}
const isIn = async (visitor: Visitor) => (await visitor.get('/admin')).status === 200

describe('users', () => {
  it('are added with a role and a password, and can sign in at once', async () => {
    const answer = await owner.post('/admin/settings/users/create', {
      name: 'ann@example.com',
      role: 'admin',
      project_id: '',
      password: PASSWORD,
    })
    const user = (await users().findByName('ann@example.com'))!
    expect(answer).toMatchObject({ status: 303, location: page(user.id) })
    expect(user).toMatchObject({ role: 'admin', projectId: null, isActive: true })
    expect(await isIn(await signIn('ann@example.com'))).toBe(true)
    expect(await audited('admin_user.create')).toContainEqual(
      expect.objectContaining({ actor: `admin:${owner.user.name}`, targetId: user.id }),
    )
  })

  it('without a password wait for single sign-on; viewers may see one project alone', async () => {
    const { project } = await house.token({}, { name: 'Billing' })
    await owner.post('/admin/settings/users/create', {
      name: 'ben@example.com',
      role: 'viewer',
      project_id: project.id,
      password: '',
    })
    expect(await users().findByName('ben@example.com')).toMatchObject({ projectId: project.id, passwordHash: null })
    const { html } = await owner.get('/admin/settings/users')
    expect(html).toContain('Billing')
    expect(html).toContain('single sign-on, not yet')
  })

  it.each([
    ['password', { name: 'ann@example.com', role: 'viewer', password: 'short' }, 'password'],
    ['name that is taken', { name: 'owner-1@example.com', role: 'viewer', password: PASSWORD }, 'name'],
    ['project for one who is no viewer', { name: 'ann@example.com', role: 'admin', project_id: 'x' }, 'project-id'],
  ])(
    'that are refused for their %s keep what was typed, and the reason stands at the field',
    async (_why, fields, at) => {
      const { project } = await house.token({}, { name: 'Billing' })
      const sent = 'project_id' in fields ? { ...fields, project_id: project.id } : fields
      const answer = await owner.post('/admin/settings/users/create', { password: '', ...sent })
      expect([409, 422]).toContain(answer.status)
      expect(answer.html).toMatch(new RegExp(`id="f-${at.replace('-', '[-_]')}-error"`))
      expect(answer.html).toContain(`value="${fields.name}"`)
      expect(answer.html).not.toContain(PASSWORD)
    },
  )

  it('are changed, which signs them out where their role is another', async () => {
    const user = await ann()
    const visitor = await signIn(user.name)
    expect(await isIn(visitor)).toBe(true)
    const answer = await owner.post(`${page(user.id)}/edit`, {
      name: 'anna@example.com',
      role: 'admin',
      project_id: '',
    })
    expect(answer).toMatchObject({ status: 303, location: page(user.id) })
    expect(await users().get(user.id)).toMatchObject({ name: 'anna@example.com', role: 'admin' })
    expect(await isIn(visitor)).toBe(false)
  })

  it('get another password, which ends their sessions', async () => {
    const user = await ann()
    const visitor = await signIn(user.name)
    await owner.post(`${page(user.id)}/password`, { password: 'another lantern at sea 7' })
    expect(await isIn(visitor)).toBe(false)
    expect(await isIn(await signIn(user.name))).toBe(false)
    expect(await isIn(await signIn(user.name, 'another lantern at sea 7'))).toBe(true)
    const weak = await owner.post(`${page(user.id)}/password`, { password: 'short' })
    expect(weak.status).toBe(422)
    expect(weak.html).toContain('f-new-password-error')
  })

  it('are switched off and on, deleted, and signed out', async () => {
    const user = await ann()
    const visitor = await signIn(user.name)
    await owner.post(`${page(user.id)}/sign-out`)
    expect(await isIn(visitor)).toBe(false)
    await owner.post(`${page(user.id)}/switch-off`)
    expect(await isIn(await signIn(user.name))).toBe(false)
    await owner.post(`${page(user.id)}/switch-on`)
    expect(await isIn(await signIn(user.name))).toBe(true)
    const gone = await owner.post(`${page(user.id)}/delete`)
    expect(gone).toMatchObject({ status: 303, location: '/admin/settings/users' })
    expect(await users().get(user.id)).toBeNull()
    expect((await owner.get(page(user.id))).status).toBe(404)
  })

  it('lose a second factor that they have lost', async () => {
    const user = await ann()
    const { secret } = await beginTotp(user)
    await confirmTotp(house.ctx, SYSTEM, user, secret, new TOTP({ secret }).generate())
    expect((await owner.get(page(user.id))).html).toContain('10 recovery codes left')
    await owner.post(`${page(user.id)}/remove-second-factor`)
    expect(await users().get(user.id)).toMatchObject({ totpSealed: null, recoveryHashes: [] })
  })

  it.each([
    ['deleted', 'delete', {}],
    ['switched off', 'switch-off', {}],
    ['made a viewer', 'edit', { name: 'owner-1@example.com', role: 'viewer', project_id: '' }],
  ])('keep their last owner, who cannot be %s', async (_what, action, fields) => {
    const answer = await owner.post(`${page(owner.user.id)}/${action}`, fields as Record<string, string>)
    expect(answer.status).toBe(409)
    expect(answer.html).toContain('This is the last active owner: make another user an owner before.')
    expect(await users().get(owner.user.id)).toMatchObject({ role: 'owner', isActive: true })
  })

  it('with hostile names are shown as text, everywhere', async () => {
    const user = await createAdminUser(house.ctx, SYSTEM, { name: XSS, role: 'viewer', password: PASSWORD })
    await signIn(XSS)
    for (const path of ['/admin/settings/users', page(user.id), '/admin/settings/sessions', '/admin/audit']) {
      const { html } = await owner.get(path)
      expect(html).toContain('&lt;script&gt;alert(1)')
      expect(html).not.toContain(XSS)
    }
  })

  it('are a spreadsheet too, without anything secret', async () => {
    const { html } = await owner.get('/admin/settings/users?format=csv')
    expect(html.split('\r\n')[0]).toBe('id,name,role,project_id,is_active,second_factor,last_sign_in_at,created_at')
    expect(html).not.toContain('argon2')
  })

  it.each(['admin', 'viewer'] as const)('are neither seen nor changed by a %s', async (role) => {
    const visitor = await house.as(role)
    expect((await visitor.get('/admin/settings/users')).status).toBe(403)
    expect((await visitor.get(page(owner.user.id))).status).toBe(403)
    expect((await visitor.post(`${page(visitor.user.id)}/edit`, { role: 'owner' })).status).toBe(403)
    expect(await users().get(visitor.user.id)).toMatchObject({ role })
  })
})

describe('sessions', () => {
  it('are listed with user, address and browser, and ended one by one', async () => {
    const user = await ann()
    const visitor = await signIn(user.name)
    const { html } = await owner.get('/admin/settings/sessions')
    expect(html).toContain('ann@example.com')
    expect(html).toContain('127.0.0.1')
    expect(html).toContain('this one')
    const [session] = (await house.ctx.store.adminSessions.list({ userId: user.id }, { limit: 1 })).data
    await owner.post('/admin/settings/sessions/revoke', { id: session!.id })
    expect(await isIn(visitor)).toBe(false)
    const again = await owner.post('/admin/settings/sessions/revoke', { id: session!.id })
    expect(again.status).toBe(303)
    expect((await owner.get(again.location!)).html).toContain('had ended already')
  })

  it('are all ended but the own one', async () => {
    const others = [await house.as('admin'), await house.as('viewer'), await signIn(owner.user.name)]
    await owner.post('/admin/settings/sessions/revoke-others')
    for (const other of others) expect(await isIn(other)).toBe(false)
    expect(await isIn(owner)).toBe(true)
  })

  it('name the browser where it is known', () => {
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
    expect(browserName(chrome)).toBe('Chrome on Linux')
    expect(browserName(`${chrome} Edg/140.0`)).toBe('Edge on Linux')
    expect(browserName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe(
      'Safari on iOS',
    )
    expect(browserName(XSS)).toBe(XSS)
    expect(browserName(null)).toBe('unknown')
  })
})
