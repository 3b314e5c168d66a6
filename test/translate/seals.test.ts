import { afterEach, expect, it } from '@jest/globals'
import type { Json } from '../../src/formats/dialect.ts'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chatAnswer, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const SEAL = 'Q2FsbCtHZW1pbmk='
const called = {
  candidates: [
    {
      content: { role: 'model', parts: [{ functionCall: { name: 'weather', args: {} }, thoughtSignature: SEAL }] },
      finishReason: 'STOP',
    },
  ],
  modelVersion: 'gemini-3-pro-preview',
  responseId: 'Ab-1',
}
const input: Json[] = [{ role: 'user', content: 'Weather?' }]

it.each([false, true])('a seal goes back to the provider that made it and to no other (stream: %s)', async (stream) => {
  upstream = await startUpstream((req, res) => {
    if (req.url!.includes('/chat/')) return sendJson(res, 200, chatAnswer())
    if (!req.url!.includes('stream')) return sendJson(res, 200, called)
    res.writeHead(200, sseHead).end(`data: ${JSON.stringify(called)}\r\n\r\n`)
  })
  const gemini = { apiKey: 'AIza-not-a-real-key', baseUrl: upstream.url.replace('/v1', '/v1beta') }
  const openrouter = { apiKey: 'sk-or-not-a-real-key', baseUrl: upstream.url }
  gateway = await startTestGateway({ config: { providers: { gemini, openrouter } } })
  const { secret } = await gateway.token()
  const ask = async (model: string, items: Json[]) => {
    const answer = await fetch(`${gateway.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: items, stream }),
    })
    expect(answer.status).toBe(200)
    const { url, body } = await upstream.next()
    return { told: await answer.text(), url, sent: String(body) }
  }

  const { told } = await ask('gemini:gemini-3-pro-preview', input)
  const last = stream ? told.slice(told.indexOf('data: ', told.indexOf('event: response.completed')) + 6) : told
  const whole = JSON.parse(last) as Json
  const output = (stream ? (whole.response as Json).output : whole.output) as Json[]
  const result = { type: 'function_call_output', call_id: output.at(-1)!.call_id, output: 'Sun' }
  const next = [...input, ...output, result]

  const back = await ask('gemini:gemini-3-pro-preview', next)
  expect(back.sent).toContain(SEAL)
  expect(back.sent).not.toContain('gemini@gemini')
  const elsewhere = await ask('openrouter:google/gemini-3-pro-preview', next)
  expect(elsewhere.url).toContain('/chat/completions')
  expect(elsewhere.sent).toContain('weather')
  expect(elsewhere.sent).not.toContain(SEAL)
})
