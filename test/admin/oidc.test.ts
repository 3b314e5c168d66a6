import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/load.ts'
import { updateAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startConsole, type TestConsole, type Visitor } from './helpers.ts'
import { CLIENT, type OidcProvider, startOidcProvider } from './oidc-provider.ts'

const MINUTE = 60_000
let provider: OidcProvider
let house: TestConsole
let now: number

const { admin } = loadConfig({ env: {}, cwd: makeFolder() }).config
const oidcOf = (issuer: string) => ({
  issuer,
  clientId: CLIENT.id,
  clientSecret: CLIENT.secret,
  scopes: 'openid profile email',
  nameClaim: 'email',
  roleClaim: 'groups' as string | null,
  roleMap: { platform: 'admin' as const, eng: 'viewer' as const },
  defaultRole: null as 'viewer' | null,
})

async function start(more: Partial<ReturnType<typeof oidcOf>> = {}, issuer = provider.issuer) {
  house = await startConsole({
    now: () => now,
    config: { admin: { ...admin, oidc: { ...oidcOf(issuer), ...more } } },
  })
  await house.as('owner')
}

beforeEach(async () => {
  now = Date.now()
  provider = await startOidcProvider()
  provider.script.claims = { sub: 'ada-1', email: 'ada@example.com', email_verified: true, groups: ['eng', 'platform'] }
})
afterEach(async () => {
  await house.stop()
  await provider.close()
})

/** Where the provider sends one back to, after a sign-in that began here. */
async function walk(visitor: Visitor, to = '/admin/projects'): Promise<string> {
  const begun = await visitor.get(`/admin/oidc/start?to=${encodeURIComponent(to)}`)
  expect(begun.status).toBe(303)
  return provider.signIn(begun.location!)
}

/** What the page says that nobody was let in for. */
const reasonIn = (html: string) => /role="alert">([^<]+)</.exec(html)?.[1]
const usersNamed = (name: string) => house.ctx.store.adminUsers.findByName(name)
const denials = async () => (await house.ctx.store.audit.list({ outcome: 'denied' }, { limit: 10 })).data

describe('single sign-on', () => {
  it('lets in who the provider vouches for, with the role of the claim, and goes on to the page that was asked for', async () => {
    await start()
    const visitor = house.stranger()
    const sent = new URL((await visitor.get('/admin/oidc/start')).location!)
    expect(sent.origin + sent.pathname).toBe(`${provider.issuer}/authorize`)
    expect(Object.fromEntries(sent.searchParams)).toMatchObject({
      client_id: CLIENT.id,
      response_type: 'code',
      scope: 'openid profile email',
      redirect_uri: `${house.url}/admin/oidc/callback`,
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
    const back = await walk(visitor, '/admin/projects?q=a')
    const answer = await visitor.get(back)
    // Not a redirect: on one that began elsewhere, browsers keep the session's cookie back.
    expect(answer.status).toBe(200)
    expect(answer.headers.get('refresh')).toBe('0; url=/admin/projects?q=a')
    expect(await usersNamed('ada@example.com')).toMatchObject({ role: 'admin', passwordHash: null })
    expect((await visitor.get('/admin/projects')).status).toBe(200)
    const { data } = await house.ctx.store.adminSessions.list({}, { limit: 1 })
    expect(data[0]).toMatchObject({ method: 'oidc' })
  })

  it('keeps what it needs in a cookie that scripts cannot read and nobody can make up, and forgets it at the end', async () => {
    await start()
    const visitor = house.stranger()
    const begun = await visitor.get('/admin/oidc/start')
    const cookie = begun.headers.getSetCookie().find((one) => one.startsWith('llm_proxy_oidc='))!
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Lax/)
    const { searchParams } = new URL(begun.location!)
    for (const name of ['state', 'nonce']) expect(cookie).not.toContain(searchParams.get(name))
    await visitor.get(provider.signIn(begun.location!))
    expect(visitor.cookies.has('llm_proxy_oidc')).toBe(false)
  })

  it('refuses an answer that was not asked for: another state', async () => {
    await start()
    const visitor = house.stranger()
    const back = (await walk(visitor)).replace(/state=[^&]+/, 'state=of-somebody-else')
    const answer = await visitor.get(back)
    expect([answer.status, reasonIn(answer.html)]).toEqual([
      401,
      'What came back from the provider does not belong to this sign-in. Start again.',
    ])
    expect(provider.asked).toEqual([])
    expect(visitor.cookies.has('llm_proxy_session')).toBe(false)
  })

  it.each([
    ['for another sign-in: another nonce', { nonce: 'of-another' }, 401],
    ['for another client', { audience: 'somebody-else' }, 401],
    ['that is too old', { expiresInS: -3600 }, 401],
    ['signed with a key that the provider does not have', { foreignKey: true }, 401],
  ])('refuses a token %s', async (_what, script, status) => {
    await start()
    Object.assign(provider.script, script)
    const visitor = house.stranger()
    const answer = await visitor.get(await walk(visitor))
    expect(answer.status).toBe(status)
    expect(visitor.cookies.has('llm_proxy_session')).toBe(false)
    expect(await usersNamed('ada@example.com')).toBeNull()
    expect(await denials()).toMatchObject([{ action: 'admin.sign_in', actor: 'anonymous', after: { method: 'oidc' } }])
  })

  it('does not wait for ever: after ten minutes one starts again', async () => {
    await start()
    const visitor = house.stranger()
    const back = await walk(visitor)
    now += 10 * MINUTE + 1
    const answer = await visitor.get(back)
    expect([answer.status, reasonIn(answer.html)]).toEqual([400, expect.stringMatching(/took too long/)])
  })

  it('takes a code once, also from who has kept the cookie', async () => {
    await start()
    const visitor = house.stranger()
    const back = await walk(visitor)
    const cookie = visitor.cookies.get('llm_proxy_oidc')!
    expect((await visitor.get(back)).status).toBe(200)
    const thief = house.stranger()
    expect((await thief.get(back)).status).toBe(400)
    thief.cookies.set('llm_proxy_oidc', cookie)
    const again = await thief.get(back)
    expect([again.status, reasonIn(again.html)]).toEqual([401, expect.stringMatching(/used already/)])
    expect(thief.cookies.has('llm_proxy_session')).toBe(false)
  })

  it('takes no cookie that it did not make, and no secret of another kind for one', async () => {
    await start()
    const visitor = house.stranger()
    const back = await walk(visitor)
    for (const forged of [
      'x',
      house.ctx.sealer.seal('{"name":"a","password":"b","at":1}'),
      house.ctx.sealer.seal('no json'),
    ]) {
      visitor.cookies.set('llm_proxy_oidc', forged)
      expect((await visitor.get(back)).status).toBe(400)
    }
  })

  it('tells who has no role whom to ask', async () => {
    await start()
    provider.script.claims.groups = ['marketing']
    const visitor = house.stranger()
    const answer = await visitor.get(await walk(visitor))
    expect([answer.status, reasonIn(answer.html)]).toEqual([
      403,
      'You have no role here: ask an owner of this gateway for one.',
    ])
    expect(await denials()).toMatchObject([{ reason: 'no_role', after: { sub: 'ada-1' } }])
  })

  it('keeps out who was switched off here', async () => {
    await start()
    const visitor = house.stranger()
    await visitor.get(await walk(visitor))
    const user = (await usersNamed('ada@example.com'))!
    await updateAdminUser(house.ctx, SYSTEM, user.id, { is_active: false })
    expect((await visitor.get('/admin')).status).toBe(303)
    expect((await visitor.get(await walk(visitor))).status).toBe(403)
  })

  it('asks the provider for the rest where the token is short of the name or the role', async () => {
    await start()
    provider.script.claims = { sub: 'ada-1' }
    provider.script.userinfo = { email: 'ada@example.com', email_verified: true, groups: ['platform'] }
    const visitor = house.stranger()
    expect((await visitor.get(await walk(visitor))).status).toBe(200)
    expect(await usersNamed('ada@example.com')).toMatchObject({ role: 'admin' })
  })

  it('says in words that the provider was told no, without trusting its text', async () => {
    await start()
    const visitor = house.stranger()
    const begun = await visitor.get('/admin/oidc/start')
    const state = new URL(begun.location!).searchParams.get('state')!
    const said = new URLSearchParams({ error: 'access_denied', error_description: '<b onclick=x()>no', state })
    const answer = await visitor.get(`/admin/oidc/callback?${said}`)
    expect(answer.status).toBe(403)
    expect(answer.html).toContain('did not let you in, or you turned back. It says: &lt;b onclick=x()&gt;no')
  })

  it.each([
    [{ status: 401, error: 'invalid_client' }, /OIDC_CLIENT_ID and OIDC_CLIENT_SECRET/],
    [{ status: 400, error: 'invalid_scope' }, /refused the sign-in \(invalid_scope\)/],
  ])('says what the operator has to look at: %j', async (tokenError, expected) => {
    await start()
    provider.script.tokenError = tokenError
    const visitor = house.stranger()
    const answer = await visitor.get(await walk(visitor))
    expect([answer.status, reasonIn(answer.html)]).toEqual([502, expect.stringMatching(expected)])
  })

  it('says that the provider cannot be reached, and asks it again the next time', async () => {
    await start()
    const [issuer] = [provider.script.issuer]
    provider.script.issuer = 'https://another.example.com'
    const visitor = house.stranger()
    const refused = await visitor.get('/admin/oidc/start')
    expect([refused.status, reasonIn(refused.html)]).toEqual([502, expect.stringMatching(/OIDC_ISSUER/)])
    if (issuer === undefined) delete provider.script.issuer
    expect((await visitor.get('/admin/oidc/start')).status).toBe(303)
    await house.stop()
    const gone = provider.issuer
    await provider.close()
    await start({}, gone)
    const unreachable = await house.stranger().get('/admin/oidc/start')
    expect([unreachable.status, reasonIn(unreachable.html)]).toEqual([502, expect.stringMatching(/cannot be reached/)])
    provider = await startOidcProvider()
  })

  it.each([
    [
      'client_secret_post',
      ['client_secret_post'],
      (secret: string | null, header?: string) => secret === CLIENT.secret && !header,
    ],
    [
      'client_secret_basic',
      undefined,
      (secret: string | null, header?: string) => secret === null && /^Basic /.test(header!),
    ],
  ])('proves itself with %s where the provider wants it so', async (_name, methods, isRight) => {
    if (methods) provider.script.methods = methods
    await start()
    const visitor = house.stranger()
    expect((await visitor.get(await walk(visitor))).status).toBe(200)
    const [{ body, authorization }] = provider.asked as [(typeof provider.asked)[0]]
    expect(isRight(body.get('client_secret'), authorization)).toBe(true)
  })

  it('speaks without TLS to this machine alone', async () => {
    await start({}, 'http://idp.example.com')
    const answer = await house.stranger().get('/admin/oidc/start')
    expect(answer.status).toBe(502)
    expect(house.logs()).toContain('OAUTH_HTTP_REQUEST_FORBIDDEN')
  })

  it('leads nowhere but into the console', async () => {
    await start()
    const visitor = house.stranger()
    const answer = await visitor.get(await walk(visitor, 'https://evil.example.com/admin'))
    expect(answer.headers.get('refresh')).toBe('0; url=/admin')
  })

  it('leaves nothing of tokens, codes and secrets in the log or the audit log', async () => {
    await start()
    const visitor = house.stranger()
    const back = await walk(visitor)
    await visitor.get(back)
    provider.script.nonce = 'wrong'
    await visitor.get(await walk(visitor))
    const written = house.logs() + JSON.stringify((await house.ctx.store.audit.list({}, { limit: 100 })).data)
    for (const secret of [
      'at-secret-of-the-test',
      'eyJ',
      CLIENT.secret,
      'code-1',
      'code-2',
      visitor.cookies.get('llm_proxy_session')!,
    ])
      expect(written).not.toContain(secret)
  })

  it('is not there where it is not configured', async () => {
    house = await startConsole()
    await house.as('owner')
    expect((await house.stranger().get('/admin/oidc/start')).location).toMatch(/^\/admin\/sign-in/)
  })
})
