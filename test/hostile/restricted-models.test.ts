import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

/*
 * A token with allowed_models, and ways to name another model so that the gateway does not see it but a provider might.
 */

let upstream: Upstream
let gateway: TestGateway
let secret: string

beforeAll(async () => {
  upstream = await startUpstream()
  gateway = await startTestGateway({ upstream: upstream.url })
  secret = (await gateway.token({ allowedModels: ['gpt-4o-mini', 'whisper-1'] })).secret
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** What came of it: `refused` when the caller was told so and the provider heard nothing. */
async function fate(path: string, body: string, type = 'application/json') {
  const before = upstream.seen.length
  const answer = await ask(gateway.baseUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': type },
    body,
  })
  const { error } = JSON.parse(answer.body.toString()) as { error?: { code: string } }
  return upstream.seen.length > before ? 'passed' : `refused: ${answer.status} ${error?.code}`
}

it('lets the allowed models through, in every spelling of theirs', async () => {
  for (const model of ['gpt-4o-mini', 'openai:gpt-4o-mini', 'openai/gpt-4o-mini']) {
    expect([model, await fate('/chat/completions', JSON.stringify({ model }))]).toEqual([model, 'passed'])
  }
})

describe('another model is refused', () => {
  it.each([
    ['by its name', '{"model":"gpt-4o"}'],
    ['with its provider', '{"model":"openai:gpt-4o"}'],
    ['with another case', '{"model":"GPT-4O-MINI"}'],
    ['with white space around it', '{"model":" gpt-4o-mini"}'],
    ['with a NUL behind it', '{"model":"gpt-4o-mini\\u0000"}'],
    ['with an escape in its key', '{"mod\\u0065l":"gpt-4o"}'],
    ['as the provider’s own prefix', '{"model":"openai:openai:gpt-4o-mini"}'],
    ['as a glob', '{"model":"gpt-4o-*"}'],
    ['as nothing', '{"model":""}'],
  ])('%s', async (_how, body) => {
    expect(await fate('/chat/completions', body)).toMatch(/^refused: 403 model_not_allowed$/)
  })

  it('in a JSON body with another content type', async () => {
    for (const type of ['text/plain', 'application/vnd.api+json', 'application/x-www-form-urlencoded', 'x']) {
      expect(await fate('/chat/completions', '{"model":"gpt-4o"}', type)).toBe('refused: 403 model_not_allowed')
    }
    expect(await fate('/images/generations', '{"model":"gpt-4o"}', 'text/plain')).toBe('refused: 403 model_not_allowed')
  })
})

describe('a request that names no model that the gateway can read is refused', () => {
  it.each([
    ['none at all', '{"messages":[]}'],
    ['one that is no text', '{"model":{"id":"gpt-4o"}}'],
    ['one in a list', '{"model":["gpt-4o"]}'],
    ['one inside an array', '[{"model":"gpt-4o"}]'],
    ['one that a later null hides', '{"model":"gpt-4o","model":null}'],
    ['one that a later object hides', '{"model":"gpt-4o","model":{}}'],
  ])('%s', async (_how, body) => {
    expect(await fate('/chat/completions', body)).toMatch(/^refused: 40[03] /)
  })

  it('no body at all', async () => {
    expect(await fate('/chat/completions', '')).toMatch(/^refused: 40[03] /)
  })
})

describe('the model in the query says nothing about a body', () => {
  it.each([
    ['of text', '{"model":"gpt-4o"}', 'text/plain'],
    ['of form fields', 'model=gpt-4o', 'application/x-www-form-urlencoded'],
    [
      'of a form',
      '--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--X--\r\n',
      'multipart/form-data; boundary=X',
    ],
    ['of a form without a boundary', '{"model":"gpt-4o"}', 'multipart/form-data'],
  ])('%s', async (_what, body, type) => {
    expect(await fate('/audio/transcriptions?model=whisper-1', body, type)).toMatch(/^refused: 403 /)
  })
})
