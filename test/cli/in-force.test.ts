import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { givenGateway } from './given.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

/** A gateway whose `openai` is the scripted upstream, without a key; and a command line that knows nothing but its database. */
async function given() {
  const made = await givenGateway({ config: { providers: { openai: { apiKey: null, baseUrl: upstream.url } } } })
  return {
    ...made,
    /** Status and error code of a chat. */
    chat: async (token: string, model = 'demo') => {
      const answer = await fetch(`${made.gateway.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
      })
      const { error } = (await answer.json()) as { error?: { code: string } }
      return error ? `${answer.status} ${error.code}` : `${answer.status}`
    },
  }
}

describe('a change in the database is in force with the next request to a running gateway', () => {
  it('when a token is made and revoked', async () => {
    const { print, json, chat } = await given()
    const { id, token } = await json('token generate')
    expect(await chat(token)).toBe('200')
    await print(`token revoke ${id}`)
    expect(await chat(token)).toBe('401 token_revoked')
  })

  it('when a token is changed or deleted', async () => {
    const { print, json, chat } = await given()
    const { id, token } = await json('token generate')
    expect(await chat(token)).toBe('200')
    await print(`token update ${id} --models gpt-4o`)
    expect(await chat(token)).toBe('403 model_not_allowed')
    await print(`token delete ${id}`)
    expect(await chat(token)).toBe('401 invalid_api_key')
  })

  it('when a project is switched off', async () => {
    const { print, chat } = await given()
    await print('project create search')
    const token = await print('token generate --project search --quiet')
    expect(await chat(token)).toBe('200')
    await print('project update search --inactive')
    expect(await chat(token)).toBe('403 project_inactive')
  })

  it('when a provider key is added: the gateway opens it and sends it', async () => {
    const { print, chat } = await given()
    const token = await print('token generate --quiet')
    expect(await chat(token)).toBe('200')
    await print('provider-key add openai=- --project default', { stdin: 'sk-added-by-the-command-line' })
    // The demo model leaves with the request after.
    await chat(token, 'gpt-4o')
    expect(await chat(token, 'gpt-4o')).toBe('200')
    expect(upstream.seen.at(-1)!.headers.authorization).toBe('Bearer sk-added-by-the-command-line')
  })

  it('and the audit log names the command line and its user', async () => {
    const { print, gateway } = await given()
    await print('project create search')
    const { data } = await gateway.ctx.store.audit.list({ actor: 'cli' }, { limit: 10 })
    expect(data).toMatchObject([
      { action: 'project.create', ip: null, userAgent: expect.stringMatching(/^llm-proxy-cli\/[\d.]+ \(.+@.+\)$/) },
    ])
  })
})
