import { describe, expect, it } from '@jest/globals'
import { given } from './given.ts'

const SECRET = 'sk-provider-key-in-full-1234'

describe('/manage/audit', () => {
  it('has a row for every action: who, what, when, from where, and how it was before and after', async () => {
    const made = await given()
    const { id } = await made.project({ name: 'search', api_key: SECRET })
    const path = `/manage/projects/${id}`
    await made.patch(path, { is_active: false })
    const key = await made.post(`${path}/provider-keys`, { provider: 'openai', key: SECRET })
    await made.delete(`${path}/provider-keys/${key.body.id}`)
    const { token, ...known } = (await made.post('/manage/tokens', { project_id: id, name: 'ci' })).body
    await made.patch(`/manage/tokens/${known.id}`, { name: 'cd' })
    await made.post(`/manage/tokens/${known.id}/revoke`)
    await made.post(`${path}/tokens/revoke`)
    await made.delete(`/manage/tokens/${known.id}`)
    await made.delete(path)

    const rows = (await made.audit(`project_id=${id}`)).reverse()
    expect(rows.map(({ action, target_id }) => [action, target_id])).toEqual([
      ['project.create', id],
      ['project.update', id],
      ['provider_key.create', key.body.id],
      ['provider_key.delete', key.body.id],
      ['token.create', known.id],
      ['token.update', known.id],
      ['token.revoke', known.id],
      ['token.revoke_all', id],
      ['token.delete', known.id],
      ['project.delete', id],
    ])
    for (const row of rows) {
      expect(row).toMatchObject({
        actor: 'management_token',
        ip: '127.0.0.1',
        user_agent: 'node',
        outcome: 'success',
        reason: null,
      })
    }
    expect(rows[0]).toMatchObject({ before: null, after: { name: 'search', provider_keys: [{ last4: '1234' }] } })
    expect(rows[1]).toMatchObject({ before: { is_active: true }, after: { is_active: false } })
    expect(rows[5]).toMatchObject({ before: { name: 'ci' }, after: { name: 'cd', created_at: known.created_at } })
    expect(rows[8]).toMatchObject({ before: { id: known.id }, after: null })
    const text = JSON.stringify(rows)
    for (const secret of [token, SECRET, 'hash', 'sealed', 'provider-key-in-full']) expect(text).not.toContain(secret)
  })

  it('has a row for every action that failed, with its reason and nothing of its content', async () => {
    const made = await given()
    await made.project({ name: 'taken' })
    await made.post('/manage/projects', { name: 'taken', api_key: SECRET })
    await made.post('/manage/projects', `{"api_key":"${SECRET}"`)
    await made.post('/manage/projects/proj_none/provider-keys', { provider: 'openai', key: SECRET })
    await made.patch('/manage/tokens/tok_none', 'broken')
    await made.patch('/manage/tokens/tok_none', {})
    const rows = await made.audit('outcome=failure')
    expect(rows.map(({ action, target_id, reason }) => [action, target_id, reason])).toEqual([
      ['token.update', 'tok_none', 'not_found'],
      ['token.update', 'tok_none', 'invalid_json'],
      ['provider_key.create', null, 'not_found'],
      ['project.create', null, 'invalid_json'],
      ['project.create', null, 'conflict'],
    ])
    expect(JSON.stringify(rows)).not.toContain('provider-key-in-full')
    expect(made.gateway.logs()).not.toContain('provider-key-in-full')
  })

  it('has no rows for looking', async () => {
    const { get, audit } = await given()
    const before = await audit('')
    for (const path of [
      'projects',
      'tokens',
      'usage',
      'requests',
      'audit',
      'status',
      'projects/proj_none',
      'tokens?limit=0',
    ]) {
      await get(`/manage/${path}`)
    }
    expect(await audit('')).toEqual(before)
  })

  it('finds by actor, action, target, project, outcome and time, page by page', async () => {
    let now = Date.UTC(2026, 10, 21, 12)
    const made = await given({ now: () => now })
    now += 60_000
    const { id } = await made.project()
    now += 60_000
    await made.post('/manage/projects', {})
    for (let i = 0; i < 4; i++) await made.patch(`/manage/projects/${id}`, {})
    const count = async (query: string) => (await made.audit(query)).length
    expect(await count('actor=system')).toBe(1)
    expect(await count('actor=management_token')).toBe(6)
    expect(await count('action=project.update')).toBe(4)
    expect(await count(`target_id=${id}`)).toBe(5)
    expect(await count(`project_id=${id}&action=project.create`)).toBe(1)
    expect(await count('outcome=failure')).toBe(1)
    expect(await count('from=2026-11-21T12:01:00Z&to=2026-11-21T12:02:00Z')).toBe(1)
    expect(await count('from=2026-11-22')).toBe(0)
    expect(await count('to=2026-11-21')).toBe(0)
    expect((await made.pages('/manage/audit', 3)).map((page) => page.length)).toEqual([3, 3, 1])
    expect((await made.get('/manage/audit?outcome=maybe&from=yesterday')).status).toBe(422)
  })
})
