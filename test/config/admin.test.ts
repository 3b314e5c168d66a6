import { describe, expect, it } from '@jest/globals'
import { load, problemsOf } from './load-from.ts'

const OIDC = {
  OIDC_ISSUER: 'https://login.example.com/',
  OIDC_CLIENT_ID: 'llm-proxy',
  PUBLIC_URL: 'https://llm.example.com/',
  OIDC_DEFAULT_ROLE: 'viewer',
}

describe('the admin console', () => {
  it('is on, with passwords, sessions of a day that end after two idle hours, and without single sign-on', () => {
    expect(load({}).config.admin).toEqual({
      enabled: true,
      idleMs: 120 * 60_000,
      totalMs: 24 * 3_600_000,
      publicUrl: null,
      passwordSignIn: true,
      oidc: null,
    })
  })

  it('can be switched off, and have other times', () => {
    const env = { ADMIN_CONSOLE: 'off', ADMIN_SESSION_IDLE_MINUTES: '5', ADMIN_SESSION_HOURS: '1' }
    expect(load(env).config.admin).toMatchObject({ enabled: false, idleMs: 300_000, totalMs: 3_600_000 })
    const { warnings } = load({ ADMIN_SESSION_IDLE_MINUTES: '61', ADMIN_SESSION_HOURS: '1' })
    expect(warnings).toEqual([expect.stringContaining('longer than ADMIN_SESSION_HOURS')])
  })
})

describe('single sign-on', () => {
  it('takes the issuer letter by letter, for a slash at its end belongs to its name', () => {
    const { config, warnings } = load(OIDC)
    expect(warnings).toEqual([])
    expect(config.admin).toMatchObject({ publicUrl: 'https://llm.example.com' })
    expect(config.admin.oidc).toEqual({
      issuer: 'https://login.example.com/',
      clientId: 'llm-proxy',
      clientSecret: null,
      scopes: 'openid profile email',
      nameClaim: 'email',
      roleClaim: null,
      roleMap: {},
      defaultRole: 'viewer',
    })
  })

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['as text', { OIDC_ROLE_MAP: 'platform=owner, eng = Viewer' }, {}],
    ['as a YAML map', {}, { 'llm-proxy.yaml': 'admin: { oidc: { role_map: { platform: owner, eng: viewer } } }' }],
    ['as a YAML list', {}, { 'llm-proxy.yaml': 'admin:\n  oidc:\n    role_map: [platform=owner, eng=viewer]\n' }],
  ])('reads a map of roles %s', (_what, env, files) => {
    const { config } = load({ ...OIDC, OIDC_ROLE_CLAIM: 'groups', ...env }, files)
    expect(config.admin.oidc?.roleMap).toEqual({ platform: 'owner', eng: 'viewer' })
  })

  it('reads names of groups that have an equals sign', () => {
    const env = { ...OIDC, OIDC_ROLE_CLAIM: 'groups', OIDC_ROLE_MAP: 'cn=admins=owner' }
    expect(load(env).config.admin.oidc?.roleMap).toEqual({ 'cn=admins': 'owner' })
  })

  it.each<[Record<string, string>, RegExp]>([
    [{ OIDC_CLIENT_ID: '' }, /^OIDC_CLIENT_ID: is missing/],
    [{ PUBLIC_URL: '' }, /^PUBLIC_URL: is missing/],
    [{ OIDC_ISSUER: 'http://login.example.com' }, /^OIDC_ISSUER: must start with https/],
    [{ OIDC_ISSUER: 'login.example.com' }, /^OIDC_ISSUER: must be an address/],
    [{ OIDC_ROLE_CLAIM: 'groups' }, /^OIDC_ROLE_MAP: OIDC_ROLE_CLAIM and OIDC_ROLE_MAP need each other/],
    [{ OIDC_ROLE_MAP: 'a=owner' }, /^OIDC_ROLE_MAP: OIDC_ROLE_CLAIM and OIDC_ROLE_MAP need each other/],
    [{ OIDC_ROLE_CLAIM: 'groups', OIDC_ROLE_MAP: 'a=root' }, /^OIDC_ROLE_MAP: a must be one of owner, admin, viewer/],
    [{ OIDC_ROLE_CLAIM: 'groups', OIDC_ROLE_MAP: 'platform' }, /^OIDC_ROLE_MAP: must be a list such as/],
    [{ OIDC_DEFAULT_ROLE: 'root' }, /^OIDC_DEFAULT_ROLE: must be one of/],
    [{ OIDC_SCOPES: 'email profile' }, /^OIDC_SCOPES: must have openid among it/],
  ])('%j is told', (env, problem) => {
    expect(problemsOf({ ...OIDC, ...env })).toEqual([expect.stringMatching(problem)])
  })

  it('may be on this machine without TLS', () => {
    for (const host of ['localhost:9000', '127.0.0.1', '[::1]:9000'])
      expect(load({ ...OIDC, OIDC_ISSUER: `http://${host}` }).config.admin.oidc?.issuer).toBe(`http://${host}`)
  })

  it('warns of what has no effect, lets nobody in, or can be read on the way', () => {
    expect(load({ OIDC_CLIENT_SECRET: 'hidden-secret' }).warnings).toEqual([
      'OIDC_CLIENT_SECRET: has no effect without OIDC_ISSUER',
    ])
    expect(load({ ...OIDC, OIDC_DEFAULT_ROLE: '' }).warnings).toEqual([expect.stringContaining('OIDC_DEFAULT_ROLE')])
    expect(load({ ...OIDC, PUBLIC_URL: 'http://llm.example.com' }).warnings).toEqual([
      expect.stringContaining('PUBLIC_URL: starts with http://'),
    ])
  })

  it('has to be there where passwords are switched off', () => {
    expect(problemsOf({ ADMIN_PASSWORD_SIGN_IN: 'false' })).toEqual([expect.stringMatching(/nobody could sign in/)])
    expect(load({ ...OIDC, ADMIN_PASSWORD_SIGN_IN: 'false' }).config.admin.passwordSignIn).toBe(false)
    expect(load({ ADMIN_PASSWORD_SIGN_IN: 'false', ADMIN_CONSOLE: 'false' }).warnings).toEqual([])
  })

  it('does not show its secret', () => {
    const { shown } = load({ ...OIDC, OIDC_CLIENT_SECRET: 'hidden-secret' })
    expect(JSON.stringify(shown)).not.toContain('hidden-secret')
  })
})
