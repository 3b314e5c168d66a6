import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import { statusOf } from '../../../src/formats/error-kind.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import type { HubError, HubErrorKind } from '../../../src/formats/hub.ts'

const RPC = 'type.googleapis.com/google.rpc'
const error = (code: number, status: string, message: string, details: Json[] = []): Json => ({
  error: { code, message, status, details },
})

describe('an error of the provider', () => {
  it.each<[number, Json, Partial<HubError>]>([
    [400, error(400, 'INVALID_ARGUMENT', 'Bad'), { kind: 'invalid_request', code: 'INVALID_ARGUMENT' }],
    [
      400,
      error(400, 'INVALID_ARGUMENT', 'API key not valid.', [
        { '@type': `${RPC}.ErrorInfo`, reason: 'API_KEY_INVALID' },
      ]),
      { kind: 'authentication' },
    ],
    [
      403,
      error(403, 'PERMISSION_DENIED', 'No billing', [{ '@type': `${RPC}.ErrorInfo`, reason: 'BILLING_DISABLED' }]),
      { kind: 'billing' },
    ],
    [
      400,
      error(400, 'INVALID_ARGUMENT', 'The input token count (1250074) exceeds the maximum number of tokens allowed.'),
      { kind: 'context_length' },
    ],
    [
      400,
      error(400, 'INVALID_ARGUMENT', 'Bad', [
        { '@type': `${RPC}.BadRequest`, fieldViolations: [{ field: 'generation_config.top_k', description: 'no' }] },
      ]),
      { kind: 'invalid_request', param: 'generation_config.top_k' },
    ],
    [401, error(401, 'UNAUTHENTICATED', 'Who?'), { kind: 'authentication' }],
    [403, error(403, 'PERMISSION_DENIED', 'No'), { kind: 'permission' }],
    [404, error(404, 'NOT_FOUND', 'models/x is not found'), { kind: 'not_found' }],
    [499, error(499, 'CANCELLED', 'Gone'), { kind: 'server' }],
    [500, error(500, 'INTERNAL', 'Oops'), { kind: 'server' }],
    [503, error(503, 'UNAVAILABLE', 'The model is overloaded.'), { kind: 'overloaded' }],
    [504, error(504, 'DEADLINE_EXCEEDED', 'Late'), { kind: 'timeout' }],
    [413, { error: { code: 413, message: 'Too large' } }, { kind: 'too_large', code: null }],
  ])('%i %j is %j', (status, body, expected) => {
    expect(gemini.parseError(status, body)).toMatchObject({ ...expected, message: (body.error as Json).message })
  })

  it('is the same in a list, and tells its status in a stream', () => {
    const body = error(503, 'UNAVAILABLE', 'Overloaded')
    expect(gemini.parseError(503, [body])).toEqual(gemini.parseError(503, body))
    expect(gemini.parseError(500, { error: { code: 429, message: 'Slow down' } }).kind).toBe('rate_limit')
  })

  it.each<[string, Json[], number | null]>([
    ['Quota', [{ '@type': `${RPC}.RetryInfo`, retryDelay: '34.4s' }], 34_400],
    ['Quota', [{ '@type': `${RPC}.RetryInfo`, retryDelay: '48s' }], 48_000],
    ['Quota', [{ '@type': `${RPC}.RetryInfo`, retryDelay: '0.000001s' }], 1],
    ['You exceeded your quota. Please retry in 48.9s.', [], 48_900],
    ['You exceeded your quota. Please retry in 519.5ms.', [], 520],
    ['Quota', [{ '@type': `${RPC}.RetryInfo`, retryDelay: 'soon' }], null],
    ['Quota', [], null],
  ])('over quota (%s, %j) may be tried again in %j ms', (message, details, retryAfterMs) => {
    expect(gemini.parseError(429, error(429, 'RESOURCE_EXHAUSTED', message, details))).toMatchObject({
      kind: 'rate_limit',
      retryAfterMs,
    })
  })

  it.each([
    [502, 'Bad Gateway', 'server', 'Bad Gateway'],
    [404, '<html>Not found</html>', 'not_found', '<html>Not found</html>'],
    [500, null, 'server', 'The provider answered with an error.'],
    [400, {}, 'invalid_request', 'The provider answered with an error.'],
  ])('%i with the body %j is read all the same', (status, body, kind, message) => {
    expect(gemini.parseError(status, body)).toEqual({ kind, message, code: null, param: null, retryAfterMs: null })
  })
})

describe('an error for a client', () => {
  const hub = (kind: HubErrorKind, more: Partial<HubError> = {}): HubError => ({
    kind,
    message: 'What happened',
    code: null,
    param: null,
    retryAfterMs: null,
    ...more,
  })

  it('looks as the real one does', () => {
    expect(gemini.buildError(hub('rate_limit', { retryAfterMs: 34_400 }), 429)).toEqual({
      error: {
        code: 429,
        message: 'What happened',
        status: 'RESOURCE_EXHAUSTED',
        details: [{ '@type': `${RPC}.RetryInfo`, retryDelay: '34.4s' }],
      },
    })
    expect(gemini.buildError(hub('not_found'), 404)).toEqual({
      error: { code: 404, message: 'What happened', status: 'NOT_FOUND' },
    })
  })

  it.each<HubErrorKind>([
    'invalid_request',
    'authentication',
    'permission',
    'billing',
    'not_found',
    'rate_limit',
    'overloaded',
    'timeout',
    'server',
  ])('is read as what it is: %s', (kind) => {
    const one = hub(kind, { param: 'contents', retryAfterMs: 1_500 })
    const { code: _code, ...read } = gemini.parseError(statusOf(kind), gemini.buildError(one, statusOf(kind)))
    expect({ ...read, code: null }).toEqual(one)
  })

  it.each<HubErrorKind>(['too_large', 'context_length'])('of what is too long is a bad argument: %s', (kind) => {
    expect(gemini.buildError(hub(kind), 400)).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } })
  })
})
