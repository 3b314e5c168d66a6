import { describe, expect, it } from '@jest/globals'
import { findSession, openSession } from '../../../src/domain/admin-sessions.ts'
import {
  changeOwnPassword,
  createAdminUser,
  createFirstAdmin,
  deleteAdminUser,
  updateAdminUser,
} from '../../../src/domain/admin-users.ts'
import { verifyPassword } from '../../../src/domain/passwords.ts'
import { deleteProject } from '../../../src/domain/projects.ts'
import { aStamp } from '../../store/samples.ts'
import { actor, expectInvalid } from '../given.ts'
import { client, givenDoor, PASSWORD } from './given.ts'

const OTHER = 'quite another password'

describe('admin users', () => {
  it('are created with a hashed password, and audited without it', async () => {
    const { user, audited } = await givenDoor()
    const ann = await user()
    expect(ann).toMatchObject({
      name: 'ann@example.com',
      role: 'owner',
      projectId: null,
      isActive: true,
      subject: null,
    })
    expect(await verifyPassword(ann.passwordHash!, PASSWORD)).toBe(true)
    const rows = await audited('admin_user.create')
    expect(rows).toMatchObject([
      { actor: 'cli', targetId: ann.id, after: { name: 'ann@example.com', hasPassword: true } },
    ])
    expect(JSON.stringify(rows)).not.toMatch(/argon2|fine long/)
  })

  it('begin with an owner', async () => {
    const { user, store } = await givenDoor()
    const reason = 'must be owner: the first admin user is an active owner'
    await expectInvalid(user({ role: 'admin' }), { role: reason })
    await expectInvalid(user({ is_active: false }), { role: reason })
    expect(await store.adminUsers.count()).toBe(0)
  })

  it.each<[string, object, Record<string, string>]>([
    ['a short password', { password: 'short' }, { password: 'must have at least 12 characters' }],
    ['the name for a password', { password: 'bob@example.com' }, { password: 'must not be the user name' }],
    ['no name', { name: ' ' }, { name: 'must not be empty' }],
    ['a name with a line break', { name: 'a\nb' }, { name: 'must not contain control characters' }],
    ['an unknown role', { role: 'root' }, { role: 'must be one of owner, admin, viewer' }],
    ['a project for an admin', { role: 'admin', project_id: 'proj_1' }, { project_id: 'is for viewers only' }],
    ['a project that is none', { project_id: 'proj_1' }, { project_id: 'is not the id of a project' }],
    ['what is written by the gateway alone', { subject: 'x' }, { subject: 'is not a known field' }],
  ])('are refused with %s', async (_what, fields, reasons) => {
    const { user, store, audited } = await givenDoor()
    await user()
    await expectInvalid(user({ name: 'bob@example.com', role: 'viewer', ...fields }), reasons)
    expect(await store.adminUsers.count()).toBe(1)
    expect((await audited('admin_user.create')).at(-1)).toMatchObject({
      outcome: 'failure',
      reason: 'validation_failed',
    })
  })

  it('have names that are unique without regard to case', async () => {
    const { user, parts } = await givenDoor()
    await user()
    const taken = { code: 'conflict', param: 'name', message: 'There is already an admin user with this name.' }
    await expect(user({ name: 'ANN@example.com' })).rejects.toMatchObject(taken)
    const bob = await user({ name: 'bob', role: 'viewer' })
    await expect(updateAdminUser(parts, actor, bob.id, { name: 'Ann@Example.Com' })).rejects.toMatchObject(taken)
    expect(await updateAdminUser(parts, actor, bob.id, { name: 'BOB' })).toMatchObject({ name: 'BOB' })
  })

  it('that are the first come once, through whatever door', async () => {
    const { parts } = await givenDoor()
    const first = () => createFirstAdmin(parts, actor, { name: `n${Math.random()}`, password: PASSWORD })
    const results = await Promise.allSettled([first(), first(), first()])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(first()).rejects.toMatchObject({ code: 'conflict' })
    expect((await parts.store.adminUsers.list({ limit: 9 })).data).toMatchObject([{ role: 'owner' }])
  })

  it('who become more than viewers leave their project', async () => {
    const { user, parts, project } = await givenDoor()
    await user()
    const { id: projectId } = await project()
    const { id } = await user({ name: 'bob', role: 'viewer', project_id: projectId })
    await expectInvalid(updateAdminUser(parts, actor, id, { role: 'admin', project_id: projectId }), {
      project_id: 'is for viewers only',
    })
    expect(await updateAdminUser(parts, actor, id, { role: 'admin' })).toMatchObject({ role: 'admin', projectId: null })
  })

  it('whose project was deleted can still be changed, and stay with it', async () => {
    const { user, parts, project, store } = await givenDoor()
    await user()
    const { id: projectId } = await project()
    const { id } = await user({ name: 'bob', role: 'viewer', project_id: projectId })
    await deleteProject({ store, now: parts.now }, actor, projectId)
    expect(await updateAdminUser(parts, actor, id, { name: 'bobby' })).toMatchObject({ name: 'bobby', projectId })
  })

  it('keep the last active owner, with a sentence that says what to do', async () => {
    const { user, parts } = await givenDoor()
    const { id } = await user()
    const last = { code: 'conflict', message: 'This is the last active owner: make another user an owner before.' }
    await expect(updateAdminUser(parts, actor, id, { role: 'admin' })).rejects.toMatchObject(last)
    await expect(updateAdminUser(parts, actor, id, { is_active: false })).rejects.toMatchObject(last)
    await expect(deleteAdminUser(parts, actor, id)).rejects.toMatchObject(last)
    await user({ name: 'second' })
    expect(await deleteAdminUser(parts, actor, id)).toBe(true)
    expect(await deleteAdminUser(parts, actor, id)).toBe(false)
    await expect(updateAdminUser(parts, actor, id, { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('lose their sessions with a new password given by an owner', async () => {
    const { user, parts } = await givenDoor()
    const ann = await user()
    const { secret } = await openSession(parts, ann, 'password', client)
    const after = await updateAdminUser(parts, actor, ann.id, { password: OTHER })
    expect(await verifyPassword(after.passwordHash!, OTHER)).toBe(true)
    expect(await findSession(parts, secret)).toBeNull()
  })

  it('lose their second factor when an owner says so', async () => {
    const { user, parts, store } = await givenDoor()
    const { id } = await user()
    const patch = { totpSealed: 'x', totpLastStep: 5, recoveryHashes: ['y'] }
    await store.adminUsers.update(id, patch, 0, aStamp())
    await updateAdminUser(parts, actor, id, { second_factor: false })
    expect(await store.adminUsers.get(id)).toMatchObject({ totpSealed: null, totpLastStep: null, recoveryHashes: [] })
    await expectInvalid(updateAdminUser(parts, actor, id, { second_factor: true }), {
      second_factor: 'must be one of false',
    })
  })
})

describe('changing one’s own password', () => {
  it('needs the old one, keeps the session at work and ends the others', async () => {
    const { user, parts, audited } = await givenDoor()
    const ann = await user()
    const [here, there] = [
      await openSession(parts, ann, 'password', client),
      await openSession(parts, ann, 'password', client),
    ]
    const change = (current_password: string, new_password: string) =>
      changeOwnPassword(
        parts,
        { name: 'admin:ann', ...client },
        ann,
        { current_password, new_password },
        here.session.id,
      )
    await expectInvalid(change('wrong', OTHER), { current_password: 'is not your password' })
    await expectInvalid(change(PASSWORD, 'short'), { new_password: 'must have at least 12 characters' })
    const after = await change(PASSWORD, OTHER)
    expect(await verifyPassword(after.passwordHash!, OTHER)).toBe(true)
    expect(await findSession(parts, here.secret)).not.toBeNull()
    expect(await findSession(parts, there.secret)).toBeNull()
    const rows = await audited('admin_user.change_password')
    expect(rows.map(({ outcome }) => outcome)).toEqual(['failure', 'failure', 'success'])
    expect(rows[2]).toMatchObject({ actor: 'admin:ann', after: { passwordChanged: true, sessionsEnded: 1 } })
  })

  it('is no way to guess it', async () => {
    const { user, parts } = await givenDoor()
    const ann = await user()
    const guess = (current_password: string) =>
      changeOwnPassword(parts, { name: 'admin:ann', ...client }, ann, { current_password, new_password: OTHER }, null)
    const guesses = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => guess(`guess ${i}`)))
    const codes = guesses.map((guess) => (guess as PromiseRejectedResult).reason.code)
    expect(codes.filter((code) => code === 'validation_failed')).toHaveLength(3)
    expect(codes.filter((code) => code === 'rate_limit_exceeded')).toHaveLength(17)
    await expect(guess(PASSWORD)).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': '1' },
    })
  })

  it('is not for users of single sign-on', async () => {
    const { user, parts } = await givenDoor()
    await user()
    const sso = await user({ name: 'sso', role: 'viewer', password: null })
    const input = { current_password: 'x', new_password: OTHER }
    await expect(changeOwnPassword(parts, actor, sso, input, null)).rejects.toMatchObject({ code: 'conflict' })
  })
})

it('creating users makes ids of their own kind', async () => {
  const { parts } = await givenDoor()
  const { id } = await createAdminUser(parts, actor, { name: 'a', role: 'owner', password: PASSWORD })
  expect(id).toMatch(/^usr_/)
})
