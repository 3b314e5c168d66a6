import { describe, expect, it } from '@jest/globals'
import { TOTP, URI } from 'otpauth'
import { beginTotp, confirmTotp, endTotp } from '../../../src/domain/totp.ts'
import { redact } from '../../../src/redact.ts'
import { actor, expectInvalid } from '../given.ts'
import { givenDoor, PASSWORD } from './given.ts'

async function given() {
  const all = await givenDoor()
  const user = await all.user()
  const begun = await beginTotp(user)
  const code = (at = all.clock.now()) => new TOTP({ secret: begun.secret }).generate({ timestamp: at })
  return {
    ...all,
    ann: user,
    ...begun,
    code,
    confirm: (given = code(), secret = begun.secret) => confirmTotp(all.parts, actor, user, secret, given),
    stored: async () => (await all.store.adminUsers.get(user.id))!,
  }
}

describe('the second factor', () => {
  it('is shown as an address that authenticator apps know, with 160 random bits', async () => {
    const { uri, secret } = await given()
    const read = URI.parse(uri) as TOTP
    expect(read).toMatchObject({
      issuer: 'LLM Proxy',
      label: 'ann@example.com',
      digits: 6,
      period: 30,
      algorithm: 'SHA1',
    })
    expect(read.secret.base32).toBe(secret)
    expect(read.secret.bytes).toHaveLength(20)
    expect(redact(`the secret is ${secret} and ${uri}`)).not.toContain(secret)
  })

  it('is on once a code has shown that the secret arrived, and that code is used up', async () => {
    const { confirm, stored, sealer, secret, signIn, code, audited } = await given()
    await expectInvalid(confirm('000000'), { code: 'is not right: take the one that is shown now' })
    expect((await stored()).totpSealed).toBeNull()
    const { recoveryCodes } = await confirm()
    expect(sealer.open((await stored()).totpSealed!)).toBe(secret)
    expect((await stored()).recoveryHashes).toHaveLength(10)
    for (const one of recoveryCodes) {
      expect(one).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/)
      expect(redact(`take ${one}`)).not.toContain(one)
    }
    expect(await signIn({ code: code() })).toEqual({ outcome: 'refused' })
    expect((await audited('admin_user.second_factor_on')).at(-1)).toMatchObject({
      after: { secondFactor: true, recoveryCodes: 10 },
    })
  })

  it('cannot be replaced while it is on, and takes no secret that is shorter', async () => {
    const { confirm, code } = await given()
    await expectInvalid(confirm(code(), 'JBSWY3DP'), { secret: 'is not as it was given' })
    await confirm()
    await expect(confirm()).rejects.toMatchObject({ code: 'conflict' })
  })

  it.each(['password', 'code', 'recovery code'])('is turned off by who has the %s', async (what) => {
    const { confirm, parts, ann, code, clock, stored } = await given()
    const { recoveryCodes } = await confirm()
    clock.pass(60_000)
    const proof = { password: PASSWORD, code: code(), 'recovery code': recoveryCodes[3]! }[what]!
    await endTotp(parts, actor, ann, proof)
    expect(await stored()).toMatchObject({ totpSealed: null, totpLastStep: null, recoveryHashes: [] })
  })

  it('is turned off by a password that looks like a recovery code, too', async () => {
    const { confirm, parts, ann, stored } = await given()
    await confirm()
    await endTotp(
      { ...parts, verify: async (_hash, password) => password === 'abcdefghijklmnop' },
      actor,
      ann,
      'abcdefghijklmnop',
    )
    expect(await stored()).toMatchObject({ totpSealed: null })
  })

  it('is not turned off by guessing', async () => {
    const { confirm, parts, ann, stored, code } = await given()
    const used = code()
    await confirm()
    for (const guess of [used, 'wrong password', '111111'])
      await expectInvalid(endTotp(parts, actor, ann, guess), {
        password: 'is neither your password nor an unused code',
      })
    await expect(endTotp(parts, actor, ann, PASSWORD)).rejects.toMatchObject({ code: 'rate_limit_exceeded' })
    expect((await stored()).totpSealed).not.toBeNull()
  })
})
