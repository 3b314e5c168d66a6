import type { Json } from './dialect.ts'
import { kindOf } from './error-kind.ts'
import type { HubError, HubErrorKind } from './hub.ts'
import { isRecord, record, textOrNull } from './read.ts'

/**
 * `{"error":{"message","type","param","code"}}`, and what those who copy it make of it: an error that is a text, a code that is a
 * number, `detail`, `message` on the top level. Source: wire facts 5.1.
 */
export function parseError(status: number, body: unknown): HubError {
  const whole = record(body)
  const error = isRecord(whole.error) ? whole.error : whole
  const message =
    textOrNull(error.message) ??
    textOrNull(whole.error) ??
    textOrNull(whole.detail) ??
    textOrNull(body) ??
    'The provider answered with an error.'
  const code =
    textOrNull(error.code) ?? textOrNull(error.type) ?? (typeof error.code === 'number' ? String(error.code) : null)
  // In a stream, where the status is spent, some put it here.
  const inner = [error.code, error.status_code].find((one) => typeof one === 'number' && one >= 400 && one < 600)
  return {
    kind: KINDS[code ?? ''] ?? kindOf(typeof inner === 'number' ? inner : status, message),
    message,
    code,
    param: textOrNull(error.param),
    retryAfterMs: null,
  }
}

const KINDS: Record<string, HubErrorKind> = {
  context_length_exceeded: 'context_length',
  insufficient_quota: 'billing',
  invalid_api_key: 'authentication',
  model_not_found: 'not_found',
  rate_limit_exceeded: 'rate_limit',
  server_is_overloaded: 'overloaded',
  overloaded_error: 'overloaded',
  server_error: 'server',
}

const TYPES: Record<HubErrorKind, [type: string, code: string | null]> = {
  invalid_request: ['invalid_request_error', null],
  authentication: ['authentication_error', 'invalid_api_key'],
  permission: ['permission_error', null],
  billing: ['insufficient_quota', 'insufficient_quota'],
  not_found: ['invalid_request_error', 'model_not_found'],
  too_large: ['invalid_request_error', 'request_too_large'],
  context_length: ['invalid_request_error', 'context_length_exceeded'],
  rate_limit: ['rate_limit_error', 'rate_limit_exceeded'],
  overloaded: ['overloaded_error', 'overloaded'],
  timeout: ['timeout_error', null],
  server: ['server_error', null],
}

export function buildError({ kind, message, code, param }: HubError): Json {
  const [type, usual] = TYPES[kind]
  return { error: { message, type, param, code: usual ?? code } }
}
