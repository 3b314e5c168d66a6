import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../../helpers/gateway.ts'
import { ask } from '../../helpers/http.ts'
import { startUpstream, type Upstream } from '../../helpers/upstream.ts'

let upstream: Upstream
let gateway: TestGateway
let restricted: string
let free: string

beforeAll(async () => {
  upstream = await startUpstream()
  const providers = {
    openai: { apiKey: 'key-of-openai', baseUrl: upstream.url },
    openrouter: { apiKey: 'key-of-openrouter', baseUrl: upstream.url },
  }
  gateway = await startTestGateway({ config: { providers } })
  restricted = (await gateway.token({ allowedModels: ['gpt-4o-mini'] })).secret
  free = (await gateway.token()).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** What the gateway says, and whether the provider heard of it. */
async function post(secret: string, path: string, body: unknown) {
  const before = upstream.seen.length
  const answer = await ask(`${gateway.baseUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [answer.status, upstream.seen.length > before]
}

describe('a token that is limited to some models cannot name others', () => {
  it('in OpenRouter’s list of models to fall back to', async () => {
    const model = 'openrouter:gpt-4o-mini'
    expect(await post(restricted, '/chat/completions', { model, models: ['openai/gpt-4o'] })).toEqual([403, false])
    expect(await post(restricted, '/chat/completions', { model, models: ['gpt-4o-mini'] })).toEqual([200, true])
  })

  it('inside a session, for which the provider hands out a key', async () => {
    expect(
      await post(restricted, '/realtime/client_secrets', { session: { type: 'realtime', model: 'gpt-realtime' } }),
    ).toEqual([403, false])
  })

  it('in work that another name stands for: a file of a batch, an assistant, a call’s form', async () => {
    for (const path of ['/batches', '/threads/runs', '/realtime/calls'])
      expect(await post(restricted, path, { input_file_id: 'file-1' })).toEqual([403, false])
    const audio = { input: { transcription: { model: 'whisper-1' } } }
    const session = { model: 'gpt-4o-mini', audio }
    expect(await post(restricted, '/realtime/client_secrets', { session })).toEqual([403, false])
    expect(await post(restricted, '/realtime/client_secrets', { session: { model: 'gpt-4o-mini' } })).toEqual([
      200,
      true,
    ])
  })

  it('but may keep its data at the provider, and end what was begun', async () => {
    for (const path of ['/vector_stores', '/conversations', '/responses/resp_1/cancel'])
      expect(await post(restricted, path, { name: 'x' })).toEqual([200, true])
  })

  it('while a token without such a limit may', async () => {
    expect(await post(free, '/chat/completions', { model: 'openrouter:x', models: ['openai/gpt-4o'] })).toEqual([
      200,
      true,
    ])
    expect(
      await post(free, '/realtime/client_secrets', { session: { type: 'realtime', model: 'gpt-realtime' } }),
    ).toEqual([200, true])
  })
})
