import { describe, expect, it } from '@jest/globals'
import { MANAGEMENT_TOKEN } from '../helpers/gateway.ts'
import { anError, given } from './given.ts'

const NOON = Date.UTC(2026, 10, 21, 12)

describe('the management API', () => {
  it('lets nobody in without the management token', async () => {
    const { call, token } = await given()
    const proxyToken = (await token()).token
    const wrong = [
      null,
      '',
      proxyToken,
      `${MANAGEMENT_TOKEN}x`,
      MANAGEMENT_TOKEN.slice(0, -1),
      MANAGEMENT_TOKEN.toUpperCase(),
    ]
    for (const given of wrong) {
      for (const path of ['/manage/projects', '/manage/status', '/manage', '/manage/nowhere']) {
        const { status, headers, body } = await call('GET', path, { token: given })
        expect(status).toBe(401)
        expect(headers.get('www-authenticate')).toBe('Bearer')
        expect(body).toEqual(anError('unauthorized'))
      }
    }
    expect(
      (await call('GET', '/manage/status', { token: null, headers: { authorization: `Basic ${MANAGEMENT_TOKEN}` } }))
        .status,
    ).toBe(401)
    expect((await call('GET', `/manage/status?key=${MANAGEMENT_TOKEN}`, { token: null })).status).toBe(401)
    expect(
      (await call('GET', '/manage/status', { token: null, headers: { authorization: `bearer  ${MANAGEMENT_TOKEN}` } }))
        .status,
    ).toBe(200)
  })

  it('changes nothing for those it does not let in', async () => {
    const { call, project, get } = await given()
    const { id } = await project()
    for (const [method, path] of [
      ['DELETE', `/manage/projects/${id}`],
      ['POST', '/manage/projects'],
    ] as const) {
      expect((await call(method, path, { token: 'wrong', body: { name: 'x' } })).status).toBe(401)
    }
    expect((await get('/manage/projects')).body.data).toHaveLength(2)
  })

  it('keeps thirty denials a minute in the audit log, and counts the rest', async () => {
    let now = NOON
    const { call, audit, gateway } = await given({ now: () => now })
    const deny = async (times: number) => {
      for (let i = 0; i < times; i++) await call('GET', '/manage/tokens?secret=1', { token: `wrong-${i}` })
    }
    const suppressed = async () =>
      /llmproxy_audit_suppressed_total (\d+)/.exec(await gateway.ctx.metrics.registry.metrics())?.[1]
    await deny(35)
    expect(await audit('outcome=denied')).toHaveLength(30)
    expect(await suppressed()).toBe('5')
    now += 60_000
    await deny(1)
    const rows = await audit('outcome=denied')
    expect(rows).toHaveLength(31)
    expect(rows[0]).toEqual({
      id: expect.stringMatching(/^aud_/),
      at: '2026-11-21T12:01:00.000Z',
      actor: 'anonymous',
      ip: '127.0.0.1',
      user_agent: 'node',
      action: 'manage.access',
      target_id: null,
      project_id: null,
      outcome: 'denied',
      reason: 'unauthorized',
      before: null,
      after: { method: 'GET', path: '/manage/tokens' },
    })
    expect(JSON.stringify(rows)).not.toContain('wrong-')
  })

  it('says which methods a place knows', async () => {
    const { call } = await given()
    const cases = [
      ['PUT', '/manage/projects', 'GET, HEAD, POST'],
      ['POST', '/manage/projects/proj_1', 'GET, HEAD, PATCH, DELETE'],
      ['GET', '/manage/tokens/tok_1/revoke', 'POST'],
      ['DELETE', '/manage/audit', 'GET, HEAD'],
      ['POST', '/manage/openapi.json', 'GET, HEAD'],
    ] as const
    for (const [method, path, allow] of cases) {
      const { status, headers, body } = await call(method, path)
      expect(status).toBe(405)
      expect(headers.get('allow')).toBe(allow)
      expect(body).toEqual(anError('method_not_allowed'))
    }
  })

  it('says 404 for what is not there', async () => {
    const { get, post } = await given()
    for (const path of [
      '/manage',
      '/manage/nowhere',
      '/manage/projects/proj_1/tokens',
      '/manage/Projects',
      '/manage/tokens/%00',
    ]) {
      const { status, body } = await get(path)
      expect(status).toBe(404)
      expect(body).toEqual(anError('not_found'))
    }
    expect((await post('/manage/nowhere', {})).status).toBe(404)
    expect((await get('/manage/requests/req_none')).body).toEqual(anError('not_found'))
  })

  it('answers HEAD as GET without a body', async () => {
    const { call } = await given()
    const { status, text } = await call('HEAD', '/manage/projects')
    expect([status, text]).toEqual([200, ''])
  })

  it('tells how the gateway is doing, without its secrets', async () => {
    const { get, gateway } = await given({ upstream: 'http://127.0.0.1:9/v1' })
    const { status, body, text } = await get('/manage/status')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.versions.node,
      state: 'running',
      uptime_seconds: expect.any(Number),
      database: {
        engine: 'sqlite',
        schema_version: expect.any(Number),
        size_bytes: expect.any(Number),
        writable: true,
      },
      providers: expect.arrayContaining([
        { name: 'openai', base_url: 'http://127.0.0.1:9/v1', has_shared_key: true, needs_key: true },
        expect.objectContaining({ name: 'anthropic', has_shared_key: false }),
      ]),
      provider_keys: 0,
      demo: false,
    })
    expect(body.routing).toEqual({ lanes: [], resting_keys: [] })
    expect(text).not.toMatch(/provider-secret|test-management/)
    gateway.ctx.life.draining = true
    expect((await get('/manage/status')).body.state).toBe('draining')
  })
})
