import type { Json } from '../dialect.ts'
import { isAboutLength, kindOf } from '../error-kind.ts'
import type { HubError, HubErrorKind } from '../hub.ts'
import { isRecord, record, records, text, textOrNull } from '../read.ts'

/** `{"error":{"code","message","status","details"}}`, and the same in a list where a stream was asked for without SSE. Source: wire facts 5.1. */
export function parseError(status: number, body: unknown): HubError {
  const whole = record(Array.isArray(body) ? body[0] : body)
  const error = isRecord(whole.error) ? whole.error : whole
  const message =
    textOrNull(error.message) ?? textOrNull(whole.error) ?? textOrNull(body) ?? 'The provider answered with an error.'
  const code = textOrNull(error.status)
  const details = records(error.details)
  // In a stream, where the status is spent, it stands here.
  const inner = typeof error.code === 'number' && error.code >= 400 && error.code < 600 ? error.code : status
  const reason = details.map((detail) => text(detail.reason)).find((one) => REASONS.has(one))
  const kind = REASONS.get(reason ?? '') ?? STATUSES.get(code ?? '') ?? kindOf(inner, message)
  return {
    kind: kind === 'invalid_request' && isAboutLength(message) ? 'context_length' : kind,
    message,
    code,
    param: paramOf(details),
    retryAfterMs: delayOf(details, message),
  }
}

/** A key that is not valid is answered with 400. */
const REASONS = new Map<string, HubErrorKind>([
  ['API_KEY_INVALID', 'authentication'],
  ['API_KEY_SERVICE_BLOCKED', 'permission'],
  ['BILLING_DISABLED', 'billing'],
])

const STATUSES = new Map<string, HubErrorKind>([
  ['INVALID_ARGUMENT', 'invalid_request'],
  ['FAILED_PRECONDITION', 'invalid_request'],
  ['OUT_OF_RANGE', 'invalid_request'],
  ['UNAUTHENTICATED', 'authentication'],
  ['PERMISSION_DENIED', 'permission'],
  ['NOT_FOUND', 'not_found'],
  ['RESOURCE_EXHAUSTED', 'rate_limit'],
  ['CANCELLED', 'server'],
  ['INTERNAL', 'server'],
  ['UNKNOWN', 'server'],
  ['UNAVAILABLE', 'overloaded'],
  ['DEADLINE_EXCEEDED', 'timeout'],
])

const isKind = ({ '@type': type }: Json, name: string) => text(type).endsWith(`google.rpc.${name}`)

function paramOf(details: Json[]): string | null {
  const [violation] = records(details.find((detail) => isKind(detail, 'BadRequest'))?.fieldViolations)
  return textOrNull(violation?.field)
}

/** `"retryDelay":"34.4s"`, or the same in the message: there is no header for it. */
function delayOf(details: Json[], message: string): number | null {
  const told = text(details.find((detail) => isKind(detail, 'RetryInfo'))?.retryDelay)
  const match = /^([\d.]+)(s)$/.exec(told) ?? /retry in ([\d.]+)(ms|s)\b/i.exec(message)
  if (!match) return null
  const delay = Number(match[1]) * (match[2] === 'ms' ? 1 : 1000)
  return Number.isFinite(delay) ? Math.ceil(delay) : null
}

const NAMES: Record<HubErrorKind, string> = {
  invalid_request: 'INVALID_ARGUMENT',
  authentication: 'UNAUTHENTICATED',
  permission: 'PERMISSION_DENIED',
  billing: 'FAILED_PRECONDITION',
  not_found: 'NOT_FOUND',
  too_large: 'INVALID_ARGUMENT',
  context_length: 'INVALID_ARGUMENT',
  rate_limit: 'RESOURCE_EXHAUSTED',
  overloaded: 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
  server: 'INTERNAL',
}

export function buildError({ kind, message, param, retryAfterMs }: HubError, status: number): Json {
  const details: Json[] = []
  if (kind === 'billing')
    details.push({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BILLING_DISABLED' })
  if (param !== null)
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: param, description: message }],
    })
  if (retryAfterMs !== null)
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfterMs / 1000}s` })
  return { error: { code: status, message, status: NAMES[kind], ...(details.length > 0 && { details }) } }
}
