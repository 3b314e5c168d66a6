import { afterEach, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask } from '../helpers/http.ts'
import { sendJson, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { message } from './upstreams.ts'

/* Requests that nobody sends by accident. */

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const generated = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
}

/** A gateway with Anthropic and Gemini, and a way to send it a body as it is. */
async function start() {
  upstream = await startUpstream((req, res) =>
    sendJson(res, 200, req.url!.includes(':generateContent') ? generated : message()),
  )
  gateway = await startTestGateway({
    config: {
      providers: {
        anthropic: { apiKey: 'anthropic-key-0123456789', baseUrl: upstream.url },
        gemini: { apiKey: 'gemini-key-0123456789', baseUrl: upstream.url.replace('/v1', '/v1beta') },
      },
    },
  })
  const { secret } = await gateway.token()
  return (body: object | string, headers: Record<string, string> = {}) =>
    ask(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
}

const question = { model: 'anthropic:claude-sonnet-4-6', messages: [{ role: 'user', content: 'Hi' }] }

describe('a request with a hundred thousand unknown fields', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`unknown_field_number_${i}`, 1]))

  it('is answered with a short header, and booked with a short row', async () => {
    const send = await start()
    const answer = await send({ ...question, ...many, ['y'.repeat(100_000)]: 1 })
    expect(answer.status).toBe(200)
    const dropped = answer.header('x-llm-proxy-dropped')!
    expect(dropped).toMatch(/^unknown_field_number_0,unknown_field_number_1,.*,and-99961-more$/)
    expect(dropped.length).toBeLessThan(4_000)
    expect(JSON.stringify((await gateway.rows())[0]!.changes).length).toBeLessThan(4_000)
  })

  it('is refused in few words where nothing may be dropped', async () => {
    const send = await start()
    const answer = await send({ ...question, ...many }, { 'x-llm-proxy-strict': 'true' })
    expect(answer.status).toBe(400)
    expect(answer.body.length).toBeLessThan(8_000)
  })
})

it('a field whose name would be another header is dropped, and named in the ledger alone', async () => {
  const send = await start()
  const name = 'a\r\nx-evil: 1'
  const answer = await send({ ...question, [name]: 1, ['z'.repeat(5_000)]: 1, 'snowman ☃': 1 })
  expect(answer.status).toBe(200)
  expect(answer.header('x-evil')).toBeUndefined()
  expect(answer.header('x-llm-proxy-dropped')).toBe('z'.repeat(80))
  expect((await gateway.rows())[0]!.changes).toEqual([
    'dialect:anthropic-messages',
    `dropped:${name}`,
    `dropped:${'z'.repeat(80)}`,
    'dropped:snowman ☃',
  ])
})

it('a schema that is nested too deeply is told to be so', async () => {
  const send = await start()
  const schema = `${'{"properties":{"a":'.repeat(20_000)}{}${'}}'.repeat(20_000)}`
  const tools = `[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":${schema}}}}}]`
  const answer = await send(
    `{"model":"anthropic:claude-sonnet-4-6","messages":[{"role":"user","content":"Hi"}],"tools":${tools}}`,
  )
  expect([answer.status, String(answer.body)]).toEqual([400, expect.stringContaining('nested too deeply')])
  expect(upstream.seen).toEqual([])
})

describe('very many short messages hold nobody up', () => {
  // What grows with the square of their number takes minutes, and the test ends before.
  const COUNT = 60_000
  const several = <T>(one: (index: number) => T): T[] => Array.from({ length: COUNT }, (_, index) => one(index))
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })

  it.each([
    ['of one side', several(() => ({ role: 'user', content: 'x' }))],
    ['of calls', several((index) => ({ role: 'assistant', tool_calls: [call(`c${index}`)] }))],
    [
      'of results in another order than their calls',
      [
        { role: 'assistant', tool_calls: several((index) => call(`c${index}`)) },
        ...several((index) => ({ role: 'tool', tool_call_id: `c${COUNT - 1 - index}`, content: 'x' })),
      ],
    ],
    [
      'of calls with one id',
      [
        { role: 'assistant', tool_calls: several(() => call('the same')) },
        ...several(() => ({ role: 'tool', tool_call_id: 'the same', content: 'x' })),
      ],
    ],
  ])('%s', async (_name, messages) => {
    const send = await start()
    for (const model of [question.model, 'gemini:gemini-2.5-flash'])
      expect((await send({ model, messages })).status).toBe(200)
  })

  it('in the dialect of Gemini', async () => {
    await start()
    const { secret } = await gateway.token()
    const contents = [
      { role: 'model', parts: several(() => ({ functionCall: { name: 'f' } })) },
      { role: 'user', parts: several(() => ({ functionResponse: { name: 'f', response: {} } })) },
      ...several(() => ({ role: 'model', parts: [{ functionCall: { name: 'f' } }] })),
    ]
    const answer = await ask(`${gateway.url}/v1beta/models/claude-sonnet-4-6:generateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': secret, 'content-type': 'application/json' },
      body: JSON.stringify({ contents }),
    })
    expect(answer.status).toBe(200)
  })
})

it('an error of Gemini whose names are those of built-in properties is an error like any other', async () => {
  const send = await start()
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'constructor' }]
  upstream.script((_req, res) => sendJson(res, 404, { error: { message: 'No.', status: 'toString', details } }))
  const answer = await send({ ...question, model: 'gemini:gemini-2.5-flash' })
  expect([answer.status, JSON.parse(String(answer.body))]).toMatchObject([404, { error: { message: 'No.' } }])
})
