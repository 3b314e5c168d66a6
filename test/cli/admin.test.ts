import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { verifyPassword } from '../../src/domain/passwords.ts'
import { openStore } from '../../src/store/open.ts'
import { given, givenGateway } from './given.ts'

const PASSWORD = 'a fine long password'
const stdin = `${PASSWORD}\n`
const OWNER = 'admin create ann@example.com --password-stdin'

describe('llm-proxy admin', () => {
  it('makes an owner of the first and a viewer of the next, with a password from stdin', async () => {
    const { print, json, dataDir } = given()
    expect(await print(OWNER, { stdin })).toMatch(/^Created the owner ann@example\.com \(usr_[\w-]+\)\.$/)
    expect(await json('admin create bob --password-stdin', { stdin })).toMatchObject({
      role: 'viewer',
      has_password: true,
    })
    expect(await json('admin create sso --role admin --single-sign-on')).toMatchObject({ has_password: false })
    const store = await openStore({ dataDir })
    const ann = (await store.adminUsers.findByName('ann@example.com'))!
    expect(await verifyPassword(ann.passwordHash!, PASSWORD)).toBe(true)
    expect((await store.audit.list({ action: 'admin_user.create' }, { limit: 9 })).data).toMatchObject(
      Array(3).fill({ actor: 'cli', outcome: 'success' }),
    )
    await store.close()
    expect(await print('admin list')).toMatch(
      /^NAME +ROLE +PROJECT +STATE +SIGNS IN WITH .*\nsso +admin +– +active +single sign-on .*\nbob +viewer .*\nann@example\.com +owner +– +active +password /,
    )
  })

  it('asks for the password twice at a terminal, and shows nothing of it', async () => {
    const { terminal, json } = given()
    const type = async (first: string, second: string) => {
      const { types, sees, ended, screen, errors } = terminal('admin create ann')
      await sees('Password: ')
      types(`${first}\r`)
      await sees('Password, once more: ')
      types(`${second}\r`)
      return { code: await ended, all: screen() + errors() }
    }
    const different = await type(PASSWORD, 'another fine password')
    expect(different).toMatchObject({ code: 1, all: expect.stringContaining('not the same') })
    const same = await type(PASSWORD, PASSWORD)
    expect(same).toMatchObject({ code: 0, all: expect.stringContaining('Created the owner ann') })
    expect(different.all + same.all).not.toContain('fine')
    expect((await json('admin list')).data).toHaveLength(1)
  })

  it.each<[string, string, string | undefined, number, RegExp]>([
    [
      'no terminal and no --password-stdin',
      'admin create bob',
      undefined,
      2,
      /no terminal to ask at; send it to --password-stdin/,
    ],
    ['nothing on stdin', 'admin create bob --password-stdin', undefined, 2, /nothing came on stdin/],
    ['a weak password', 'admin create bob --password-stdin', 'short', 2, /the password must have at least 12/],
    [
      'an unknown role',
      'admin create bob --role root --single-sign-on',
      undefined,
      2,
      /Allowed choices are owner, admin, viewer/,
    ],
    ['a password as an argument', 'admin create bob planted-password', undefined, 2, /too many arguments/],
    ['both ways', 'admin create bob --single-sign-on --password-stdin', stdin, 2, /not both/],
    ['an unknown project', 'admin create bob --single-sign-on --project none', undefined, 1, /no such project/],
    [
      'a project for an admin',
      'admin create bob --single-sign-on --role admin --project p',
      undefined,
      2,
      /--project is for viewers/,
    ],
    ['an unknown user', 'admin disable nobody', undefined, 1, /no such admin user/],
    ['the last owner', 'admin disable ann@example.com', undefined, 1, /last active owner/],
    ['the last owner', 'admin remove ann@example.com --yes', undefined, 1, /last active owner/],
    ['a set-up that is over', 'admin setup-link', undefined, 1, /There is an admin user already/],
  ])('refuses %s', async (_what, line, input, code, message) => {
    const { cli, print, json } = given()
    await print(OWNER, { stdin })
    await print('project create p')
    const ran = await cli(line, input === undefined ? {} : { stdin: input })
    expect(ran).toEqual({ code, out: '', err: expect.stringMatching(message) })
    expect(ran.err).not.toContain('planted')
    expect((await json('admin list')).data).toMatchObject([{ name: 'ann@example.com', is_active: true }])
  })

  it('refuses to make a first user who is no owner', async () => {
    const { cli } = given()
    const ran = await cli('admin create bob --role admin --password-stdin', { stdin })
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/--role must be owner: the first admin user/) })
  })

  it('changes a user whom a running gateway lets in: disabled, enabled, with a new password, without a second factor', async () => {
    const { print, json, gateway } = await givenGateway()
    await print(OWNER, { stdin })
    await print('admin create bob --password-stdin', { stdin })
    const { admin, store } = gateway.ctx
    const signIn = async (password = PASSWORD) =>
      (await admin.signIn({ name: 'bob', password }, { ip: null, userAgent: null })).outcome
    expect(await signIn()).toBe('signed_in')
    expect(await print('admin disable BOB')).toBe('bob is let in no more; all sessions are ended.')
    expect((await store.adminSessions.list({}, { limit: 9 })).data).toEqual([])
    expect(await signIn()).toBe('refused')
    expect(await print('admin enable bob')).toBe('bob is let in again.')
    const other = 'another fine password'
    await print('admin reset-password bob --password-stdin', { stdin: other })
    expect(await signIn(other)).toBe('signed_in')
    const { id } = (await store.adminUsers.findByName('bob'))!
    const stamp = (await store.audit.list({}, { limit: 1 })).data[0]!
    await store.adminUsers.update(id, { totpSealed: 'x' }, 0, { ...stamp, id: 'aud_of_test' })
    expect(await json(`admin reset-totp ${id}`)).toMatchObject({ second_factor: false })
    expect(await print('admin remove bob --yes')).toBe('Deleted bob.')
    expect(await signIn(other)).toBe('refused')
  })

  it('asks before it removes somebody', async () => {
    const { terminal, print, json } = given()
    await print(OWNER, { stdin })
    await print('admin create bob --single-sign-on')
    const { types, sees, ended } = terminal('admin remove bob')
    await sees('Delete the admin user bob? [y/N]')
    types('n\r')
    expect(await ended).toBe(130)
    expect((await json('admin list')).data).toHaveLength(2)
  })

  it('prints the link that the gateway takes, once, until there is a user', async () => {
    const { print, cli, gateway, dataDir } = await givenGateway()
    const link = await print('admin setup-link')
    expect(link).toBe(`${gateway.url}/admin/setup?code=${await gateway.ctx.admin.setup.code()}`)
    expect(await print('admin setup-link', { env: { PUBLIC_URL: 'https://llm.example.com' } })).toMatch(
      /^https:\/\/llm\.example\.com\/admin\/setup\?code=[\w-]{43}$/,
    )
    const file = join(dataDir, 'admin-setup-code')
    expect(readFileSync(file, 'utf8').trim()).toBe(link.split('code=')[1])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await print(OWNER, { stdin })
    expect(existsSync(file)).toBe(false)
    expect((await cli('admin setup-link')).code).toBe(1)
  })

  it.each([
    [{ ADMIN_CONSOLE: 'false' }, /switched off/],
    [
      {
        ADMIN_PASSWORD_SIGN_IN: 'false',
        OIDC_ISSUER: 'https://a.example',
        OIDC_CLIENT_ID: 'x',
        PUBLIC_URL: 'https://b.example',
      },
      /use single sign-on/,
    ],
  ])('has no link where it would lead nowhere: %j', async (env, message) => {
    const { cli, json } = given()
    await json('project create a')
    expect(await cli('admin setup-link', { env })).toMatchObject({ code: 1, err: expect.stringMatching(message) })
  })
})
