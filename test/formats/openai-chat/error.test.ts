import { describe, expect, it } from '@jest/globals'
import type { HubErrorKind } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'

const { parseError, buildError } = openaiChat

describe('an error of a provider of this dialect', () => {
  const CASES: [who: string, status: number, body: unknown, kind: HubErrorKind, message: string | RegExp][] = [
    [
      'OpenAI: a wrong key',
      401,
      {
        error: {
          message: 'Incorrect API key provided.',
          type: 'invalid_request_error',
          param: null,
          code: 'invalid_api_key',
        },
      },
      'authentication',
      'Incorrect API key provided.',
    ],
    [
      'OpenAI: no such model',
      404,
      {
        error: {
          message: 'The model `x` does not exist',
          type: 'invalid_request_error',
          param: null,
          code: 'model_not_found',
        },
      },
      'not_found',
      /does not exist/,
    ],
    [
      'OpenAI: no such model, as the responses API answers it',
      400,
      { error: { message: 'no', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      'not_found',
      'no',
    ],
    [
      'OpenAI: too long a prompt',
      400,
      {
        error: {
          message: 'too long',
          type: 'invalid_request_error',
          param: 'messages',
          code: 'context_length_exceeded',
        },
      },
      'context_length',
      'too long',
    ],
    [
      'OpenAI: out of money, which is 429 too',
      429,
      {
        error: {
          message: 'You exceeded your current quota',
          type: 'insufficient_quota',
          param: null,
          code: 'insufficient_quota',
        },
      },
      'billing',
      /quota/,
    ],
    [
      'OpenAI: slow down',
      429,
      { error: { message: 'Slow', type: 'requests', code: 'slow_down' } },
      'rate_limit',
      'Slow',
    ],
    [
      'OpenAI: overloaded',
      503,
      { error: { message: 'busy', type: 'service_unavailable', code: 'server_is_overloaded' } },
      'overloaded',
      'busy',
    ],
    ['OpenAI: its own fault', 500, { error: { message: 'oops', type: 'server_error', code: null } }, 'server', 'oops'],
    [
      'Azure: a wrong key',
      401,
      { error: { code: '401', message: 'Access denied' } },
      'authentication',
      'Access denied',
    ],
    [
      'Azure: a limit',
      429,
      { error: { code: 'RateLimitReached', message: 'Your requests have exceeded rate limit.' } },
      'rate_limit',
      /exceeded/,
    ],
    ['Azure: no such deployment', 404, { error: { code: 'DeploymentNotFound', message: 'No' } }, 'not_found', 'No'],
    ['Mistral: a wrong key', 401, { detail: 'Invalid API Key' }, 'authentication', 'Invalid API Key'],
    [
      'Mistral: a body that it does not take',
      422,
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', input: 1 }] },
      'invalid_request',
      'body.seed: Extra inputs are not permitted',
    ],
    [
      'Mistral: the same, one level deeper',
      422,
      {
        object: 'error',
        message: { detail: [{ loc: ['body', 'n'], msg: 'Too many' }] },
        type: 'invalid_request_error',
      },
      'invalid_request',
      'body.n: Too many',
    ],
    [
      'xAI: an error that is a text',
      400,
      {
        code: 'Client specified an invalid argument',
        error: 'Model grok-4 does not support parameter reasoningEffort.',
      },
      'invalid_request',
      /reasoningEffort/,
    ],
    [
      'xAI: too long a prompt',
      400,
      { error: "This model's maximum prompt length is 131072" },
      'context_length',
      /131072/,
    ],
    [
      'OpenRouter: a code that is a number',
      401,
      { error: { message: 'No auth', code: 401 } },
      'authentication',
      'No auth',
    ],
    [
      'OpenRouter: what stands behind it said more',
      400,
      {
        error: {
          message: 'Provider returned error',
          code: 400,
          metadata: { raw: '{"x":"too hot"}', provider_name: 'A' },
        },
      },
      'invalid_request',
      'Provider returned error {"x":"too hot"}',
    ],
    [
      'DeepSeek: a code that says less than the status',
      401,
      {
        error: {
          message: 'Authentication Fails',
          type: 'authentication_error',
          param: null,
          code: 'invalid_request_error',
        },
      },
      'authentication',
      'Authentication Fails',
    ],
    ['DeepSeek: out of money', 402, { error: { message: 'Insufficient Balance' } }, 'billing', 'Insufficient Balance'],
    [
      'Perplexity',
      401,
      { error: { message: 'Invalid', type: 'invalid_api_key', code: 401 } },
      'authentication',
      'Invalid',
    ],
    ['Bedrock', 400, { message: 'Input is too long for requested model.' }, 'context_length', /too long/],
    ['Cohere', 400, { id: 'x', message: 'bad' }, 'invalid_request', 'bad'],
    [
      'vLLM, flat',
      404,
      { object: 'error', message: 'no model', type: 'NotFoundError', code: 404 },
      'not_found',
      'no model',
    ],
    ['Ollama', 404, { error: "model 'x' not found" }, 'not_found', "model 'x' not found"],
    [
      "Google's copy, in a list",
      429,
      [{ error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } }],
      'rate_limit',
      'Quota',
    ],
    ['a page of a proxy in between', 502, '<html>Bad Gateway</html>', 'server', '<html>Bad Gateway</html>'],
    ['nothing at all', 500, '', 'server', 'The provider answered with an error.'],
    ['too large', 413, { error: { message: 'big' } }, 'too_large', 'big'],
    ['too slow', 504, {}, 'timeout', 'The provider answered with an error.'],
    [
      'words that are names of our own',
      400,
      { error: { code: 'constructor', type: '__proto__' } },
      'invalid_request',
      /./,
    ],
  ]
  it.each(CASES)('%s', (_, status, body, kind, message) => {
    const error = parseError(status, body)
    expect(error.kind).toBe(kind)
    expect(error.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  it.each<[string, unknown, HubErrorKind]>([
    [
      'Groq',
      { error: { message: 'x', type: 'invalid_request_error', code: 'tool_use_failed', status_code: 400 } },
      'invalid_request',
    ],
    ['OpenRouter', { error: { code: 429, message: 'x' } }, 'rate_limit'],
    ['Azure', { error: { code: '429', message: 'x' } }, 'rate_limit'],
    ['OpenAI', { error: { message: 'x', type: 'invalid_request_error', param: null, code: null } }, 'invalid_request'],
    ['nobody in particular', { error: { message: 'x' } }, 'server'],
  ])('in a stream, where the status is spent, is told by its body (%s)', (_, body, kind) => {
    expect(parseError(500, body).kind).toBe(kind)
  })

  it.each([
    ['Rate limit reached. Limit 30000. Please try again in 18.642s. Visit', 18_642],
    ['Please try again in 6m0s.', 360_000],
    ['Please try again in 20ms.', 20],
    ['Please try again in 1h2m3s.', 3_723_000],
    ['Please retry in 48.9s.', 48_900],
    ['Please try again later.', null],
    ['Please try again in 1.2.3s.', null],
  ])('tells how long to wait: %s', (message, wait) => {
    expect(parseError(429, { error: { message, code: 'rate_limit_exceeded' } }).retryAfterMs).toBe(wait)
  })

  it('keeps its own code and the parameter at fault', () => {
    const error = { message: 'No', type: 'invalid_request_error', param: 'messages[0]', code: 'unsupported_value' }
    expect(parseError(400, { error })).toMatchObject({ code: 'unsupported_value', param: 'messages[0]' })
  })

  it('is of bounded length', () => {
    expect(parseError(500, 'x'.repeat(1_000_000)).message.length).toBeLessThanOrEqual(4_000)
  })
})

describe('an error for a client of this dialect', () => {
  const error = { message: 'Why', code: null, param: null, retryAfterMs: null }

  it.each<[HubErrorKind, string, string | null]>([
    ['invalid_request', 'invalid_request_error', null],
    ['authentication', 'authentication_error', 'invalid_api_key'],
    ['permission', 'permission_error', null],
    ['billing', 'insufficient_quota', 'insufficient_quota'],
    ['not_found', 'invalid_request_error', 'model_not_found'],
    ['too_large', 'invalid_request_error', 'request_too_large'],
    ['context_length', 'invalid_request_error', 'context_length_exceeded'],
    ['rate_limit', 'rate_limit_error', 'rate_limit_exceeded'],
    ['overloaded', 'overloaded_error', 'overloaded'],
    ['timeout', 'timeout_error', null],
    ['server', 'server_error', null],
  ])('%s is %s', (kind, type, code) => {
    expect(buildError({ ...error, kind }, 400)).toEqual({ error: { message: 'Why', type, param: null, code } })
  })

  it('is understood again as what it was', () => {
    for (const [kind, status] of [
      ['billing', 429],
      ['context_length', 400],
      ['rate_limit', 429],
      ['overloaded', 503],
    ] as const)
      expect(parseError(status, buildError({ ...error, kind }, status)).kind).toBe(kind)
  })

  it("keeps the provider's code where the dialect has none of its own", () => {
    expect(buildError({ ...error, kind: 'invalid_request', code: 'invalid_value', param: 'n' }, 400)).toEqual({
      error: { message: 'Why', type: 'invalid_request_error', param: 'n', code: 'invalid_value' },
    })
  })
})
