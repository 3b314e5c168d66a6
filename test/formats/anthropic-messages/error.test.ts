import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { HubErrorKind } from '../../../src/formats/hub.ts'

const { parseError, buildError } = anthropicMessages
const body = (type: string, message = 'Why') => ({ type: 'error', error: { type, message }, request_id: 'req_1' })

const PAIRS: [type: string, status: number, kind: HubErrorKind][] = [
  ['invalid_request_error', 400, 'invalid_request'],
  ['authentication_error', 401, 'authentication'],
  ['billing_error', 402, 'billing'],
  ['permission_error', 403, 'permission'],
  ['not_found_error', 404, 'not_found'],
  ['request_too_large', 413, 'too_large'],
  ['rate_limit_error', 429, 'rate_limit'],
  ['api_error', 500, 'server'],
  ['timeout_error', 504, 'timeout'],
  ['overloaded_error', 529, 'overloaded'],
]

describe('an error of a provider of this dialect', () => {
  it.each(PAIRS)('%s is understood, with its status and in a stream', (type, status, kind) => {
    expect(parseError(status, body(type))).toMatchObject({ kind, message: 'Why', code: type })
    expect(parseError(500, body(type)).kind).toBe(kind)
  })

  it.each([
    'prompt is too long: 3333404 tokens > 200000 maximum',
    'input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000',
  ])('is told apart when it is about the length: %s', (message) => {
    expect(parseError(400, body('invalid_request_error', message)).kind).toBe('context_length')
  })

  it.each<[string, number, unknown, HubErrorKind, string]>([
    ['a proxy in between', 413, '<html>too large</html>', 'too_large', '<html>too large</html>'],
    ['a flat one', 429, { message: 'slow' }, 'rate_limit', 'slow'],
    ['one that is a text', 400, { error: 'bad' }, 'invalid_request', 'bad'],
    ['a name of our own', 400, body('constructor'), 'invalid_request', 'Why'],
    ['none', 500, null, 'server', 'The provider answered with an error.'],
  ])('is understood in other shapes: %s', (_, status, sent, kind, message) => {
    expect(parseError(status, sent)).toMatchObject({ kind, message })
  })
})

describe('an error for a client of this dialect', () => {
  it.each(PAIRS)('is %s, and is understood again as what it was', (type, status, kind) => {
    const built = buildError({ kind, message: 'Why', code: null, param: null, retryAfterMs: null }, status)
    expect(built).toEqual({ type: 'error', error: { type, message: 'Why' } })
    expect(parseError(status, built).kind).toBe(kind)
  })

  it('is an invalid request where it is about the length, with words that clients look for', () => {
    const message = 'This model’s maximum context length is 8192 tokens.'
    expect(buildError({ kind: 'context_length', message, code: null, param: null, retryAfterMs: null }, 400)).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: `prompt is too long: ${message}` },
    })
  })
})
