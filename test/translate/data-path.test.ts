import Anthropic from '@anthropic-ai/sdk'
import { afterEach, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chatAnswer, chatEvents, sendJson, sseHead, startUpstream, type Upstream } from '../helpers/upstream.ts'
import { frame, message, messageEvents, startAnthropic } from './upstreams.ts'

let gateway: TestGateway
let upstream: Upstream
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

const KEY = 'anthropic-key-0123456789abcdef'

async function withAnthropic(started: Promise<Upstream>) {
  upstream = await started
  gateway = await startTestGateway({ config: { providers: { anthropic: { apiKey: KEY, baseUrl: upstream.url } } } })
  const { secret } = await gateway.token()
  return { secret, client: new OpenAI({ baseURL: gateway.baseUrl, apiKey: secret, maxRetries: 0 }) }
}

async function withOpenAi(started: Promise<Upstream>) {
  upstream = await started
  gateway = await startTestGateway({ upstream: upstream.url })
  const { secret } = await gateway.token()
  return { secret, client: new Anthropic({ baseURL: gateway.url, apiKey: secret, maxRetries: 0 }) }
}

const ask = { model: 'anthropic:claude-sonnet-4-6', messages: [{ role: 'user' as const, content: 'Hi' }] }

describe('the OpenAI SDK with a model of Anthropic', () => {
  it('gets a whole answer, and the ledger what Anthropic counted', async () => {
    const { client } = await withAnthropic(startAnthropic())
    const { data, response } = await client.chat.completions.create({ ...ask, seed: 7 }).withResponse()
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'claude-sonnet-4-6',
      choices: [{ message: { role: 'assistant', content: 'Hello from Claude' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 20, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 7 } },
    })
    expect(response.headers.get('x-llm-proxy-dropped')).toBe('seed')
    // The provider's own headers pass, but for those about the body that he sent.
    expect(response.headers.get('request-id')).toBe('req_upstream')
    expect(response.headers.get('x-request-id')).toBe(response.headers.get('x-llm-proxy-request-id'))
    const seen = await upstream.next()
    expect(seen.url).toBe('/v1/messages')
    expect(seen.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' })
    expect(seen.headers.authorization).toBeUndefined()
    expect(JSON.parse(String(seen.body))).toMatchObject({ model: 'claude-sonnet-4-6', max_tokens: 128_000 })
    const [row] = await gateway.rows()
    expect(row).toMatchObject({
      provider: 'anthropic',
      servedModel: 'claude-sonnet-4-6',
      status: 200,
      usage: { inputTokens: 20, cachedTokens: 7, cacheWriteTokens: 3, outputTokens: 5, source: 'reported' },
      changes: ['dialect:anthropic-messages', 'dropped:seed'],
      // 10 in at 3, 3 written at 3.75, 7 read at 0.30, 5 out at 15 dollars a million.
      costNanoUsd: 118_350n,
    })
  })

  it('gets a stream, event by event, with its usage', async () => {
    const { client } = await withAnthropic(startAnthropic())
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello from Claude')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 20, completion_tokens: 5 } })
    const [row] = await gateway.rows()
    expect(row).toMatchObject({ stream: true, usage: { inputTokens: 20, outputTokens: 5, source: 'reported' } })
  })

  it('never sees a cut stream end well', async () => {
    const cut = startUpstream((_req, res) => {
      res.writeHead(200, sseHead)
      for (const event of messageEvents(['Hello ', 'fr']).slice(0, 5)) res.write(frame(event))
      setImmediate(() => res.destroy())
    })
    const { client } = await withAnthropic(cut)
    const stream = await client.chat.completions.create({ ...ask, stream: true })
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow()
    const [row] = await gateway.rows()
    // The input as Anthropic counted it; the output, of which it had told a placeholder, by its text.
    expect(row).toMatchObject({
      error: 'upstream_cut',
      estimateReason: 'upstream_cut',
      usage: { inputTokens: 20, cachedTokens: 7, outputTokens: 2, source: 'estimated' },
    })
  })

  it('is told of an error within the stream', async () => {
    const events = [
      ...messageEvents(['Hello ']).slice(0, 4),
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ]
    const { client } = await withAnthropic(startAnthropic(message(), events))
    const stream = await client.chat.completions.create({ ...ask, stream: true })
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow('Overloaded')
    expect((await gateway.rows())[0]).toMatchObject({ error: 'upstream_error' })
  })

  it.each([
    [400, 'invalid_request_error', OpenAI.BadRequestError, 400],
    [404, 'not_found_error', OpenAI.NotFoundError, 404],
    [429, 'rate_limit_error', OpenAI.RateLimitError, 429],
    [529, 'overloaded_error', OpenAI.InternalServerError, 503],
  ])('gets the right class for %i %s', async (status, type, Class, shown) => {
    const failing = startUpstream((_req, res) =>
      sendJson(res, status, { type: 'error', error: { type, message: 'No.' } }, { 'retry-after': '7' }),
    )
    const { client } = await withAnthropic(failing)
    const error = await client.chat.completions.create(ask).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Class)
    expect(error).toMatchObject({
      status: shown,
      error: { message: 'No.', details: { upstream: { status, body: { error: { type } } } } },
    })
    expect((error as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toBe('7')
  })

  it('does not blame the caller for a key of ours that is refused', async () => {
    const failing = startUpstream((_req, res) =>
      sendJson(res, 401, {
        type: 'error',
        error: { type: 'authentication_error', message: `invalid x-api-key ${KEY}` },
      }),
    )
    const { client } = await withAnthropic(failing)
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 502,
      code: 'upstream_auth_failed',
    })
    expect(gateway.logs()).not.toContain(KEY)
  })

  it('refuses to drop anything where strict translation is asked for', async () => {
    const { client } = await withAnthropic(startAnthropic())
    await expect(
      client.chat.completions.create({ ...ask, seed: 7 }, { headers: { 'x-llm-proxy-strict': 'true' } }),
    ).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'seed' })
    expect(upstream.seen).toEqual([])
  })

  it('is told what is wrong with a request in its own words', async () => {
    const { client } = await withAnthropic(startAnthropic())
    const wrong = { ...ask, temperature: 'warm' as unknown as number }
    await expect(client.chat.completions.create(wrong)).rejects.toMatchObject({ status: 400, param: 'temperature' })
  })

  it('gets an answer that cannot be read as an error', async () => {
    const { client } = await withAnthropic(startUpstream((_req, res) => sendJson(res, 200, { hello: 'world' })))
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 502,
      code: 'upstream_unreachable',
    })
    expect((await gateway.rows())[0]).toMatchObject({ status: 502, costNanoUsd: 0n })
  })
})

describe('the Anthropic SDK with a model of OpenAI', () => {
  const question = { model: 'gpt-4o', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

  it('gets a whole answer', async () => {
    const { client } = await withOpenAi(startUpstream())
    const answer = await client.messages.create({ ...question, system: 'Be kind.', ...{ top_k: 5 } })
    expect(answer).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: 'Hello!' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 3 },
    })
    const seen = await upstream.next()
    expect(seen.url).toBe('/v1/chat/completions')
    expect(JSON.parse(String(seen.body))).toEqual({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 100,
    })
  })

  it('gets a stream that its accumulator takes', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
    const { client } = await withOpenAi(
      startUpstream((_req, res) => {
        res.writeHead(200, sseHead)
        for (const event of chatEvents(['Hel', 'lo!'], usage)) res.write(event)
        res.end()
      }),
    )
    const final = await client.messages.stream(question).finalMessage()
    expect(final).toMatchObject({
      content: [{ type: 'text', text: 'Hello!' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 3 },
    })
  })

  it('gets an error that the provider tells with a status of success', async () => {
    const { client } = await withOpenAi(
      startUpstream((_req, res) =>
        sendJson(res, 200, { error: { message: 'Upstream is busy', code: 429 }, user_id: 'u' }, { 'retry-after': '9' }),
      ),
    )
    const error = await client.messages.create(question).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Anthropic.RateLimitError)
    expect(error).toMatchObject({
      error: { error: { message: 'Upstream is busy', details: { upstream: { status: 200 } } } },
    })
    expect((error as InstanceType<typeof Anthropic.APIError>).headers?.get('retry-after')).toBeNull()
    expect(await gateway.rows()).toMatchObject([{ status: 429, error: 'upstream_error', costNanoUsd: 0n }])
  })

  it('gets errors of gateway and provider in its own format', async () => {
    const { client, secret } = await withOpenAi(
      startUpstream((_req, res) =>
        sendJson(res, 429, {
          error: { message: 'Slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' },
        }),
      ),
    )
    await expect(client.messages.create(question)).rejects.toBeInstanceOf(Anthropic.RateLimitError)
    const stranger = new Anthropic({ baseURL: gateway.url, apiKey: `${secret}x`, maxRetries: 0 })
    const error = await stranger.messages.create(question).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(error).toMatchObject({ error: { type: 'error', error: { type: 'authentication_error' } } })
  })
})

describe('the Anthropic SDK with a model of Anthropic', () => {
  it('passes untouched both ways, and is counted', async () => {
    const { secret } = await withAnthropic(startAnthropic())
    const client = new Anthropic({ baseURL: gateway.url, apiKey: secret, maxRetries: 0 })
    const body = { model: 'claude-sonnet-4-6', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Hi' }] }
    const answer = await client.beta.messages.create({ ...body, betas: ['context-1m-2025-08-07'] })
    expect(answer).toMatchObject({ content: [{ type: 'text', text: 'Hello from Claude' }] })
    const seen = await upstream.next()
    expect(seen.url).toMatch(/^\/v1\/messages(\?beta=true)?$/)
    expect(seen.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-beta': 'context-1m-2025-08-07' })
    const final = await client.messages.stream(body).finalMessage()
    expect(final.content).toMatchObject([{ type: 'text', text: 'Hello from Claude' }])
    const rows = await gateway.rows()
    expect(rows.map(({ usage }) => usage)).toMatchObject([
      { inputTokens: 20, cachedTokens: 7, cacheWriteTokens: 3, outputTokens: 5 },
      { inputTokens: 20, cachedTokens: 7, cacheWriteTokens: 3, outputTokens: 5 },
    ])
    expect(rows[0]!.changes).toEqual([])
  })

  it('also below the name of its provider, with every path of its API', async () => {
    const { secret } = await withAnthropic(startAnthropic())
    const client = new Anthropic({ baseURL: `${gateway.url}/anthropic`, apiKey: secret, maxRetries: 0 })
    await client.messages.create({
      model: 'claude-sonnet-4-6',
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect((await upstream.next()).url).toBe('/v1/messages')
    const [row] = await gateway.rows()
    expect(row).toMatchObject({ endpoint: '/anthropic/v1/messages', provider: 'anthropic', usage: { inputTokens: 20 } })
  })
})

it('a chat answer of OpenAI passes as before', async () => {
  const { secret } = await withOpenAi(startUpstream((_req, res) => sendJson(res, 200, chatAnswer('Hi'))))
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: secret, maxRetries: 0 })
  const answer = await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] })
  expect(answer.choices[0]?.message.content).toBe('Hi')
})
