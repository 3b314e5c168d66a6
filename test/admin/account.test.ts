import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { TOTP } from 'otpauth'
import { licences } from '../../src/admin/about/licences.ts'
import { VERSION } from '../../src/version.ts'
import { PASSWORD, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const NEXT = 'another lantern at sea 7'
let house: TestConsole
let me: Visitor
let now: number

beforeEach(async () => {
  now = Date.now()
  house = await startConsole({ now: () => now })
  me = await house.as('viewer')
})
afterEach(() => house.stop())

const signIn = async (password: string, code?: string) => {
  const visitor = house.stranger()
  const first = await visitor.post('/admin/sign-in', { name: me.user.name, password })
  if (code === undefined) return { visitor, answer: first }
  const pending = /name="pending" value="([^"]+)"/.exec(first.html)![1]!
  return { visitor, answer: await visitor.post('/admin/sign-in', { pending, code }) }
}
const isIn = async (visitor: Visitor) => (await visitor.get('/admin')).status === 200
const change = (fields: Record<string, string>) =>
  me.post('/admin/account/password', {
    current_password: PASSWORD,
    new_password: NEXT,
    new_password_again: NEXT,
    ...fields,
  })

describe('the own password', () => {
  it('is changed by who knows the old one, and ends the sessions elsewhere', async () => {
    const { visitor: elsewhere } = await signIn(PASSWORD)
    expect(await change({})).toMatchObject({ status: 303, location: '/admin/account' })
    expect(await isIn(me)).toBe(true)
    expect(await isIn(elsewhere)).toBe(false)
    expect((await signIn(NEXT)).answer.status).toBe(303)
  })

  it.each([
    ['current_password', { current_password: 'wrong lantern at sea 7' }],
    ['new_password', { new_password: 'short', new_password_again: 'short' }],
    ['new_password_again', { new_password_again: 'something else 1234' }],
  ])('stays where %s is not right, which stands at the field, and nothing of it comes back', async (field, fields) => {
    const answer = await change(fields)
    expect(answer.status).toBe(422)
    expect(answer.html).toContain(`id="f-${field}-error"`)
    for (const typed of [PASSWORD, NEXT, 'wrong lantern', 'something else']) expect(answer.html).not.toContain(typed)
    expect((await signIn(PASSWORD)).answer.status).toBe(303)
  })

  it('cannot be guessed by who found an open session', async () => {
    for (let i = 0; i < 4; i++) await change({ current_password: `guess number ${i} here` })
    const answer = await change({})
    expect(answer.status).toBe(429)
    expect(answer.html).toContain('Too many wrong tries')
  })
})

describe('the second factor', () => {
  const begin = async () => {
    const { html, status } = await me.post('/admin/account/second-factor-begin')
    expect(status).toBe(200)
    const secret = /id="totp-secret"[^>]*>([A-Z2-7 ]+)</.exec(html)![1]!.replaceAll(' ', '')
    const pending = /name="pending" value="([^"]+)"/.exec(html)![1]!
    return { html, secret, pending, code: () => new TOTP({ secret }).generate({ timestamp: now }) }
  }

  it('is set up with a QR code or a key, and from then on a code is asked for', async () => {
    const { html, secret, pending, code } = await begin()
    expect(html).toMatch(/<path class="qr-ink" d="(?:M\d+ \d+h1v1h-1z){300,}"/)
    expect(secret).toHaveLength(32)
    const done = await me.post('/admin/account/second-factor-confirm', { pending, code: code(), password: PASSWORD })
    const codes = done.html.match(/[a-z2-7]{4}(?:-[a-z2-7]{4}){3}/g)!
    expect(new Set(codes).size).toBe(10)
    expect((await me.get('/admin/account')).html).not.toContain(codes[0]!)
    now += 60_000
    expect((await signIn(PASSWORD)).answer.html).toContain('One-time code')
    expect(await isIn((await signIn(PASSWORD, code())).visitor)).toBe(true)
    expect(await isIn((await signIn(PASSWORD, codes[3])).visitor)).toBe(true)
    expect((await me.get('/admin/account')).html).toContain('9 recovery codes left')
  })

  it('shows the same code again after a slip of the finger', async () => {
    const { secret, pending } = await begin()
    const { status, html } = await me.post('/admin/account/second-factor-confirm', {
      pending,
      code: '000000',
      password: PASSWORD,
    })
    expect(status).toBe(422)
    expect(html).toContain('id="f-code-error"')
    expect(html.replaceAll(' ', '')).toContain(secret)
    expect(await house.ctx.store.adminUsers.get(me.user.id)).toMatchObject({ totpSealed: null })
  })

  it('is confirmed only by whom it was given to, and within twenty minutes', async () => {
    const { pending, code } = await begin()
    const other = await house.as('viewer')
    expect(
      (await other.post('/admin/account/second-factor-confirm', { pending, code: code(), password: PASSWORD })).status,
    ).toBe(400)
    now += 20 * 60_000 + 1
    const late = await me.post('/admin/account/second-factor-confirm', { pending, code: code(), password: PASSWORD })
    expect([late.status, late.html.includes('Begin again')]).toEqual([400, true])
  })

  it('is set up with the password alone: who found an open session locks nobody out', async () => {
    const { pending, code } = await begin()
    const wrong = await me.post('/admin/account/second-factor-confirm', {
      pending,
      code: code(),
      password: 'wrong lantern',
    })
    expect(wrong.status).toBe(422)
    expect(wrong.html).toContain('id="f-enrol-password-error"')
    expect(await house.ctx.store.adminUsers.get(me.user.id)).toMatchObject({ totpSealed: null })
  })

  it('is switched off with the password alone, not by who found an open session', async () => {
    const { pending, code } = await begin()
    await me.post('/admin/account/second-factor-confirm', { pending, code: code(), password: PASSWORD })
    const wrong = await me.post('/admin/account/second-factor-remove', { password: 'wrong lantern at sea 7' })
    expect(wrong.status).toBe(422)
    expect((await me.post('/admin/account/second-factor-remove', { password: PASSWORD })).status).toBe(303)
    expect((await signIn(PASSWORD)).answer.status).toBe(303)
  })
})

describe('the own sessions', () => {
  it('are ended one by one or all at once, and nobody else’s', async () => {
    const one = (await signIn(PASSWORD)).visitor
    const two = (await signIn(PASSWORD)).visitor
    const other = await house.as('owner')
    const idOf = async (userId: string) =>
      (await house.ctx.store.adminSessions.list({ userId }, { limit: 10 })).data.map(({ id }) => id)
    const [newest] = await idOf(me.user.id)
    await me.post('/admin/account/end-session', { id: newest! })
    expect([await isIn(one), await isIn(two)]).toEqual([true, false])
    await me.post('/admin/account/end-session', { id: (await idOf(other.user.id))[0]! })
    expect(await isIn(other)).toBe(true)
    await me.post('/admin/account/end-others')
    expect([await isIn(one), await isIn(me), await isIn(other)]).toEqual([false, true, true])
  })
})

describe('the page about it', () => {
  it('has the version, how the gateway does, and the licence of every package that runs with it', async () => {
    const { html } = await me.get('/admin/about')
    expect(html).toContain(`LLM Proxy ${VERSION}`)
    expect(html).toContain('ready')
    expect(html).toMatch(/express<\/th>\s*<td>5\.[\d.]+<\/td>\s*<td>MIT</)
    const all = licences()
    // What packages bring along is among them, and all of them say what they are.
    expect(all.map(({ name }) => name)).toContain('body-parser')
    expect(all.filter(({ licence, version }) => licence === 'not said' || version === '')).toEqual([])
    expect((await me.get('/admin/about?format=csv')).html).toContain('express,5.')
  })

  it('names no path of the machine to who sees one project alone', async () => {
    const { project } = await house.token({}, { name: 'One' })
    const { html } = await (await house.as('viewer', project.id)).get('/admin/about')
    expect(html).not.toContain(house.dataDir)
  })
})
