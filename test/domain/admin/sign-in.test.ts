import { describe, expect, it } from '@jest/globals'
import { TOTP } from 'otpauth'
import { updateAdminUser } from '../../../src/domain/admin-users.ts'
import { DUMMY_HASH } from '../../../src/domain/passwords.ts'
import { createSignIn } from '../../../src/domain/sign-in.ts'
import { beginTotp, confirmTotp } from '../../../src/domain/totp.ts'
import type { AdminUser } from '../../../src/store/store.ts'
import { actor, NOON } from '../given.ts'
import { client, givenDoor, PASSWORD } from './given.ts'

const MINUTE_MS = 60_000
const codeAt = (secret: string, timestamp: number) => new TOTP({ secret }).generate({ timestamp })

async function givenSecondFactor() {
  const all = await givenDoor()
  const user = await all.user()
  const { secret } = await beginTotp(user)
  const code = codeAt(secret, all.clock.now())
  const { recoveryCodes } = await confirmTotp(all.parts, actor, user, secret, code)
  // So that the code of the set-up is over.
  all.clock.pass(MINUTE_MS)
  return { ...all, user, secret, recoveryCodes, code: () => codeAt(secret, all.clock.now()) }
}

describe('signing in', () => {
  it('with name, in any case, and password gives a session and tells the audit log', async () => {
    const { user, signIn, audited, store } = await givenDoor()
    const { id } = await user()
    const { outcome, ...given } = await signIn({ name: 'ANN@Example.com' })
    expect([outcome, given]).toEqual([
      'signed_in',
      { secret: expect.stringMatching(/^[\w-]{43}$/), user: expect.anything() },
    ])
    expect(await audited('admin.sign_in')).toMatchObject([
      { actor: 'admin:ann@example.com', outcome: 'success', targetId: id, ip: '203.0.113.7', userAgent: 'jest' },
    ])
    expect(await store.adminUsers.get(id)).toMatchObject({ lastSignInAt: NOON })
  })

  it('is refused in the same words, after the same work, whatever is wrong', async () => {
    const { user, signIn, verified, clock } = await givenDoor()
    const active = await user()
    const asleep = await user({ name: 'asleep', role: 'viewer', is_active: false })
    await user({ name: 'sso', role: 'viewer', password: null })
    const tries: [object, string][] = [
      [{ name: 'nobody' }, DUMMY_HASH],
      [{ password: 'wrong' }, active.passwordHash!],
      [{ name: 'asleep' }, asleep.passwordHash!],
      [{ name: 'sso' }, DUMMY_HASH],
      [{ name: '' }, DUMMY_HASH],
      [{ name: 'nobody', code: '123456' }, DUMMY_HASH],
    ]
    for (const [input, hash] of tries) {
      verified.length = 0
      expect(await signIn(input)).toEqual({ outcome: 'refused' })
      expect(verified).toEqual([hash])
      clock.pass(60 * MINUTE_MS)
    }
  })

  it('writes the refused into the audit log: who, where they are known, and never what was typed', async () => {
    const { user, signIn, store } = await givenDoor()
    const { id } = await user()
    await signIn({ name: 'my secret password typed here', password: 'x' })
    await signIn({ name: 'ANN@example.com', password: 'planted-wrong-password' })
    const { data } = await store.audit.list({ action: 'admin.sign_in' }, { limit: 10 })
    expect(data).toMatchObject([
      {
        actor: 'anonymous',
        outcome: 'denied',
        reason: 'wrong_password',
        targetId: id,
        after: { name: 'ann@example.com' },
      },
      { actor: 'anonymous', outcome: 'denied', reason: 'wrong_password', targetId: null, after: {} },
    ])
    expect(JSON.stringify(data)).not.toMatch(/typed here|planted|ANN/)
  })

  it('writes thirty of the refused a minute, and counts the others', async () => {
    const { user, signIn, store, clock, suppressed } = await givenDoor()
    await user()
    for (let i = 0; i < 35; i++) await signIn({ name: `nobody ${i}`, password: 'x' }, { ...client, ip: `10.0.0.${i}` })
    expect((await store.audit.list({ outcome: 'denied' }, { limit: 100 })).data).toHaveLength(30)
    expect(suppressed()).toBe(5)
    clock.pass(MINUTE_MS)
    await signIn({ name: 'nobody', password: 'x' })
    expect((await store.audit.list({ outcome: 'denied' }, { limit: 100 })).data).toHaveLength(31)
  })

  it('by fifty guesses at once is looked at three times; the others wait, also if the right one is among them', async () => {
    const { user, signIn, verified, clock } = await givenDoor()
    await user()
    const guesses = Array.from({ length: 50 }, (_, i) =>
      signIn({ password: i === 49 ? PASSWORD : `guess ${i}` }, { ...client, ip: `10.0.0.${i}` }),
    )
    const outcomes = await Promise.all(guesses)
    expect(verified).toHaveLength(3)
    expect(outcomes.filter(({ outcome }) => outcome === 'refused')).toHaveLength(3)
    expect(outcomes.filter(({ outcome }) => outcome === 'wait')).toHaveLength(47)
    expect(outcomes.at(-1)).toEqual({ outcome: 'wait', retryAfterMs: 1000 })
    clock.pass(1000)
    expect(await signIn()).toMatchObject({ outcome: 'signed_in' })
    // Forgiven.
    for (let i = 0; i < 3; i++) expect(await signIn({ password: 'wrong' })).toEqual({ outcome: 'refused' })
  })

  it('makes one wait for a name that does not exist just as for one that does', async () => {
    const { user, signIn } = await givenDoor()
    await user()
    for (let i = 0; i < 3; i++) await signIn({ name: 'nobody' })
    expect(await signIn({ name: 'nobody' })).toEqual({ outcome: 'wait', retryAfterMs: 1000 })
  })

  it('gives no session to whom the password was changed while it was looked at', async () => {
    const { user, parts, store } = await givenDoor()
    const { id } = await user()
    const signIn = createSignIn({
      ...parts,
      async verify() {
        await updateAdminUser(parts, actor, id, { password: 'quite another password' })
        return true
      },
    })
    expect(await signIn({ name: 'ann@example.com', password: PASSWORD }, client)).toEqual({ outcome: 'refused' })
    expect((await store.adminSessions.list({}, { limit: 10 })).data).toEqual([])
  })

  it('with passwords switched off lets nobody in', async () => {
    const { user, signIn, verified } = await givenDoor({ passwordSignIn: false })
    await user()
    expect(await signIn()).toEqual({ outcome: 'refused' })
    expect(verified).toEqual([])
  })

  it('counts nothing when the gateway itself fails', async () => {
    const { user, parts } = await givenDoor()
    await user()
    let down = true
    const signIn = createSignIn({
      ...parts,
      async verify() {
        if (down) throw new Error('out of memory')
        return true
      },
    })
    const ann = { name: 'ann@example.com', password: PASSWORD }
    for (let i = 0; i < 20; i++) await expect(signIn(ann, client)).rejects.toThrow('out of memory')
    down = false
    expect(await signIn(ann, client)).toMatchObject({ outcome: 'signed_in' })
  })
})

describe('the second factor', () => {
  it('is asked for only after the right password, and lets in with a code of now, or of the step beside', async () => {
    const { signIn, code, clock, secret } = await givenSecondFactor()
    expect(await signIn({ password: 'wrong' })).toEqual({ outcome: 'refused' })
    expect(await signIn({ password: 'wrong', code: code() })).toEqual({ outcome: 'refused' })
    expect(await signIn()).toEqual({ outcome: 'code_required' })
    expect(await signIn({ code: '  ' })).toEqual({ outcome: 'code_required' })
    const spaced = code().replace(/^.../, '$& ')
    expect(await signIn({ code: spaced })).toMatchObject({ outcome: 'signed_in' })
    clock.pass(5 * MINUTE_MS)
    expect(await signIn({ code: codeAt(secret, clock.now() - 30_000) })).toMatchObject({ outcome: 'signed_in' })
    clock.pass(5 * MINUTE_MS)
    expect(await signIn({ code: codeAt(secret, clock.now() - 90_000) })).toEqual({ outcome: 'refused' })
  })

  it('takes a code once, also when it is sent twice at the same time', async () => {
    const { signIn, code } = await givenSecondFactor()
    const outcomes = await Promise.all([signIn({ code: code() }), signIn({ code: code() })])
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'signed_in'])
    expect(await signIn({ code: code() })).toEqual({ outcome: 'refused' })
  })

  it('takes a recovery code once, however it is written, and notes it', async () => {
    const { signIn, recoveryCodes, user, store, audited } = await givenSecondFactor()
    expect(recoveryCodes).toHaveLength(10)
    expect(new Set(recoveryCodes).size).toBe(10)
    const [one, two] = recoveryCodes as [string, string]
    const outcomes = await Promise.all([signIn({ code: one }), signIn({ code: one })])
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'signed_in'])
    expect(await signIn({ code: two.toUpperCase().replaceAll('-', ' ') })).toMatchObject({ outcome: 'signed_in' })
    expect((await store.adminUsers.get(user.id))!.recoveryHashes).toHaveLength(8)
    expect(await audited('admin_user.use_recovery_code')).toMatchObject([
      { actor: 'admin:ann@example.com', before: { recoveryCodes: 10 }, after: { recoveryCodes: 9 } },
      { after: { recoveryCodes: 8 } },
    ])
  })

  it('cannot be guessed for ever by asking with the password alone in between', async () => {
    const { signIn, audited } = await givenSecondFactor()
    const outcomes: string[] = []
    for (let i = 0; i < 10; i++) {
      outcomes.push((await signIn({ code: '000000' })).outcome)
      outcomes.push((await signIn()).outcome)
    }
    expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(3)
    expect(outcomes.slice(5).every((outcome) => outcome === 'wait')).toBe(true)
    expect((await audited('admin.sign_in')).map(({ reason }) => reason)).toEqual(Array(3).fill('wrong_code'))
  })

  it('leaves no trace of its secrets in the database', async () => {
    const { store, user, secret, recoveryCodes } = await givenSecondFactor()
    const kept = JSON.stringify([
      await store.adminUsers.get(user.id),
      (await store.audit.list({}, { limit: 100 })).data,
    ] satisfies [AdminUser | null, unknown])
    for (const one of [secret, ...recoveryCodes, PASSWORD]) expect(kept).not.toContain(one)
  })
})
