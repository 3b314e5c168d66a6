import { describe, expect, it } from '@jest/globals'
import { findSession, openSession } from '../../../src/domain/admin-sessions.ts'
import { updateAdminUser } from '../../../src/domain/admin-users.ts'
import { findOrCreateOidcUser, type OidcSettings } from '../../../src/domain/oidc-users.ts'
import { actor } from '../given.ts'
import { client, givenDoor } from './given.ts'

const ISSUER = 'https://idp.example.com'
const BY_GROUP = { roleClaim: 'groups', roleMap: { platform: 'owner', eng: 'viewer', ops: 'admin' } } as const

async function given(settings: Partial<OidcSettings> = {}, withOwner = true) {
  const all = await givenDoor()
  if (withOwner) await all.user({ name: 'the owner' })
  const oidc: OidcSettings = {
    issuer: ISSUER,
    clientId: 'llm-proxy',
    clientSecret: null,
    scopes: 'openid',
    nameClaim: 'email',
    roleClaim: null,
    roleMap: {},
    defaultRole: 'viewer',
    ...settings,
  }
  const enter = (claims: object = {}, issuer = ISSUER) =>
    findOrCreateOidcUser({ ...all.parts, oidc }, client, {
      issuer,
      claims: { sub: '42', email: 'ann@example.com', ...claims },
    })
  return {
    ...all,
    enter,
    /** The user, who has to be let in. */
    async found(claims?: object) {
      const result = await enter(claims)
      if (result.outcome !== 'found') throw new Error(result.message)
      return result.user
    },
  }
}

describe('single sign-on', () => {
  it('makes a user, and finds it again whatever it is called by then', async () => {
    const { found, store, audited } = await given()
    const made = await found()
    expect(made).toMatchObject({
      name: 'ann@example.com',
      role: 'viewer',
      passwordHash: null,
      subject: 'https://idp.example.com 42',
    })
    expect(await found()).toEqual(made)
    expect(await found({ email: 'ann.b@example.com' })).toMatchObject({ id: made.id, name: 'ann.b@example.com' })
    expect(await store.adminUsers.count()).toBe(2)
    expect((await audited('admin_user.create')).at(-1)).toMatchObject({ actor: 'admin:ann@example.com', ip: client.ip })
  })

  it('does not take two people of different providers for one', async () => {
    const { found, enter } = await given()
    await found()
    expect(await enter({}, 'https://other.example.com')).toMatchObject({ outcome: 'refused' })
  })

  it.each<[unknown, string | null]>([
    ['platform', 'owner'],
    [['eng', 'ops'], 'admin'],
    [['ops', 'eng', 'platform', 'none'], 'owner'],
    [['eng'], 'viewer'],
    [['none', 7, null, { eng: true }], null],
    ['constructor', null],
    [undefined, null],
    [{ eng: true }, null],
    ['platform,eng', null],
  ])('gives the highest role that the claim maps to: %j → %s', async (groups, role) => {
    const { enter } = await given({ ...BY_GROUP, defaultRole: null })
    const result = await enter({ groups })
    expect(result.outcome === 'found' ? result.user.role : null).toBe(role)
  })

  it('finds roles at a path, and at a claim whose name has dots', async () => {
    const path = await given({ ...BY_GROUP, roleClaim: 'realm_access.roles', defaultRole: null })
    expect(await path.found({ realm_access: { roles: ['ops'] } })).toMatchObject({ role: 'admin' })
    expect(await path.enter({ sub: '43', email: 'b', realm_access: 'ops' })).toMatchObject({ outcome: 'refused' })
    const dotted = await given({ ...BY_GROUP, roleClaim: 'https://llm.example.com/roles', defaultRole: null })
    expect(await dotted.found({ 'https://llm.example.com/roles': ['ops'] })).toMatchObject({ role: 'admin' })
  })

  it('changes the role with the claims at the next sign-in, which ends sessions with the old one', async () => {
    const { found, enter, parts } = await given({ ...BY_GROUP, defaultRole: null })
    const admin = await found({ groups: 'ops' })
    const { secret } = await openSession(parts, admin, 'oidc', client)
    expect(await found({ groups: 'ops' })).toMatchObject({ role: 'admin' })
    expect(await findSession(parts, secret)).not.toBeNull()
    expect(await found({ groups: 'eng' })).toMatchObject({ role: 'viewer' })
    expect(await findSession(parts, secret)).toBeNull()
    expect(await enter({ groups: [] })).toMatchObject({ outcome: 'refused', message: expect.stringMatching(/no role/) })
  })

  it('leaves the role as it was given here where no claim decides it', async () => {
    const { found, parts } = await given({ defaultRole: 'viewer' })
    const { id } = await found()
    await updateAdminUser(parts, actor, id, { role: 'admin' })
    expect(await found()).toMatchObject({ id, role: 'admin' })
  })

  it('keeps the project of a viewer who stays one', async () => {
    const { found, parts, project } = await given({ ...BY_GROUP })
    const { id } = await found({ groups: 'eng' })
    const { id: projectId } = await project()
    await updateAdminUser(parts, actor, id, { project_id: projectId })
    expect(await found({ groups: 'eng', email: 'new@example.com' })).toMatchObject({
      projectId,
      name: 'new@example.com',
    })
    expect(await found({ groups: 'ops' })).toMatchObject({ projectId: null, role: 'admin' })
  })

  it('never takes over a user with a password, and says so', async () => {
    const { user, enter, store, audited } = await given()
    const ann = await user({ role: 'viewer' })
    const refused = { outcome: 'refused', message: expect.stringMatching(/another user of your name/) }
    expect(await enter({ email: 'ANN@example.com', email_verified: true })).toEqual(refused)
    expect(await store.adminUsers.get(ann.id)).toEqual(ann)
    expect((await audited('admin.sign_in')).at(-1)).toMatchObject({
      outcome: 'denied',
      reason: 'name_taken',
      actor: 'anonymous',
      after: { method: 'oidc', sub: '42' },
    })
  })

  it('takes a user who was made without a password, if the provider vouches for the address', async () => {
    const { user, enter, found } = await given()
    const invited = await user({ role: 'admin', password: null })
    expect(await enter()).toMatchObject({ outcome: 'refused' })
    expect(await found({ email_verified: true })).toMatchObject({
      id: invited.id,
      role: 'admin',
      subject: `${ISSUER} 42`,
    })
    expect(await enter({ sub: '43', email_verified: true })).toMatchObject({ outcome: 'refused' })
    const byName = await given({ nameClaim: 'preferred_username' })
    await byName.user({ name: 'bob', role: 'admin', password: null })
    expect(await byName.enter({ preferred_username: 'bob', email_verified: true })).toMatchObject({
      outcome: 'refused',
    })
  })

  it('keeps the old name when another user has the new one', async () => {
    const { found, user } = await given()
    await found()
    await user({ name: 'taken@example.com', role: 'viewer' })
    expect(await found({ email: 'taken@example.com' })).toMatchObject({ name: 'ann@example.com' })
  })

  it.each<[string, object, RegExp]>([
    ['an address that is not verified', { email_verified: false }, /not verified/],
    ['the same, said as text', { email_verified: 'false' }, /not verified/],
    ['no name', { email: undefined }, /did not say your name \(email\)/],
    ['a name of another kind', { email: ['a'] }, /did not say your name/],
    ['a name with a line break', { email: 'a\nb' }, /did not say your name/],
    ['an endless name', { email: 'a'.repeat(151) }, /did not say your name/],
    ['no subject', { sub: '' }, /who you are/],
  ])('refuses %s', async (_what, claims, message) => {
    const { enter, store } = await given()
    expect(await enter(claims)).toEqual({ outcome: 'refused', message: expect.stringMatching(message) })
    expect(await store.adminUsers.count()).toBe(1)
  })

  it('refuses users who are not active', async () => {
    const { found, enter, parts } = await given()
    const { id } = await found()
    await updateAdminUser(parts, actor, id, { is_active: false })
    expect(await enter()).toMatchObject({ outcome: 'refused', message: expect.stringMatching(/not active/) })
  })

  it('does not demote the last owner, who is refused instead', async () => {
    const { found, enter, store } = await given({ ...BY_GROUP, defaultRole: 'viewer' }, false)
    expect(await enter({ groups: 'eng' })).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/no owner yet/),
    })
    const { id } = await found({ groups: 'platform' })
    expect(await enter({ groups: 'eng' })).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/last one/),
    })
    expect(await store.adminUsers.get(id)).toMatchObject({ role: 'owner', isActive: true })
  })
})
