import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import { type Script, sendJson } from '../helpers/upstream.ts'
import { failureOf, type SdkBench, startSdk } from './sdk.ts'

let bench: SdkBench
beforeAll(async () => {
  bench = await startSdk({ maxBodyBytes: 1024 * 1024 })
})
afterAll(() => bench.close())

const ask = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hi' }] }
const OURS = expect.stringMatching(/^req_/)

/** Fails with `status` so many times, then answers. */
function failing(times: number, status: number, headers: Record<string, string>): Script {
  let left = times
  return (_req, res) =>
    left-- > 0
      ? sendJson(
          res,
          status,
          { error: { message: 'Later.', type: 'server_error', param: null, code: 'later' } },
          headers,
        )
      : sendJson(res, 200, { model: 'm', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })
}

describe('a token', () => {
  it('that nobody knows is an AuthenticationError, told once, and reaches no provider', async () => {
    const { openai, tries } = await bench.client({ apiKey: 'sk-unknown' })
    const before = bench.upstream.seen.length
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'authentication_error', requestID: OURS })
    expect(tries()).toBe(1)
    expect(bench.upstream.seen.length).toBe(before)
    expect(await bench.lastRow()).toBeNull()
  })

  it.each([
    ['token_revoked', { revokedAt: 1 }],
    ['token_expired', { expiresAt: 1 }],
  ])('with %s is an AuthenticationError, told once', async (code, token) => {
    const { openai, tries } = await bench.client({ token })
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ code, requestID: OURS })
    expect(tries()).toBe(1)
    expect(await bench.lastRow()).toMatchObject({ status: 401, error: code, attempts: [] })
  })

  it('that may not use the model is a PermissionDeniedError, told once', async () => {
    const { openai, tries } = await bench.client({ token: { allowedModels: ['gpt-4o-mini'] } })
    const error = await failureOf(openai.chat.completions.create({ ...ask, stream: true }))
    expect(error).toBeInstanceOf(PermissionDeniedError)
    expect(error).toMatchObject({ status: 403, code: 'model_not_allowed', requestID: OURS })
    expect((error as APIError).message).toContain('gpt-4o')
    expect(tries()).toBe(1)
    expect(await bench.lastRow()).toMatchObject({
      endpoint: '/v1/chat/completions',
      model: 'gpt-4o',
      status: 403,
      error: 'model_not_allowed',
      stream: true,
      attempts: [],
      usage: { source: 'none' },
    })
  })

  it('whose quota is used up is a RateLimitError that is not tried again', async () => {
    bench.answer('chat: JSON')
    const { openai, tries } = await bench.client({ token: { maxRequests: 1 } })
    await openai.chat.completions.create(ask)
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 'insufficient_quota', requestID: OURS })
    expect(tries()).toBe(2)
    expect(await bench.lastRow()).toMatchObject({ status: 429, error: 'insufficient_quota', attempts: [] })
  })
})

describe('a rate limit of the gateway', () => {
  const limited = (requestsPerMinute: number) => ({
    rateLimit: { requestsPerMinute, tokensPerMinute: null, concurrentRequests: null },
  })

  it('is told in OpenAI’s headers, in place of the provider’s', async () => {
    bench.answer('chat: JSON')
    const { openai } = await bench.client({ token: limited(2) })
    const { response } = await openai.chat.completions.create(ask).withResponse()
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('2')
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/^(?:\d+m)?\d+(?:\.\d+)?s$/)
  })

  it('is a RateLimitError that says when to come back', async () => {
    bench.answer('chat: JSON')
    const { openai } = await bench.client({ token: limited(1), maxRetries: 0 })
    await openai.chat.completions.create(ask)
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({ code: 'rate_limit_exceeded', requestID: OURS })
    const { headers } = error as APIError
    const seconds = Number(headers!.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(await bench.lastRow()).toMatchObject({ status: 429, error: 'rate_limit_exceeded', attempts: [] })
  })

  it('never asks for a wait that the SDK passes over to come back after half a second, for nothing', async () => {
    bench.answer('chat: JSON')
    // How long the wait is depends on the moment.
    for (let moment = 0; moment < 5; moment++) {
      const { openai } = await bench.client({ token: limited(1), maxRetries: 0 })
      await openai.chat.completions.create(ask)
      const { headers } = (await failureOf(openai.chat.completions.create(ask))) as APIError
      // OpenAI's SDKs honour no more than a minute.
      expect(Number(headers!.get('retry-after')) <= 60 || headers!.get('x-should-retry') === 'false').toBe(true)
    }
  })
})

describe('an error of the provider', () => {
  it('keeps its class, code and id: 404', async () => {
    bench.answer('errors: 404 of a model')
    const error = await failureOf(bench.openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ code: 'model_not_found', requestID: 'req_upstream_1' })
    expect(await bench.lastRow()).toMatchObject({ status: 404, error: 'upstream_error', usage: { source: 'none' } })
  })

  it('keeps its class, code and parameter: 400', async () => {
    bench.answer('errors: 400 of a parameter')
    const error = await failureOf(bench.openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ code: 'unsupported_value', param: 'x', requestID: 'req_upstream_1' })
  })

  it('is raised out of a stream that had begun', async () => {
    bench.answer('errors: one in the middle of a stream')
    const stream = await bench.openai.chat.completions.create({ ...ask, stream: true })
    const heard: unknown[] = []
    const error = await failureOf(
      (async () => {
        for await (const { choices } of stream) heard.push(choices[0]?.delta.content)
      })(),
    )
    expect(heard).toEqual(['He'])
    expect(error).toBeInstanceOf(APIError)
    expect((error as APIError).message).toBe('The server had an error.')
    expect(await bench.lastRow()).toMatchObject({ status: 200, error: 'upstream_error' })
  })

  it('429 with a delay is tried again by the SDK after that delay', async () => {
    bench.upstream.script(failing(2, 429, { 'retry-after-ms': '5' }))
    const { openai, tries } = await bench.client()
    await openai.chat.completions.create(ask)
    expect(tries()).toBe(3)
  })

  it('500 is an InternalServerError after all tries of the SDK, each with a row of its own', async () => {
    bench.upstream.script(failing(9, 500, { 'retry-after-ms': '1' }))
    await bench.newRows(0)
    const { openai, tries } = await bench.client()
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 500, code: 'later' })
    expect(tries()).toBe(3)
    expect((await bench.newRows(3)).map(({ status, error }) => [status, error])).toEqual(
      Array(3).fill([500, 'upstream_error']),
    )
  })

  it('that refuses the gateway’s own key is an InternalServerError, told once: the caller’s token is good', async () => {
    bench.answer('errors: 401 of our own key')
    const { openai, tries } = await bench.client()
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 502, code: 'upstream_auth_failed', requestID: OURS })
    expect(tries()).toBe(1)
    expect(await bench.lastRow()).toMatchObject({ status: 502, error: 'upstream_auth_failed' })
  })
})

describe('with limits and tries of its own the gateway', () => {
  let own: SdkBench
  afterEach(() => own.close())
  const retry = { maxRetries: 2, initialBackoffMs: 1, maxBackoffMs: 1, factor: 1, jitter: 0 }

  it('is waited for by the SDK, which gets its answer when the limit has room again', async () => {
    own = await startSdk({ rateLimit: { requests: 1, windowSeconds: 1 } })
    own.answer('chat: JSON')
    const { openai, tries } = await own.client()
    await openai.chat.completions.create(ask)
    await openai.chat.completions.create(ask)
    expect(tries()).toBe(3)
    expect((await own.newRows(3)).map(({ status }) => status)).toEqual([200, 429, 200])
  })

  it('keeps the SDK from trying on top of its own tries', async () => {
    own = await startSdk({ retry })
    own.upstream.script(failing(9, 503, {}))
    const { openai, tries } = await own.client()
    expect(await failureOf(openai.chat.completions.create(ask))).toMatchObject({ status: 503, code: 'later' })
    expect([tries(), own.upstream.seen.length]).toEqual([1, 3])
    expect((await own.lastRow()).attempts.map(({ status }) => status)).toEqual([503, 503, 503])
  })

  it('that cannot reach the provider is an InternalServerError, told once', async () => {
    own = await startSdk({ retry })
    await own.upstream.close()
    const { openai, tries } = await own.client()
    const error = await failureOf(openai.chat.completions.create(ask))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 502, code: 'upstream_unreachable', requestID: OURS })
    expect(tries()).toBe(1)
  })
})

describe('a request of more bytes than allowed', () => {
  it('is told as 413, at once', async () => {
    const { openai, tries } = await bench.client()
    const content = 'x'.repeat(4 * 1024 * 1024)
    const error = await failureOf(openai.chat.completions.create({ ...ask, messages: [{ role: 'user', content }] }))
    expect(error).toMatchObject({ status: 413, code: 'request_too_large' })
    expect(tries()).toBe(1)
  })
})
