import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { ask, chat } from '../helpers/http.ts'

let gateway: TestGateway
let secret: string

beforeAll(async () => {
  gateway = await startTestGateway()
  secret = (await gateway.token()).secret
})
afterAll(() => gateway.stop())

const post = async (path: string, body: unknown) => {
  const answer = await ask(`${gateway.baseUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.status, body: JSON.parse(answer.body.toString()) as Record<string, never>, answer }
}
const get = async (path: string) => {
  const answer = await ask(`${gateway.baseUrl}${path}`, { headers: { authorization: `Bearer ${secret}` } })
  return { status: answer.status, body: JSON.parse(answer.body.toString()) as Record<string, never> }
}
const messages = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'first' },
  { role: 'assistant', content: 'first' },
  { role: 'user', content: 'Say  hello to the world' },
]

describe('without any provider key, the demo model', () => {
  it('says the last user message back, word for word, and counts its words', async () => {
    const { status, body, answer } = await post('/chat/completions', { model: 'demo', messages })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'demo',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Say  hello to the world' }, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    })
    expect(answer.header('x-llm-proxy-provider')).toBe('demo')
    expect((await gateway.rows()).at(-1)).toMatchObject({
      provider: 'demo',
      model: 'demo',
      servedModel: 'demo',
      usage: { inputTokens: 9, outputTokens: 5, source: 'reported' },
    })
  })

  it('answers the same request the same way', async () => {
    const [one, two] = [
      await post('/chat/completions', { model: 'demo', messages }),
      await post('/chat/completions', { model: 'demo', messages }),
    ]
    expect({ ...one.body, created: 0 }).toEqual({ ...two.body, created: 0 })
  })

  it('puts together the text of a message in parts', async () => {
    const content = [
      { type: 'text', text: 'a ' },
      { type: 'image_url', image_url: { url: 'data:,' } },
      { type: 'text', text: 'b' },
    ]
    const { body } = await post('/chat/completions', { model: 'demo', messages: [{ role: 'user', content }] })
    expect(body).toMatchObject({ choices: [{ message: { content: 'a b' } }] })
  })

  it.each([[[]], [undefined], ['text'], [[{ role: 'assistant', content: 'x' }]], [[{ role: 'user' }]]])(
    'has nothing to say to messages %j',
    async (odd) => {
      expect(await post('/chat/completions', { model: 'demo', messages: odd })).toMatchObject({
        status: 200,
        body: { choices: [{ message: { content: '' } }] },
      })
    },
  )

  it('is refused what it cannot read with an error, not with silence', async () => {
    expect((await post('/chat/completions', { model: 'demo', messages: [null] })).status).toBe(400)
  })
})

describe('a stream of the demo model', () => {
  const events = (text: string) =>
    text
      .trimEnd()
      .split('\n\n')
      .map((event) => event.replace(/^data: /, ''))

  it('comes word by word, and ends', async () => {
    const answer = await chat(gateway.baseUrl, secret, { model: 'demo', messages, stream: true })
    expect(answer.header('content-type')).toContain('text/event-stream')
    const all = events(answer.body.toString())
    expect(all.at(-1)).toBe('[DONE]')
    const chunks = all.slice(0, -1).map((event) => JSON.parse(event) as { choices: { delta: { content?: string } }[] })
    expect(chunks.map(({ choices }) => choices[0]!.delta.content).filter(Boolean)).toEqual([
      'Say  ',
      'hello ',
      'to ',
      'the ',
      'world',
    ])
    expect(answer.body.toString()).not.toContain('usage')
  })

  it('tells its usage when it is asked for, and the ledger knows it either way', async () => {
    const options = { model: 'demo', messages, stream: true, stream_options: { include_usage: true } }
    const all = events((await chat(gateway.baseUrl, secret, options)).body.toString())
    expect(JSON.parse(all.at(-2)!)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    })
    for (const event of all.slice(0, -2)) expect(JSON.parse(event)).toMatchObject({ usage: null })
    const [before, after] = (await gateway.rows()).slice(-2)
    expect(after).toMatchObject({ usage: { inputTokens: 9, outputTokens: 5, source: 'reported' }, changes: [] })
    expect(before).toMatchObject({
      usage: { inputTokens: 9, outputTokens: 5, source: 'reported' },
      changes: ['stream_options'],
    })
  })
})

describe('embeddings of the demo model', () => {
  const floats = (base64: string) => {
    const bytes = Buffer.from(base64, 'base64')
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
  }
  type Data = { data: { embedding: number[] | string; index: number }[] }

  it('are the same numbers as floats and as base64, of length one', async () => {
    const asFloats = (await post('/embeddings', { model: 'demo', input: 'a text' })).body as unknown as Data
    const asBase64 = (await post('/embeddings', { model: 'demo', input: 'a text', encoding_format: 'base64' }))
      .body as unknown as Data
    const vector = asFloats.data[0]!.embedding as number[]
    expect(floats(asBase64.data[0]!.embedding as string)).toEqual(vector)
    expect(vector).toHaveLength(8)
    expect(Math.hypot(...vector)).toBeCloseTo(1)
  })

  it('come one for each input, in order, and another text has others', async () => {
    const { body } = await post('/embeddings', { model: 'demo', input: ['one', 'two words', 'one'] })
    const { data } = body as unknown as Data
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(data[0]!.embedding).toEqual(data[2]!.embedding)
    expect(data[0]!.embedding).not.toEqual(data[1]!.embedding)
    expect(body).toMatchObject({ usage: { prompt_tokens: 4, total_tokens: 4 } })
  })

  it('of token numbers are one embedding', async () => {
    const { body } = await post('/embeddings', { model: 'demo', input: [1, 2, 3] })
    expect((body as unknown as Data).data).toHaveLength(1)
  })
})

describe('of the demo provider', () => {
  it('the models are one, named demo', async () => {
    expect(await get('/models')).toMatchObject({
      status: 200,
      body: {
        object: 'list',
        data: [
          { id: 'demo', object: 'model' },
          { id: 'demo:demo', object: 'model' },
        ],
      },
    })
    expect(await get('/models/demo')).toMatchObject({ status: 200, body: { id: 'demo' } })
  })

  it.each([
    ['POST', '/images/generations'],
    ['GET', '/files'],
    ['DELETE', '/models/demo'],
  ])('%s %s is told to be missing, with what to do', async (method, path) => {
    const answer = await ask(`${gateway.baseUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: method === 'POST' ? '{"model":"demo"}' : undefined,
    })
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      404,
      { error: { type: 'invalid_request_error', message: expect.stringContaining('set a provider key') } },
    ])
  })

  it('no other model is there', async () => {
    expect(await get('/models/gpt-4o')).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } })
  })

  it('answers are there for clients of the Responses API too', async () => {
    const answer = await ask(`${gateway.baseUrl}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: '{"model":"demo","input":"Good morning"}',
    })
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toContain('Good morning')
  })

  it('another model is not served, and the caller hears why', async () => {
    expect(await post('/chat/completions', { model: 'gpt-4o', messages })).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found', param: 'model' } },
    })
  })
})
