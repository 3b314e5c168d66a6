import { afterEach, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const drawn = {
  candidates: [
    {
      content: { role: 'model', parts: [{ text: 'Here:' }, { inlineData: { mimeType: 'image/png', data: 'aW1n' } }] },
      finishReason: 'STOP',
    },
  ],
  modelVersion: 'gemini-2.5-flash-image',
  responseId: 'resp1',
  usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 4, totalTokenCount: 6 },
}

async function ask(path: string, body: object): Promise<Response> {
  upstream = await startUpstream((req, res) => {
    if (!req.url!.includes('stream')) return sendJson(res, 200, drawn)
    res.writeHead(200, sseHead)
    res.end(`data: ${JSON.stringify(drawn)}\r\n\r\n`)
  })
  const gemini = { apiKey: 'AIza-not-a-real-key', baseUrl: upstream.url.replace('/v1', '/v1beta') }
  gateway = await startTestGateway({ config: { providers: { gemini } } })
  const { secret } = await gateway.token()
  return fetch(`${gateway.baseUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'x-llm-proxy-strict': 'true' },
    body: JSON.stringify({ model: 'gemini:gemini-2.5-flash-image', ...body }),
  })
}

const messages = [{ role: 'user', content: 'Draw.' }]

it.each([false, true])('a picture of Gemini comes to a client of OpenAI (stream: %s)', async (stream) => {
  const answer = await ask('/chat/completions', { messages, stream })
  expect(await answer.text()).toContain(
    '"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aW1n"}',
  )
  expect((await gateway.rows())[0]).toMatchObject({ status: 200, changes: ['dialect:gemini'] })
})

it('a picture that has no place in the answer is named in its header and on its row', async () => {
  const answer = await ask('/messages', { messages, max_tokens: 100 })
  expect(answer.headers.get('x-llm-proxy-dropped')).toBe('answer.image')
  expect(await answer.json()).toMatchObject({ content: [{ type: 'text', text: 'Here:' }] })
  expect((await gateway.rows())[0]!.changes).toEqual(['dialect:gemini', 'dropped:answer.image'])
})

it('a picture that has no place in a stream is named on its row', async () => {
  const answer = await ask('/messages', { messages, max_tokens: 100, stream: true })
  expect(await answer.text()).toContain('message_stop')
  expect((await gateway.rows())[0]!.changes).toEqual(['dialect:gemini', 'dropped:answer.image'])
})
