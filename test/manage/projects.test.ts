import { describe, expect, it } from '@jest/globals'
import { anError, given } from './given.ts'

const SECRET = 'sk-provider-key-in-full-1234'

describe('/manage/projects', () => {
  it('creates a project and never shows its provider keys again', async () => {
    const { post, get } = await given()
    const { status, headers, body, text } = await post('/manage/projects', {
      name: 'search',
      provider_keys: [{ provider: 'anthropic', key: SECRET, weight: 3 }],
      allowed_models: ['claude-*'],
      rate_limit: { requests_per_minute: 60 },
      metadata: { team: 'search' },
    })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      id: expect.stringMatching(/^proj_/),
      name: 'search',
      is_active: true,
      budgets: null,
      allowed_models: ['claude-*'],
      rate_limit: { requests_per_minute: 60, tokens_per_minute: null, concurrent_requests: null },
      metadata: { team: 'search' },
      provider_keys: [
        {
          id: expect.stringMatching(/^key_/),
          project_id: body.id,
          provider: 'anthropic',
          last4: '1234',
          weight: 3,
          created_at: body.created_at,
        },
      ],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: body.created_at,
    })
    const again = await get(`/manage/projects/${body.id}`)
    expect(again.body).toEqual(body)
    for (const shown of [text, again.text]) expect(shown).not.toMatch(/provider-key-in-full|sealed|v1\./)
  })

  it('gives the key of api_key to the default provider', async () => {
    const { project } = await given({ config: { defaultProvider: 'mistral' } })
    const { provider_keys } = await project({ api_key: SECRET })
    expect(provider_keys).toEqual([expect.objectContaining({ provider: 'mistral', last4: '1234' })])
  })

  it('lists the newest first, page by page, each project once', async () => {
    const { project, pages, get } = await given()
    const ids = ['default']
    for (let i = 0; i < 5; i++) ids.unshift((await project()).id)
    const found = await pages('/manage/projects', 2)
    expect(found.map((page) => page.length)).toEqual([2, 2, 2])
    expect(found.flat().map(({ id, name }) => (name === 'default' ? name : id))).toEqual(ids)
    expect((await get('/manage/projects?after=proj_none')).body).toEqual({
      data: [],
      has_more: false,
      next_cursor: null,
    })
  })

  it('changes what is named, and nothing else', async () => {
    const { project, patch, get } = await given()
    const before = await project({ rate_limit: { requests_per_minute: 5, tokens_per_minute: 7 }, metadata: { a: 1 } })
    const path = `/manage/projects/${before.id}`
    const { status, body } = await patch(path, { name: 'renamed', rate_limit: { requests_per_minute: null } })
    expect(status).toBe(200)
    expect(body).toEqual({
      ...before,
      name: 'renamed',
      rate_limit: { requests_per_minute: null, tokens_per_minute: 7, concurrent_requests: null },
      updated_at: body.updated_at,
    })
    expect((await patch(path, { rate_limit: null, metadata: null })).body).toMatchObject({
      rate_limit: null,
      metadata: {},
    })
    expect((await get(path)).body).toMatchObject({ name: 'renamed', rate_limit: null, metadata: {} })
  })

  it('deletes for good, again and again', async () => {
    const made = await given()
    const { id } = await made.project()
    for (let i = 0; i < 2; i++) {
      const { status, text } = await made.delete(`/manage/projects/${id}`)
      expect([status, text]).toEqual([204, ''])
    }
    for (const answer of [await made.get(`/manage/projects/${id}`), await made.patch(`/manage/projects/${id}`, {})]) {
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual(anError('not_found'))
    }
  })

  it('refuses a name that is taken with 409', async () => {
    const { post, patch, project } = await given()
    await project({ name: 'taken' })
    const other = await project()
    const conflict = anError('conflict', { name: 'is taken by another project' })
    for (const answer of [
      await post('/manage/projects', { name: 'taken' }),
      await patch(`/manage/projects/${other.id}`, { name: 'taken' }),
    ]) {
      expect(answer.status).toBe(409)
      expect(answer.body).toEqual(conflict)
    }
  })

  it('refuses fields that are wrong or unknown with 422, by name', async () => {
    const { post, patch, project, get } = await given()
    const wrong = await post('/manage/projects', { nmae: 'x', is_active: 1, provider_keys: [{ provider: 'acme' }] })
    expect(wrong.status).toBe(422)
    expect(wrong.body).toEqual(
      anError('validation_failed', {
        name: 'is required',
        'provider_keys.0.provider': expect.stringMatching(
          /^must be one of openai, anthropic, gemini/,
        ) as unknown as string,
        'provider_keys.0.key': 'is required',
        is_active: 'must be true or false',
        nmae: 'is not a known field; did you mean name?',
      }),
    )
    const { id } = await project()
    expect((await patch(`/manage/projects/${id}`, { created_at: 'x' })).body).toEqual(
      anError('validation_failed', { created_at: 'is not a known field' }),
    )
    expect((await get('/manage/projects?limit=201&page=2')).body).toEqual(
      anError('validation_failed', { limit: 'must be at most 200', page: 'is not a known field' }),
    )
    expect((await get('/manage/projects?limit=two')).status).toBe(422)
    expect((await get('/manage/projects?limit=1&limit=2')).status).toBe(422)
  })
})

describe('/manage/projects/{id}/provider-keys', () => {
  it('adds a key and takes it away, again and again', async () => {
    const made = await given()
    const { id } = await made.project()
    const path = `/manage/projects/${id}/provider-keys`
    const { status, body } = await made.post(path, { provider: 'openai', key: SECRET })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^key_/),
      project_id: id,
      provider: 'openai',
      last4: '1234',
      weight: 1,
      created_at: expect.any(String),
    })
    expect((await made.get(`/manage/projects/${id}`)).body.provider_keys).toEqual([body])
    for (let i = 0; i < 2; i++) expect((await made.delete(`${path}/${body.id}`)).status).toBe(204)
    expect((await made.get(`/manage/projects/${id}`)).body.provider_keys).toEqual([])
  })

  it('changes the weight of a key, and rotates it in one step', async () => {
    const { project, post, patch, get } = await given()
    const { id, provider_keys } = await project({ provider_keys: [{ provider: 'anthropic', key: SECRET, weight: 3 }] })
    const old = provider_keys[0]!
    const path = `/manage/projects/${id}/provider-keys/${old.id}`
    expect((await patch(path, { weight: 5 })).body).toEqual({ ...old, weight: 5 })
    expect((await patch(path, { weight: 0 })).body).toEqual(
      anError('validation_failed', { weight: 'must be more than 0' }),
    )
    const { status, body, text } = await post(`${path}/replace`, { key: 'sk-the-next-provider-key-9876' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ provider: 'anthropic', last4: '9876', weight: 5 })
    expect(body.id).not.toBe(old.id)
    expect(text).not.toContain('next-provider')
    expect((await get(`/manage/projects/${id}`)).body.provider_keys).toEqual([body])
    for (const gone of [await post(`${path}/replace`, { key: SECRET }), await patch(path, { weight: 1 })])
      expect(gone.body).toEqual(anError('not_found'))
    const { data } = (await get('/manage/audit?action=provider_key.replace')).body
    expect(data).toEqual([
      expect.objectContaining({ target_id: old.id, outcome: 'failure', reason: 'not_found' }),
      expect.objectContaining({ target_id: old.id, project_id: id, outcome: 'success' }),
    ])
    expect(JSON.stringify(data)).not.toMatch(/next-provider|sealed/)
  })

  it('says 404 for a project that is not there, and 422 for a key that is none', async () => {
    const { post, project } = await given()
    const key = { provider: 'openai', key: SECRET }
    expect((await post('/manage/projects/proj_none/provider-keys', key)).body).toEqual(anError('not_found'))
    const { id } = await project()
    const wrong = await post(`/manage/projects/${id}/provider-keys`, { ...key, key: `${SECRET} ${SECRET}` })
    expect(wrong.status).toBe(422)
    expect(wrong.text).not.toContain(SECRET)
  })
})
