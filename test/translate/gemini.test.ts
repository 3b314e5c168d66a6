import { GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const KEY = 'AIza-not-a-real-key-0123456789abcdefghi'
const usageMetadata = { promptTokenCount: 12, candidatesTokenCount: 4, thoughtsTokenCount: 6, totalTokenCount: 22 }
const generated = (text: string, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, ...more }],
  modelVersion: 'gemini-2.5-flash',
  responseId: 'resp1',
})

async function withGemini(script: Parameters<typeof startUpstream>[0]) {
  upstream = await startUpstream(script)
  const baseUrl = upstream.url.replace('/v1', '/v1beta')
  gateway = await startTestGateway({ config: { providers: { gemini: { apiKey: KEY, baseUrl } } } })
  const { secret } = await gateway.token()
  return { secret, client: new OpenAI({ baseURL: gateway.baseUrl, apiKey: secret, maxRetries: 0 }) }
}

const ask = { model: 'gemini:gemini-2.5-flash', messages: [{ role: 'user' as const, content: 'Hi' }] }

describe('the OpenAI SDK with a model of Gemini', () => {
  it('gets a whole answer', async () => {
    const { client } = await withGemini((_req, res) =>
      sendJson(res, 200, { ...generated('Hello', { finishReason: 'STOP' }), usageMetadata }),
    )
    const answer = await client.chat.completions.create(ask)
    expect(answer).toMatchObject({
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 12, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 6 } },
    })
    const seen = await upstream.next()
    expect(seen.url).toBe('/v1beta/models/gemini-2.5-flash:generateContent')
    expect(seen.headers['x-goog-api-key']).toBe(KEY)
    expect(seen.headers.authorization).toBeUndefined()
    // 12 in at 0.30, 10 out at 2.50 dollars a million.
    expect(await gateway.rows()).toMatchObject([{ costNanoUsd: 28_600n, servedModel: 'gemini-2.5-flash' }])
  })

  it('gets a stream', async () => {
    const { client } = await withGemini((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(`data: ${JSON.stringify({ ...generated('Hel'), usageMetadata: { promptTokenCount: 12 } })}\r\n\r\n`)
      res.end(`data: ${JSON.stringify({ ...generated('lo', { finishReason: 'STOP' }), usageMetadata })}\r\n\r\n`)
    })
    const final = await client.chat.completions.stream(ask).finalChatCompletion()
    expect(final.choices[0]?.message.content).toBe('Hello')
    expect((await upstream.next()).url).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
    expect(await gateway.rows()).toMatchObject([{ usage: { inputTokens: 12, outputTokens: 10, source: 'reported' } }])
  })

  it('does not blame the caller for a key of ours that Gemini calls an invalid argument', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]
    const error = { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details }
    const { client } = await withGemini((_req, res) => sendJson(res, 400, { error }))
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 502,
      code: 'upstream_auth_failed',
    })
  })

  it('is told how long to wait', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }]
    const error = { code: 429, message: 'Quota exceeded.', status: 'RESOURCE_EXHAUSTED', details }
    const { client } = await withGemini((_req, res) => sendJson(res, 429, { error }))
    const thrown = await client.chat.completions.create(ask).catch((one: InstanceType<typeof OpenAI.APIError>) => one)
    expect(thrown).toBeInstanceOf(OpenAI.RateLimitError)
    expect((thrown as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toBe('35')
  })
})

/** As it is without an SDK. */
async function postNative(
  secret: string,
  path: string,
  body: object = { contents: [{ parts: [{ text: 'Hi' }] }] },
): Promise<unknown> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': secret },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
  return answer.json()
}

describe('the Google SDK', () => {
  const request = { model: 'gpt-4o', contents: 'Hi', config: { systemInstruction: 'Be kind.', maxOutputTokens: 50 } }

  async function withOpenAi(script: Parameters<typeof startUpstream>[0]) {
    upstream = await startUpstream(script)
    gateway = await startTestGateway({ upstream: upstream.url })
    const { secret } = await gateway.token()
    return new GoogleGenAI({ apiKey: secret, httpOptions: { baseUrl: gateway.url } })
  }

  it('gets an answer of a model of OpenAI', async () => {
    const client = await withOpenAi(undefined)
    const answer = await client.models.generateContent(request)
    expect(answer.text).toBe('Hello!')
    expect(answer.usageMetadata).toMatchObject({ promptTokenCount: 9, candidatesTokenCount: 3 })
    expect(JSON.parse(String((await upstream.next()).body))).toEqual({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 50,
    })
    expect(await gateway.rows()).toMatchObject([
      { endpoint: '/v1beta/models/gpt-4o:generateContent', model: 'gpt-4o', status: 200 },
    ])
  })

  it('gets a stream of a model of OpenAI', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
    const client = await withOpenAi((_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of chatEvents(['Hel', 'lo!'], usage)) res.write(event)
      res.end()
    })
    let text = ''
    for await (const chunk of await client.models.generateContentStream(request)) text += chunk.text ?? ''
    expect(text).toBe('Hello!')
  })

  it('gets errors in its own format', async () => {
    const client = await withOpenAi((_req, res) =>
      sendJson(res, 404, {
        error: { message: 'No such model', type: 'invalid_request_error', param: null, code: 'model_not_found' },
      }),
    )
    await expect(client.models.generateContent(request)).rejects.toMatchObject({ status: 404 })
    const stranger = new GoogleGenAI({ apiKey: 'sk-unknown', httpOptions: { baseUrl: gateway.url } })
    const error = await stranger.models.generateContent(request).catch((thrown: Error) => thrown)
    expect(String((error as Error).message)).toContain('UNAUTHENTICATED')
  })

  it('gets embeddings of a model of OpenAI, one and several', async () => {
    const client = await withOpenAi((_req, res, { body }) => {
      const texts = (JSON.parse(String(body)) as { input: string[] }).input
      const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: [text.length, 0.5] }))
      sendJson(res, 200, {
        object: 'list',
        model: 'text-embedding-3-small',
        data,
        usage: { prompt_tokens: 5, total_tokens: 5 },
      })
    })
    const model = 'text-embedding-3-small'
    const { embeddings } = await client.models.embedContent({
      model,
      contents: ['one', 'three'],
      config: { outputDimensionality: 2 },
    })
    expect(embeddings).toMatchObject([{ values: [3, 0.5] }, { values: [5, 0.5] }])
    const seen = await upstream.next()
    expect(seen.url).toBe('/v1/embeddings')
    expect(JSON.parse(String(seen.body))).toEqual({ model, input: ['one', 'three'], dimensions: 2 })
    const { secret } = await gateway.token()
    const one = await postNative(secret, `/v1beta/models/${model}:embedContent`, {
      content: { parts: [{ text: 'one' }] },
    })
    expect(one).toEqual({ embedding: { values: [3, 0.5] } })
    const row = {
      model,
      servedModel: model,
      status: 200,
      usage: { inputTokens: 5, source: 'reported' },
      costNanoUsd: 100n,
    }
    expect(await gateway.rows()).toMatchObject([row, row])
  })

  it('is told which fields of embeddings nobody else has, and who has no embeddings', async () => {
    const client = await withOpenAi((_req, res) => sendJson(res, 200, { data: [{ index: 0, embedding: [1] }] }))
    const config = { taskType: 'CLUSTERING' }
    await client.models.embedContent({ model: 'text-embedding-3-small', contents: 'one', config })
    expect((await gateway.rows())[0]!.changes).toEqual(['dialect:openai-chat', 'dropped:taskType'])
    await gateway.stop()
    gateway = await startTestGateway({
      config: { providers: { anthropic: { apiKey: KEY, baseUrl: upstream.url } } },
    })
    const { secret } = await gateway.token()
    const stranger = new GoogleGenAI({ apiKey: secret, httpOptions: { baseUrl: gateway.url } })
    const failure = await stranger.models.embedContent({ model: 'claude-opus-4-8', contents: 'x' }).catch(String)
    expect(failure).toContain('cannot be translated for anthropic')
  })

  it('counts tokens of a model of OpenAI here', async () => {
    const client = await withOpenAi(undefined)
    const { totalTokens } = await client.models.countTokens({ model: 'gpt-4o', contents: 'How many are these?' })
    expect(totalTokens).toBeGreaterThan(2)
    expect(upstream.seen).toEqual([])
  })

  it("is metered with Gemini's own answers, whole or as a list", async () => {
    const { secret } = await withGemini((req, res) => {
      const whole = { ...generated('Hello', { finishReason: 'STOP' }), usageMetadata }
      if (!req.url!.includes('stream')) return sendJson(res, 200, whole)
      sendJson(res, 200, [{ ...generated('Hel'), usageMetadata: { promptTokenCount: 12 } }, whole])
    })
    for (const action of ['generateContent', 'streamGenerateContent']) {
      const answer = await postNative(secret, `/v1beta/models/gemini-2.5-flash:${action}`)
      expect(JSON.stringify(answer)).toContain('Hello')
    }
    const row = { servedModel: 'gemini-2.5-flash', costNanoUsd: 28_600n, usage: { inputTokens: 12, outputTokens: 10 } }
    expect(await gateway.rows()).toMatchObject([row, { ...row, stream: true }])
  })

  it('is metered by an estimate where Gemini counts nothing, whole or as a list', async () => {
    const { secret } = await withGemini((req, res) => {
      const [one, other] = [generated('Hello there, '), generated('how are you?', { finishReason: 'STOP' })]
      sendJson(res, 200, req.url!.includes('stream') ? [one, other] : generated('Hello there, how are you?'))
    })
    for (const action of ['generateContent', 'streamGenerateContent'])
      await postNative(secret, `/v1beta/models/gemini-2.5-flash:${action}`)
    const [whole, list] = await gateway.rows()
    expect(whole!.usage).toMatchObject({ source: 'estimated', outputTokens: expect.any(Number) })
    expect(whole!.usage.outputTokens).toBeGreaterThan(4)
    expect(list!.usage).toEqual(whole!.usage)
  })

  it('passes untouched to Gemini, also below its name', async () => {
    const { secret } = await withGemini((_req, res) =>
      sendJson(res, 200, { ...generated('Hello', { finishReason: 'STOP' }), usageMetadata }),
    )
    for (const baseUrl of [gateway.url, `${gateway.url}/gemini`]) {
      const client = new GoogleGenAI({ apiKey: secret, httpOptions: { baseUrl } })
      expect((await client.models.generateContent({ ...request, model: 'gemini-2.5-flash' })).text).toBe('Hello')
      expect((await upstream.next()).url).toBe('/v1beta/models/gemini-2.5-flash:generateContent')
    }
    const rows = await gateway.rows()
    expect(rows.map(({ usage }) => usage)).toMatchObject([
      { inputTokens: 12, outputTokens: 10, reasoningTokens: 6 },
      { inputTokens: 12, outputTokens: 10, reasoningTokens: 6 },
    ])
  })
})
