import { describe, expect, it } from '@jest/globals'
import { anError, given } from './given.ts'

describe('/manage/tokens', () => {
  it('shows the token once, and its last four characters from then on', async () => {
    const { project, post, get } = await given()
    const { id } = await project()
    const { status, body } = await post('/manage/tokens', {
      project_id: id,
      budgets: [{ period: 'month', limit_usd: '12.50' }],
      name: 'ci',
      expires_at: '2100-01-01T00:00:00+01:00',
      max_requests: 5,
      rate_limit: { concurrent_requests: 2 },
      allowed_models: ['gpt-*'],
      allowed_endpoints: ['/v1/chat/*'],
      allowed_ips: ['10.0.0.0/8'],
      metadata: { a: 1 },
    })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^tok_/),
      token: expect.stringMatching(/^sk-[A-Za-z0-9_-]{43}$/),
      project_id: id,
      budgets: [{ period: 'month', limit_usd: '12.5', limit_tokens: null, reset_at: null }],
      name: 'ci',
      last4: body.token.slice(-4),
      is_active: true,
      expires_at: '2099-12-31T23:00:00.000Z',
      revoked_at: null,
      max_requests: 5,
      request_count: 0,
      last_used_at: null,
      rate_limit: { requests_per_minute: null, tokens_per_minute: null, concurrent_requests: 2 },
      allowed_models: ['gpt-*'],
      allowed_endpoints: ['/v1/chat/*'],
      allowed_ips: ['10.0.0.0/8'],
      metadata: { a: 1 },
      created_at: expect.any(String),
      updated_at: body.created_at,
    })
    const { token, ...known } = body
    const again = await get(`/manage/tokens/${body.id}`)
    expect(again.body).toEqual(known)
    for (const { text } of [again, await get('/manage/tokens'), await get('/manage/audit')]) {
      expect(text).toContain(body.id)
      expect(text).not.toContain(token)
      expect(text).not.toContain('hash')
    }
  })

  it('lists page by page, by project, and only the active ones when asked', async () => {
    const { project, post, patch, pages, call } = await given()
    const [one, two] = [await project(), await project()]
    const ids: string[] = []
    for (const { id } of [one, one, one, two, two]) {
      ids.unshift((await post('/manage/tokens', { project_id: id })).body.id)
    }
    const idsOf = async (query: string, limit = 200) =>
      (await pages(`/manage/tokens?${query}`, limit)).flat().map(({ id }) => id)
    expect((await pages('/manage/tokens', 2)).map((page) => page.length)).toEqual([2, 2, 1])
    expect(await idsOf('', 2)).toEqual(ids)
    expect(await idsOf(`project_id=${one.id}`, 1)).toEqual(ids.slice(2))
    await call('POST', `/manage/tokens/${ids[0]}/revoke`)
    await patch(`/manage/tokens/${ids[2]}`, { is_active: false })
    await patch(`/manage/tokens/${ids[3]}`, { expires_at: '2020-01-01T00:00:00Z' })
    expect(await idsOf('active_only=true')).toEqual([ids[1], ids[4]])
    expect(await idsOf('active_only=false')).toEqual(ids)
    expect(await idsOf('state=revoked')).toEqual([ids[0]])
    expect(await idsOf('state=off')).toEqual([ids[2]])
    expect(await idsOf('state=expired')).toEqual([ids[3]])
    expect(await idsOf('state=active&active_only=true')).toEqual([ids[1], ids[4]])
    expect(await idsOf(`search=${String(ids[4]).slice(4)}`)).toEqual([ids[4]])
    expect(await idsOf('expires_before=2020-01-02')).toEqual([ids[3]])
    expect((await call('GET', '/manage/tokens?active_only=true&state=off')).body).toEqual(
      anError('validation_failed', { state: 'cannot be another than active together with active_only' }),
    )
    expect((await call('GET', '/manage/tokens?active_only=maybe')).body).toEqual(
      anError('validation_failed', { active_only: 'must be one of true, false' }),
    )
  })

  it('changes what is named, and clears with null', async () => {
    const { token, patch } = await given()
    const { token: _secret, ...before } = await token({
      name: 'ci',
      max_requests: 5,
      rate_limit: { requests_per_minute: 1 },
    })
    const path = `/manage/tokens/${before.id}`
    const { status, body } = await patch(path, { name: null, rate_limit: { tokens_per_minute: 2 } })
    expect(status).toBe(200)
    expect(body).toEqual({
      ...before,
      name: null,
      rate_limit: { requests_per_minute: 1, tokens_per_minute: 2, concurrent_requests: null },
      updated_at: body.updated_at,
    })
    expect((await patch(path, { max_requests: null, is_active: false })).body).toMatchObject({
      max_requests: null,
      is_active: false,
    })
    const wrong = await patch(path, { project_id: 'proj_x', request_count: 0 })
    expect(wrong.status).toBe(422)
    expect(wrong.body).toEqual(
      anError('validation_failed', { project_id: 'is not a known field', request_count: 'is not a known field' }),
    )
  })

  it('revokes for good, once or twice', async () => {
    const { token, call, patch } = await given()
    const { id } = await token()
    const first = await call('POST', `/manage/tokens/${id}/revoke`)
    expect(first.status).toBe(200)
    expect(first.body).toMatchObject({ is_active: false, revoked_at: expect.any(String) })
    expect((await call('POST', `/manage/tokens/${id}/revoke`)).body).toEqual(first.body)
    const revived = await patch(`/manage/tokens/${id}`, { is_active: true })
    expect(revived.status).toBe(409)
    expect(revived.body).toMatchObject({ error: { code: 'conflict', param: 'is_active' } })
  })

  it('revokes all tokens of a project', async () => {
    const { project, post, call } = await given()
    const { id } = await project()
    for (let i = 0; i < 3; i++) await post('/manage/tokens', { project_id: id })
    expect((await call('POST', `/manage/projects/${id}/tokens/revoke`)).body).toEqual({ revoked: 3 })
    expect((await call('POST', `/manage/projects/${id}/tokens/revoke`)).body).toEqual({ revoked: 0 })
    expect((await call('POST', '/manage/projects/proj_none/tokens/revoke')).body).toEqual(anError('not_found'))
  })

  it('deletes for good, again and again', async () => {
    const made = await given()
    const { id } = await made.token()
    for (let i = 0; i < 2; i++) expect((await made.delete(`/manage/tokens/${id}`)).status).toBe(204)
    for (const answer of [
      await made.get(`/manage/tokens/${id}`),
      await made.patch(`/manage/tokens/${id}`, {}),
      await made.post(`/manage/tokens/${id}/revoke`),
    ]) {
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual(anError('not_found'))
    }
  })

  it('refuses a token without a project, or with an expiry that is past or given twice', async () => {
    const { post, project } = await given()
    expect((await post('/manage/tokens', { project_id: 'proj_none' })).status).toBe(404)
    expect((await post('/manage/tokens', {})).body).toEqual(anError('validation_failed', { project_id: 'is required' }))
    const project_id = (await project()).id
    expect((await post('/manage/tokens', { project_id, expires_at: '2020-01-01T00:00:00Z' })).body).toEqual(
      anError('validation_failed', { expires_at: 'must be in the future' }),
    )
    expect(
      (await post('/manage/tokens', { project_id, expires_at: '2100-01-01T00:00:00Z', duration_minutes: 1 })).body,
    ).toEqual(anError('validation_failed', { duration_minutes: 'cannot be given together with expires_at' }))
  })
})
