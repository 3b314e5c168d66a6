import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { TOTP } from 'otpauth'
import { createAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { beginTotp, confirmTotp } from '../../src/domain/totp.ts'
import { csrfIn, PASSWORD, startConsole, type TestConsole, type Visitor } from './helpers.ts'

const MINUTE = 60_000
let now = Date.UTC(2026, 10, 21, 12)
let house: TestConsole

beforeAll(async () => {
  house = await startConsole({ now: () => now })
  await house.as('owner')
})
afterAll(() => house.stop())
beforeEach(() => {
  // Whatever was throttled by the test before is forgiven.
  now += 24 * 60 * MINUTE
})

const newUser = async (name: string) => createAdminUser(house.ctx, SYSTEM, { name, role: 'admin', password: PASSWORD })
const signIn = (visitor: Visitor, name: string, password = PASSWORD, more: Record<string, string> = {}) =>
  visitor.post('/admin/sign-in', { name, password, ...more })

describe('who has not signed in', () => {
  it('is sent to sign in from every page, and comes back to it', async () => {
    const visitor = house.stranger()
    const answer = await visitor.get('/admin/projects?q=a%26b')
    expect(answer).toMatchObject({ status: 303, location: '/admin/sign-in?to=%2Fadmin%2Fprojects%3Fq%3Da%2526b' })
    await newUser('back@example.com')
    const page = await visitor.get(answer.location!)
    const to = /name="to" value="([^"]+)"/.exec(page.html)![1]!
    const done = await signIn(visitor, 'back@example.com', PASSWORD, { to: to.replaceAll('&amp;', '&') })
    expect(done).toMatchObject({ status: 303, location: '/admin/projects?q=a%26b' })
    expect((await visitor.get(done.location!)).status).toBe(200)
  })

  it('learns nothing of which pages there are', async () => {
    for (const path of ['/admin/nothing', '/admin/tokens/tok_x']) {
      expect((await house.stranger().get(path)).status).toBe(303)
    }
  })

  it('is asked for the page once more where a link from another site kept the cookie back', async () => {
    const answer = await house.stranger().get('/admin/projects?q=1', { 'sec-fetch-site': 'cross-site' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('refresh')).toBe('0; url=/admin/projects?q=1')
    const odd = await house.stranger().get('/admin/projects?q=%zz%', { 'sec-fetch-site': 'cross-site' })
    expect([odd.status, odd.headers.get('refresh')]).toEqual([200, '0; url=/admin/projects?q=%zz%'])
  })

  it.each([
    'https://evil.example/',
    '//evil.example/admin',
    '/\\evil.example',
    '/admin/../\\evil',
    '/admin/..//evil.example',
    '/administrators',
    'javascript:alert(1)',
    '/admin\n//evil',
  ])('is never sent elsewhere after signing in: %j', async (to) => {
    await newUser(`to-${Buffer.from(to).toString('hex')}@example.com`)
    const visitor = house.stranger()
    const done = await signIn(visitor, `to-${Buffer.from(to).toString('hex')}@example.com`, PASSWORD, { to })
    expect(done).toMatchObject({ status: 303, location: '/admin' })
  })
})

describe('signing in', () => {
  it('sets a cookie that scripts, other sites and other hosts never see', async () => {
    await newUser('cookie@example.com')
    const plain = await signIn(house.stranger(), 'cookie@example.com')
    const cookie = plain.headers.getSetCookie().find((one) => one.startsWith('llm_proxy_session='))!
    expect(cookie).toMatch(/; Path=\/; /)
    expect(cookie).toMatch(/; HttpOnly/)
    expect(cookie).toMatch(/; SameSite=Strict/)
    expect(cookie).not.toMatch(/Domain|Secure/)
    const secret = /=([^;]+)/.exec(cookie)![1]!
    expect(secret).toHaveLength(43)
    expect(house.logs()).not.toContain(secret)
  })

  it('says the same of a wrong name and a wrong password, and keeps what was typed as the name', async () => {
    await newUser('known@example.com')
    const wrong = await signIn(house.stranger(), 'known@example.com', 'not the password')
    const unknown = await signIn(house.stranger(), 'unknown@example.com', 'not the password')
    expect(wrong.status).toBe(401)
    expect(wrong.html).toContain('The name or the password is wrong.')
    expect(wrong.html).toContain('value="known@example.com"')
    expect(wrong.html).not.toContain('not the password')
    const anonymous = (html: string) =>
      html.replace(/(?:un)?known@example.com/g, 'X').replace(/name="_csrf" value="[^"]+"/g, '')
    expect(anonymous(unknown.html)).toBe(anonymous(wrong.html))
  })

  it('makes who guesses wait, longer and longer, and says how long', async () => {
    await newUser('guessed@example.com')
    const visitor = house.stranger()
    let answer = await signIn(visitor, 'guessed@example.com', 'wrong password')
    for (let i = 0; i < 20 && answer.status !== 429; i++)
      answer = await signIn(visitor, 'guessed@example.com', 'wrong password')
    expect(answer.status).toBe(429)
    expect(answer.html).toMatch(/Too many tries. Try again in \d+ (second|minute)s?\./)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    // The right password does not help while one waits.
    expect((await signIn(visitor, 'guessed@example.com')).status).toBe(429)
    now += 20 * MINUTE
    expect((await signIn(visitor, 'guessed@example.com')).status).toBe(303)
  })

  it('asks for the second factor after the password, without the password in the page', async () => {
    const parts = { store: house.ctx.store, sealer: house.ctx.sealer, now: house.ctx.now }
    const user = await newUser('second@example.com')
    const { secret } = await beginTotp(user)
    const totp = new TOTP({ secret, issuer: 'LLM Proxy', label: user.name })
    await confirmTotp(parts, SYSTEM, user, secret, totp.generate({ timestamp: now }))
    now += MINUTE
    const visitor = house.stranger()
    const asked = await signIn(visitor, user.name)
    expect(asked.status).toBe(200)
    expect(asked.html).toContain('One-time code')
    expect(asked.html).not.toContain(PASSWORD)
    expect(visitor.cookies.has('llm_proxy_session')).toBe(false)
    const pending = /name="pending" value="([^"]+)"/.exec(asked.html)![1]!

    const wrong = await visitor.post('/admin/sign-in', { pending, code: '000000' })
    expect(wrong.status).toBe(401)
    expect(wrong.html).toContain('The code is wrong')
    const done = await visitor.post('/admin/sign-in', { pending, code: totp.generate({ timestamp: now }) })
    expect(done.status).toBe(303)
    expect((await visitor.get('/admin')).status).toBe(200)

    now += 6 * MINUTE
    const late = await house.stranger().post('/admin/sign-in', { pending, code: totp.generate({ timestamp: now }) })
    expect(late.status).toBe(401)
    expect(late.html).toContain('took too long')
    const forged = await house.stranger().post('/admin/sign-in', { pending: `${pending.slice(0, -4)}AAAA`, code: '1' })
    expect(forged.status).toBe(401)
  })
})

describe('a session', () => {
  it('ends when nobody was seen for two hours, and after a day at the latest', async () => {
    const idle = await house.as('viewer')
    now += 119 * MINUTE
    expect((await idle.get('/admin')).status).toBe(200)
    now += 121 * MINUTE
    expect((await idle.get('/admin')).status).toBe(303)
    const busy = await house.as('viewer')
    for (let hour = 0; hour < 23; hour++) {
      now += 60 * MINUTE
      expect((await busy.get('/admin')).status).toBe(200)
    }
    now += 61 * MINUTE
    expect((await busy.get('/admin')).status).toBe(303)
  })

  it('is not kept alive by a page that asks by itself, and what it shows ends with it', async () => {
    const visitor = await house.as('viewer')
    await visitor.get('/admin')
    const cookie = `llm_proxy_session=${visitor.cookies.get('llm_proxy_session')}`
    const answer = await fetch(`${house.url}/admin?live=1`, { headers: { cookie } })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('data: ')
    now += 90 * MINUTE
    const second = await fetch(`${house.url}/admin?live=1`, { headers: { cookie } })
    await second.body!.cancel()
    now += 31 * MINUTE
    let last = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) last += part.value
    expect(last).toContain('event: end')
    expect((await visitor.get('/admin')).status).toBe(303)
  })

  it('that has ended changes nothing, and the form says so', async () => {
    const visitor = await house.as('owner')
    await visitor.csrf()
    now += 25 * 60 * MINUTE
    const answer = await visitor.post('/admin/projects/create', { name: 'too late' })
    expect(answer.status).toBe(303)
    expect((await visitor.get(answer.location!)).html).toContain('Your session has ended')
    expect(await house.ctx.store.projects.findByName('too late')).toBeNull()
  })

  it('is over with signing out, also for who kept the cookie', async () => {
    const visitor = await house.as('viewer')
    const secret = visitor.cookies.get('llm_proxy_session')!
    const out = await visitor.post('/admin/sign-out')
    expect(out).toMatchObject({ status: 303, location: '/admin/sign-in' })
    expect(visitor.cookies.has('llm_proxy_session')).toBe(false)
    expect((await visitor.get('/admin/sign-in')).html).toContain('You are signed out.')
    visitor.cookies.set('llm_proxy_session', secret)
    expect((await visitor.get('/admin')).status).toBe(303)
  })

  it('is over at once when its user is switched off', async () => {
    const visitor = await house.as('viewer')
    const { adminUsers } = house.ctx.store
    const stamp = {
      id: 'aud_off',
      at: now,
      actor: 'test',
      ip: null,
      userAgent: null,
      action: 'test',
      targetId: null,
      projectId: null,
      outcome: 'success' as const,
      reason: null,
    }
    await adminUsers.update(visitor.user.id, { isActive: false }, now, stamp)
    expect((await visitor.get('/admin')).status).toBe(303)
  })

  it.each(['', 'x', 'a'.repeat(43), '../../etc', '%00'.repeat(20)])('is not opened by the cookie %j', async (value) => {
    const visitor = house.stranger()
    visitor.cookies.set('llm_proxy_session', value)
    expect((await visitor.get('/admin')).status).toBe(303)
  })
})

describe('the first start', () => {
  it('has a one-time code that makes the owner, and is worth nothing afterwards', async () => {
    const fresh = await startConsole()
    try {
      const visitor = fresh.stranger()
      expect(await visitor.get('/admin')).toMatchObject({ status: 303 })
      expect(await visitor.get('/admin/sign-in')).toMatchObject({ status: 303, location: '/admin/setup' })
      const page = await visitor.get('/admin/setup?code=wrong')
      expect(page.html).toContain('Nobody can sign in yet')
      const fields = { _csrf: csrfIn(page.html), name: 'me@example.com', password: PASSWORD, password_again: PASSWORD }
      const refused = await visitor.post('/admin/setup', { ...fields, setup_code: 'wrong' })
      expect(refused.status).toBe(401)
      expect(await fresh.ctx.store.adminUsers.count()).toBe(0)

      const code = (await fresh.ctx.admin.setup.code())!
      const differ = await visitor.post('/admin/setup', {
        ...fields,
        setup_code: code,
        password_again: 'another one here',
      })
      expect(differ.status).toBe(422)
      expect(differ.html).toContain('The two passwords differ.')
      const short = await visitor.post('/admin/setup', {
        ...fields,
        setup_code: code,
        password: 'short',
        password_again: 'short',
      })
      expect(short.status).toBe(422)

      const done = await visitor.post('/admin/setup', { ...fields, setup_code: code })
      expect(done).toMatchObject({ status: 303, location: '/admin' })
      expect((await visitor.get('/admin')).html).toContain('You are the owner of this console.')
      const again = await fresh.stranger().get(`/admin/setup?code=${code}`)
      expect(again).toMatchObject({ status: 303, location: '/admin/sign-in' })
      const second = house.stranger()
      expect(
        (await second.post('/admin/setup', { ...fields, _csrf: await second.csrf(), setup_code: code })).status,
      ).not.toBe(303)
      expect(fresh.logs()).not.toContain(code)
    } finally {
      await fresh.stop()
    }
  })
})
