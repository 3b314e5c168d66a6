import { afterEach, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { chatAnswer, sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'

/* What an address says counts, wherever the body says something else. */

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5 }
const generated = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP' }],
  usageMetadata,
}

async function start(fields: Parameters<TestGateway['token']>[0] = {}) {
  upstream = await startUpstream((req, res) =>
    sendJson(res, 200, req.url!.includes('/deployments/') ? chatAnswer() : generated),
  )
  gateway = await startTestGateway({
    config: {
      providers: {
        gemini: { apiKey: 'gemini-key-0123456789', baseUrl: upstream.url.replace('/v1', '/v1beta') },
        'azure-openai': {
          apiKey: 'azure-key-0123456789',
          baseUrl: upstream.url.replace('/v1', ''),
          apiVersion: '2024-10-21',
        },
      },
    },
  })
  const { secret } = await gateway.token(fields)
  return (path: string, body?: object, { method = 'POST', headers = {} } = {}) =>
    ask(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
}

const contents = [{ parts: [{ text: 'Hi' }] }]

it.each([
  ['POST', '/v1beta/tunedModels/other:generateContent'],
  ['POST', '/v1beta/models/imagen-4:predict'],
  ['POST', '/gemini/v1beta/models/imagen-4:predict'],
  ['POST', '/gemini/v1beta/tunedModels/other:streamGenerateContent'],
  ['POST', '/gemini/v1beta/models/gemini-2.5-pro%0a:generateContent'],
  ['GET', '/gemini/v1beta/models/gemini-2.5-pro'],
  ['POST', '/azure-openai/deployments/other/chat/completions?api-version=2024-10-21'],
  ['POST', '/azure-openai/openai/deployments/other/chat/completions?api-version=2024-10-21'],
  ['POST', '/v1/deployments/other/chat/completions'],
])('a token limited to a model cannot reach another one that is named in the address: %s %s', async (method, path) => {
  const send = await start({ allowedModels: ['gemini-2.5-flash'] })
  const body = { model: 'gemini-2.5-flash', models: ['gemini-2.5-flash'], contents }
  const answer = await send(path, method === 'POST' ? body : undefined, { method })
  expect([answer.status, String(answer.body)]).toEqual([403, expect.stringContaining('is not allowed for this token')])
  expect(upstream.seen.filter(({ url }) => /other|imagen|pro/.test(url))).toEqual([])
})

it('a token limited to a model may have it by any of its addresses', async () => {
  const send = await start({ allowedModels: ['gemini-2.5-flash', 'tunedModels/mine', 'imagen-4', 'my-mini'] })
  for (const path of [
    '/v1beta/models/gemini-2.5-flash:generateContent',
    '/gemini/v1beta/models/gemini-2.5-flash:generateContent',
    '/gemini/v1beta/tunedModels/mine:generateContent',
    '/gemini/v1beta/models/imagen-4:predict',
    '/azure-openai/deployments/my-mini/chat/completions?api-version=2024-10-21',
  ])
    expect([path, (await send(path, { contents })).status]).toEqual([path, 200])
})

it("a deployment that Azure's own SDK asks for is metered", async () => {
  const send = await start()
  await send('/azure-openai/openai/deployments/my-mini/chat/completions?api-version=2024-10-21', {
    model: 'something-else',
    messages: [{ role: 'user', content: 'Hi' }],
  })
  expect((await upstream.next()).url).toBe('/openai/deployments/my-mini/chat/completions?api-version=2024-10-21')
  expect(await gateway.rows()).toMatchObject([
    { model: 'my-mini', provider: 'azure-openai', usage: { inputTokens: 9, outputTokens: 3, source: 'reported' } },
  ])
})

it.each(['alt=proto', '$alt=media', 'fields=candidates', '%24fields=candidates', 'callback=f', '$httpHeaders=x'])(
  'an answer of Gemini cannot be asked for in a way that hides its usage: ?%s',
  async (query) => {
    const send = await start()
    for (const front of ['', '/gemini']) {
      const answer = await send(`${front}/v1beta/models/gemini-2.5-flash:generateContent?${query}`, { contents })
      expect([answer.status, String(answer.body)]).toEqual([400, expect.stringContaining('INVALID_ARGUMENT')])
    }
    expect(upstream.seen.filter(({ method }) => method === 'POST')).toEqual([])
  },
)

it('nobody makes another request of the one that was judged by a header', async () => {
  const send = await start()
  const headers = { 'x-http-method-override': 'POST', 'X-Goog-FieldMask': 'candidates' }
  await send('/gemini/v1beta/models/gemini-2.5-flash:generateContent', undefined, { method: 'GET', headers })
  const seen = await upstream.next()
  expect(seen.method).toBe('GET')
  expect(Object.keys(seen.headers).filter((name) => /override|fieldmask/.test(name))).toEqual([])
})

it.each(['key=', 'KEY=', 'k%65y=', '$key=', '%24key=', 'alt=json&api_key='])(
  'a credential in the query never reaches the provider, nor the log: ?%s',
  async (query) => {
    const send = await start()
    const secret = 'a-credential-of-somebody'
    await send(`/gemini/v1beta/models/gemini-2.5-flash:generateContent?${query}${secret}&key=${secret}`, { contents })
    expect((await upstream.next()).url).not.toContain(secret)
    expect(gateway.logs()).not.toContain(secret)
  },
)
