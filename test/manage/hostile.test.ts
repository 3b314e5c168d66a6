import { describe, expect, it } from '@jest/globals'
import { StoreError } from '../../src/store/store.ts'
import { anError, given } from './given.ts'

describe('what is sent to the management API', () => {
  it('may be broken, and gets a 4xx in the one shape of errors', async () => {
    const { post, patch, call, project } = await given()
    const { id } = await project()
    for (const body of ['{', '{"name":', 'name=x', '{"name":"x"}}', '\u0000', "{'name':'x'}"]) {
      const answer = await post('/manage/projects', body)
      expect(answer.status).toBe(400)
      expect(answer.body).toEqual(anError('invalid_json'))
    }
    for (const body of ['"text"', '[]', 'null', '7', 'true']) {
      const answer = await patch(`/manage/projects/${id}`, body)
      expect(answer.status).toBe(422)
      expect(answer.body).toEqual(anError('validation_failed', { body: 'must be an object' }))
    }
    expect((await post('/manage/projects')).body).toEqual(anError('validation_failed', { name: 'is required' }))
    expect((await call('GET', '/manage/projects/%zz')).status).toBe(400)
    const zipped = await call('POST', '/manage/projects', { body: 'not gzip', headers: { 'content-encoding': 'gzip' } })
    expect(zipped.status).toBe(400)
    expect(zipped.body).toEqual(anError('invalid_request'))
  })

  it('may be huge or deep, and costs no more than a refusal', async () => {
    const { post, audit } = await given()
    const huge = await post('/manage/projects', { name: 'x', metadata: { a: 'x'.repeat(1_100_000) } })
    expect(huge.status).toBe(413)
    expect(huge.body).toEqual(anError('request_too_large'))
    const deep = await post(
      '/manage/projects',
      `{"name":"x","metadata":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
    )
    expect(deep.status).toBe(422)
    const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`${'x'.repeat(50)}${i}`, 1]))
    const many = await post('/manage/projects', fields)
    expect(many.status).toBe(422)
    expect(many.text.length).toBeLessThan(10_000)
    expect((await audit('action=project.create&outcome=failure')).map(({ reason }) => reason)).toEqual([
      'validation_failed',
      'validation_failed',
      'request_too_large',
    ])
  })

  it('is taken as text, whatever it would mean elsewhere', async () => {
    const { project, get, post } = await given()
    for (const name of [
      "x'); DROP TABLE projects; --",
      '%s%n$(id)`id`',
      '<script>alert(1)</script>',
      '../../../etc/passwd',
      '🦊',
    ]) {
      const made = await project({ name, metadata: { name } })
      expect((await get(`/manage/projects/${made.id}`)).body).toMatchObject({ name, metadata: { name } })
    }
    for (const id of ["' OR 1=1 --", 'a'.repeat(5000), '\u0000', '__proto__', 'constructor']) {
      expect((await get(`/manage/projects/${encodeURIComponent(id)}`)).status).toBe(404)
      expect((await get(`/manage/tokens/${encodeURIComponent(id)}`)).status).toBe(404)
      expect((await post('/manage/tokens', { project_id: id })).status).toBeGreaterThanOrEqual(404)
    }
    expect((await get(`/manage/tokens?project_id=${encodeURIComponent("' OR 1=1 --")}`)).body.data).toEqual([])
  })

  it('cannot reach the prototype of objects', async () => {
    const { post, get } = await given()
    expect((await post('/manage/projects', '{"name":"x","__proto__":{"is_active":false}}')).body).toEqual(
      anError('validation_failed', { ['__proto__']: 'is not a known field' }),
    )
    expect(
      (await post('/manage/projects', '{"name":"x","rate_limit":{"__proto__":{"requests_per_minute":1}}}')).status,
    ).toBe(422)
    expect((await post('/manage/projects', '{"name":"x","metadata":{"__proto__":{"polluted":1}}}')).status).toBe(422)
    expect((await post('/manage/projects', '{"name":"x","constructor":{"prototype":{"polluted":1}}}')).status).toBe(422)
    expect((await get('/manage/projects?__proto__[polluted]=1')).status).toBe(422)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('stays in memory when the disk is full: 503, and nothing of the disk in the answer', async () => {
    const { store, post, get, gateway } = await given()
    const full = () => Promise.reject(new StoreError('full', 'The disk that holds /var/lib/secret.db is full'))
    store.projects.create = full
    store.tokens.list = full
    for (const answer of [await post('/manage/projects', { name: 'x' }), await get('/manage/tokens')]) {
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).toBe('5')
      expect(answer.body).toEqual(anError('storage_unavailable'))
    }
    expect(gateway.logs()).toContain('The disk that holds /var/lib/secret.db is full')
  })

  it('shows nothing of a defect', async () => {
    const { store, get } = await given()
    store.tokens.get = () => Promise.reject(new TypeError('x is undefined at /src/secret.ts'))
    const answer = await get('/manage/tokens/tok_1')
    expect(answer.status).toBe(500)
    expect(answer.body).toEqual(anError('internal_error'))
    expect(answer.text).not.toContain('secret.ts')
  })
})
