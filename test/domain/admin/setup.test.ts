import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { findSession } from '../../../src/domain/admin-sessions.ts'
import { redact } from '../../../src/redact.ts'
import { client, givenDoor, PASSWORD } from './given.ts'

const input = { name: 'ann@example.com', password: PASSWORD }

describe('the set-up', () => {
  it('has one code, in a file that only its owner can read, until there is a user', async () => {
    const { door, codeFile } = await givenDoor()
    const code = (await door.setup.code())!
    expect(code).toMatch(/^[\w-]{43}$/)
    expect(await door.setup.code()).toBe(code)
    expect(readFileSync(codeFile, 'utf8')).toBe(`${code}\n`)
    expect(statSync(codeFile).mode & 0o777).toBe(0o600)
    expect(redact(`GET /admin/setup?code=${code}`)).not.toContain(code)
  })

  it('makes an owner who is signed in, and is over', async () => {
    const { door, parts, codeFile, audited } = await givenDoor()
    const code = (await door.setup.code())!
    const { user, secret } = await door.setup.complete(code, input, client)
    expect(user).toMatchObject({ name: 'ann@example.com', role: 'owner' })
    expect((await findSession(parts, secret))?.user.id).toBe(user.id)
    expect(existsSync(codeFile)).toBe(false)
    expect(await door.setup.code()).toBeNull()
    await expect(door.setup.complete(code, { ...input, name: 'eve' }, client)).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(await audited('admin_user.create')).toMatchObject([{ actor: 'setup', ip: client.ip, targetId: user.id }])
  })

  it('lets one of many in who have the code at the same time', async () => {
    const { door, store } = await givenDoor()
    const code = (await door.setup.code())!
    const all = Array.from({ length: 5 }, (_, i) => door.setup.complete(code, { ...input, name: `n${i}` }, client))
    const results = await Promise.allSettled(all)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await store.adminUsers.count()).toBe(1)
  })

  it('refuses another code, slows guessing down, and tells the audit log', async () => {
    const { door, store, audited } = await givenDoor()
    const codes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => door.setup.complete(`guess ${i}`, input, client)),
    )
    const reasons = codes.map((one) => (one as PromiseRejectedResult).reason.code)
    expect(reasons.filter((code) => code === 'unauthorized')).toHaveLength(10)
    expect(reasons.filter((code) => code === 'rate_limit_exceeded')).toHaveLength(20)
    expect(await store.adminUsers.count()).toBe(0)
    expect(await audited('admin.setup')).toHaveLength(10)
    expect(JSON.stringify(await audited('admin.setup'))).not.toContain('guess')
    const code = (await door.setup.code())!
    await door.setup.complete(code, input, { ...client, ip: '10.0.0.1' })
  })

  it('takes the form again when a field of it was wrong', async () => {
    const { door } = await givenDoor()
    const code = (await door.setup.code())!
    for (let i = 0; i < 12; i++)
      await expect(door.setup.complete(code, { ...input, password: 'short' }, client)).rejects.toMatchObject({
        code: 'validation_failed',
      })
    await door.setup.complete(code, input, client)
  })

  it('is over when a user was made elsewhere, and takes the left-over file away', async () => {
    const { door, user, codeFile } = await givenDoor()
    const code = (await door.setup.code())!
    await user()
    await expect(door.setup.complete(code, { ...input, name: 'eve' }, client)).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(existsSync(codeFile)).toBe(false)
    writeFileSync(codeFile, 'left over')
    expect(await door.setup.code()).toBeNull()
    expect(existsSync(codeFile)).toBe(false)
  })

  it('is not offered where nobody could sign in with the password that it makes', async () => {
    const { door, codeFile } = await givenDoor({ passwordSignIn: false })
    expect(await door.setup.code()).toBeNull()
    expect(existsSync(codeFile)).toBe(false)
    await expect(door.setup.complete('', input, client)).rejects.toMatchObject({ code: 'not_found' })
  })
})
