import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Routing } from '../../src/routing/types.ts'
import { anError, given } from './given.ts'

const route = (pattern: string, fields: object = {}) => ({ pattern, targets: [{ provider: 'openai' }], ...fields })
const target = (provider: string) => ({ provider, model: null, weight: 1, timeouts: null })

describe('/manage/routes', () => {
  let api: Awaited<ReturnType<typeof given>>
  beforeAll(async () => {
    api = await given()
    const { routing } = api.gateway.ctx
    routing.replace({
      ...routing.ofFile(),
      routes: [
        {
          pattern: 'gpt-4',
          origin: 'file',
          id: null,
          strategy: 'fallback',
          targets: [target('openai')],
          timeouts: null,
          maxRetries: null,
          recovery: null,
          routesAroundRefusals: false,
        },
      ],
    } as Routing)
  })
  const patterns = async () => (await api.get('/manage/routes')).body.data.map(({ pattern }) => pattern)

  it('keeps a route with all its fields, in force with the next request', async () => {
    const made = await api.post('/manage/routes', {
      pattern: 'fast-*',
      strategy: 'weighted',
      targets: [
        { provider: 'openai', model: 'gpt-4o', weight: 2, timeouts: { first_token_ms: 500 } },
        { provider: 'anthropic' },
      ],
      timeouts: { total_ms: 9000 },
      max_retries: 1,
      recovery: 'off',
      routes_around_refusals: true,
    })
    expect(made.status).toBe(201)
    const none = { connect_ms: null, headers_ms: null, first_token_ms: null, idle_ms: null, total_ms: null }
    expect(made.body).toEqual({
      id: expect.stringMatching(/^rte_/),
      pattern: 'fast-*',
      origin: 'database',
      in_force: true,
      strategy: 'weighted',
      targets: [
        { provider: 'openai', model: 'gpt-4o', weight: 2, timeouts: { ...none, first_token_ms: 500 } },
        target('anthropic'),
      ],
      timeouts: { ...none, total_ms: 9000 },
      max_retries: 1,
      recovery: 'off',
      routes_around_refusals: true,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect((await api.get(`/manage/routes/${made.body.id}`)).body).toEqual(made.body)
    const { routes } = await api.gateway.ctx.routing.current()
    expect(routes.find(({ id }) => id === made.body.id)).toMatchObject({
      origin: 'database',
      targets: [{ timeouts: { firstTokenMs: 500 } }, { weight: 1 }],
      timeouts: { totalMs: 9000 },
      maxRetries: 1,
      recovery: 'off',
    })
    expect(await api.audit('action=route.create')).toMatchObject([{ target_id: made.body.id, outcome: 'success' }])
  })

  it('lists the file’s routes before the database’s, each with its origin', async () => {
    const { body } = await api.get('/manage/routes')
    expect(body.data[0]).toEqual({
      id: null,
      pattern: 'gpt-4',
      origin: 'file',
      in_force: true,
      strategy: 'fallback',
      targets: [target('openai')],
      timeouts: null,
      max_retries: null,
      recovery: null,
      routes_around_refusals: false,
      created_at: null,
      updated_at: null,
    })
    expect(body).toMatchObject({ has_more: false, next_cursor: null })
    expect(await patterns()).toEqual(['gpt-4', 'fast-*'])
  })

  it('changes what is said, and puts back what is null', async () => {
    const { id } = (
      await api.post('/manage/routes', route('patch', { strategy: 'cheapest', max_retries: 3, recovery: 'off' }))
    ).body
    const changed = await api.patch(`/manage/routes/${id}`, {
      strategy: null,
      targets: [{ provider: 'gemini' }],
      recovery: 'restart',
    })
    expect(changed.body).toMatchObject({
      pattern: 'patch',
      strategy: 'fallback',
      targets: [target('gemini')],
      max_retries: 3,
      recovery: 'restart',
    })
    const renamed = await api.patch(`/manage/routes/${id}`, { pattern: 'patched', max_retries: null })
    expect(renamed.body).toMatchObject({
      pattern: 'patched',
      targets: [target('gemini')],
      max_retries: null,
      recovery: 'restart',
    })
    expect(await api.audit('action=route.update')).toHaveLength(2)
    expect((await api.delete(`/manage/routes/${id}`)).status).toBe(204)
    expect((await api.get(`/manage/routes/${id}`)).status).toBe(404)
    expect((await api.delete(`/manage/routes/${id}`)).status).toBe(204)
  })

  it('refuses what the file would refuse, each field by name', async () => {
    const wrong = await api.post('/manage/routes', {
      strategy: 'fastest',
      targets: [
        { provider: 'opnai', wieght: 1 },
        { provider: 'openai', weight: 0 },
      ],
      timeout: {},
    })
    expect(wrong.status).toBe(422)
    expect(wrong.body).toEqual(
      anError('validation_failed', {
        pattern: 'is required',
        strategy: 'must be one of fallback, weighted, round_robin, least_latency, least_busy, cheapest',
        'targets.0.provider': 'unknown provider; did you mean openai?',
        'targets.0.wieght': 'is not a known field; did you mean weight?',
        'targets.1.weight': 'must be more than 0',
        timeout: 'is not a known field; did you mean timeouts?',
      }),
    )
    expect((await api.post('/manage/routes', route('a', { targets: [] }))).status).toBe(422)
    expect(await api.audit('action=route.create&outcome=failure')).toHaveLength(2)
  })

  it('refuses a pattern that the database or the file has already', async () => {
    await api.post('/manage/routes', route('once'))
    const { id } = (await api.post('/manage/routes', route('other'))).body
    const conflict = anError('conflict', { pattern: 'is taken by another route' })
    for (const pattern of ['once', 'gpt-4']) {
      for (const answer of [
        await api.post('/manage/routes', route(pattern)),
        await api.patch(`/manage/routes/${id}`, { pattern }),
      ]) {
        expect(answer.status).toBe(409)
        expect(answer.body).toEqual(conflict)
      }
    }
  })

  it('shows one that the file has come to overrule as not in force', async () => {
    const { id } = (await api.post('/manage/routes', route('soon'))).body
    const { routing } = api.gateway.ctx
    const before = routing.ofFile()
    routing.replace({ ...before, routes: [...before.routes, { ...before.routes[0]!, pattern: 'soon' }] })
    const { data } = (await api.get('/manage/routes')).body
    expect(data.filter(({ pattern }) => pattern === 'soon').map(({ in_force }) => in_force)).toEqual([true, false])
    expect((await api.patch(`/manage/routes/${id}`, { max_retries: 1 })).body).toMatchObject({ in_force: false })
    routing.replace(before)
    expect((await api.get(`/manage/routes/${id}`)).body).toMatchObject({ in_force: true })
  })

  it('has as many as a thousand', async () => {
    const { store } = api
    const { id, ...stored } = (await store.routes.list())[0]!
    const stamp = { ...(await store.audit.list({}, { limit: 1 })).data[0]!, action: 'test' }
    const there = (await store.routes.list()).length
    for (let i = there; i < 1000; i++)
      await store.routes.create({ ...stored, id: `rte_${i}`, pattern: `filler-${i}` }, { ...stamp, id: `aud_${i}` })
    const answer = await api.post('/manage/routes', route('too-much'))
    expect(answer.status).toBe(409)
    expect((await patterns()).length).toBe(1001)
  })
})
