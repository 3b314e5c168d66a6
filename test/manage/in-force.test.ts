import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openStore } from '../../src/store/open.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { aKey, aStamp } from '../store/samples.ts'
import { given as anyGiven } from './given.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

/** A gateway whose `openai` is the scripted upstream and has no key of the operator's. */
async function given(config: object = {}) {
  const made = await anyGiven({ config: { providers: { openai: { apiKey: null, baseUrl: upstream.url } }, ...config } })
  return {
    ...made,
    /** Status and error code of a chat with a proxy token. */
    chat: async (token: string, model = 'demo') => {
      const body = { model, messages: [{ role: 'user', content: 'Hi' }] }
      const answer = await made.call('POST', '/v1/chat/completions', {
        body,
        token,
        headers: { 'content-type': 'application/json' },
      })
      const { error } = answer.body as { error?: { code: string } }
      return error ? `${answer.status} ${error.code}` : answer.status
    },
  }
}

describe('a change is in force with the next request', () => {
  it('when a token is revoked', async () => {
    const { token, call, chat } = await given()
    const made = await token()
    expect(await chat(made.token)).toBe(200)
    await call('POST', `/manage/tokens/${made.id}/revoke`)
    expect(await chat(made.token)).toBe('401 token_revoked')
  })

  it('when a token is deleted', async () => {
    const made = await given()
    const { id, token } = await made.token()
    expect(await made.chat(token)).toBe(200)
    await made.delete(`/manage/tokens/${id}`)
    expect(await made.chat(token)).toBe('401 invalid_api_key')
  })

  it('when a token is changed', async () => {
    const { token, patch, chat } = await given()
    const made = await token()
    const change = async (fields: object) => {
      await patch(`/manage/tokens/${made.id}`, fields)
      return chat(made.token)
    }
    expect(await chat(made.token)).toBe(200)
    expect(await change({ is_active: false })).toBe('401 token_revoked')
    expect(await change({ is_active: true })).toBe(200)
    expect(await change({ expires_at: '2020-01-01T00:00:00Z' })).toBe('401 token_expired')
    expect(await change({ expires_at: null })).toBe(200)
    expect(await change({ allowed_models: ['gpt-*'] })).toBe('403 model_not_allowed')
    expect(await change({ allowed_models: null })).toBe(200)
    expect(await change({ allowed_endpoints: ['/v1/models'] })).toBe('403 endpoint_not_allowed')
    expect(await change({ allowed_endpoints: ['/v1/chat/*'] })).toBe(200)
    expect(await change({ allowed_ips: ['10.0.0.0/8'] })).toBe('403 ip_not_allowed')
    expect(await change({ allowed_ips: ['127.0.0.0/8', '::1'] })).toBe(200)
    expect(await change({ max_requests: 1 })).toBe('429 insufficient_quota')
    expect(await change({ max_requests: null })).toBe(200)
  })

  it('when a project is switched off and on, or changed', async () => {
    const { token, patch, chat } = await given()
    const made = await token()
    const change = async (fields: object) => {
      await patch(`/manage/projects/${made.project_id}`, fields)
      return chat(made.token)
    }
    expect(await chat(made.token)).toBe(200)
    expect(await change({ is_active: false })).toBe('403 project_inactive')
    expect(await change({ is_active: true })).toBe(200)
    expect(await change({ allowed_models: ['gpt-*'] })).toBe('403 model_not_allowed')
    expect(await change({ allowed_models: null, rate_limit: { requests_per_minute: 1 } })).toBe(200)
    expect(await chat(made.token)).toBe('429 rate_limit_exceeded')
  })

  it('when all tokens of a project are revoked, or the project is deleted', async () => {
    const made = await given()
    const { id } = await made.project()
    const [one, two] = [
      (await made.post('/manage/tokens', { project_id: id })).body.token,
      (await made.post('/manage/tokens', { project_id: id })).body.token,
    ]
    expect([await made.chat(one), await made.chat(two)]).toEqual([200, 200])
    await made.post(`/manage/projects/${id}/tokens/revoke`)
    expect([await made.chat(one), await made.chat(two)]).toEqual(['401 token_revoked', '401 token_revoked'])
    await made.delete(`/manage/projects/${id}`)
    expect([await made.chat(one), await made.chat(two)]).toEqual(['401 invalid_api_key', '401 invalid_api_key'])
  })

  it('when a provider key is added: it is used, and the demo provider is off until the key is gone', async () => {
    const made = await given()
    const { token, project_id } = await made.token()
    const isDemo = async () => (await made.get('/manage/status')).body.demo
    expect([await made.chat(token), await made.chat(token, 'gpt-4o'), await isDemo()]).toEqual([
      200,
      '404 model_not_found',
      true,
    ])

    const key = await made.post(`/manage/projects/${project_id}/provider-keys`, {
      provider: 'openai',
      key: 'sk-real-0123456789',
    })
    expect(await isDemo()).toBe(false)
    expect(await made.chat(token, 'gpt-4o')).toBe(200)
    expect((await upstream.next()).headers.authorization).toBe('Bearer sk-real-0123456789')
    expect(await made.chat(token, 'demo:demo')).toBe(200)
    // Without the demo provider that is just a model's name.
    expect(JSON.parse((await upstream.next()).body.toString()).model).toBe('demo:demo')

    await made.delete(`/manage/projects/${project_id}/provider-keys/${key.body.id}`)
    expect([await made.chat(token), await made.chat(token, 'gpt-4o'), await isDemo()]).toEqual([
      200,
      '404 model_not_found',
      true,
    ])
  })

  it('when another process added the provider key', async () => {
    const made = await given()
    const { project_id } = await made.token()
    const other = await openStore({ dataDir: made.gateway.dataDir })
    await other.providerKeys.create(aKey(String(project_id)), aStamp())
    await other.close()
    // The first call finds out, those after it know.
    await made.get('/manage/status')
    expect((await made.get('/manage/status')).body.demo).toBe(false)
  })

  it('but DEMO decides where it is set', async () => {
    const off = await given({ demo: false })
    expect((await off.get('/manage/status')).body.demo).toBe(false)
    const on = await given({ demo: true })
    await on.project({ api_key: 'k' })
    expect((await on.get('/manage/status')).body.demo).toBe(true)
  })
})
