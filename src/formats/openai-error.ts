import type { Json } from './dialect.ts'
import { boundedMessage, kindOf, NO_MESSAGE, waitIn } from './error-kind.ts'
import type { HubError, HubErrorKind } from './hub.ts'
import { isRecord, record, records, text, textOrNull } from './read.ts'

/**
 * `{"error":{"message","type","param","code"}}`, and what those who copy it make of it: an error that is a text, a code that is a
 * number or a status in a text, `detail`, `message` on the top level, all of it in a list. Source: wire facts 5.1.
 */
export function parseError(status: number, body: unknown): HubError {
  const whole = Array.isArray(body) ? record(body[0]) : record(body)
  const error = isRecord(whole.error) ? whole.error : whole
  const message = messageOf(body, whole, error)
  const code = textOrNull(error.code) ?? textOrNull(error.type) ?? numberAsText(error.code)
  const inner = [error.code, error.status_code, error.status].map(asStatus).find((one) => one !== null) ?? null
  return {
    kind: kindFrom(textOrNull(error.code), textOrNull(error.type), inner, status, message),
    message,
    code,
    param: textOrNull(error.param),
    retryAfterMs: waitIn(message),
  }
}

function messageOf(body: unknown, whole: Json, error: Json): string {
  const said =
    textOf(error.message) ?? textOf(whole.error) ?? textOf(whole.detail) ?? textOf(error.details) ?? textOf(body)
  // Those who stand between put what they were told here, and say nothing themselves.
  const raw = textOf(record(error.metadata).raw)
  return boundedMessage(raw === null ? said : `${said ?? NO_MESSAGE} ${raw}`) ?? NO_MESSAGE
}

/** A text, or what FastAPI makes of a body that it does not take: `[{"loc":["body","n"],"msg":"Field required"}]`. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value
  const list = records(isRecord(value) ? value.detail : value)
  const told = list.map(({ loc, msg }) =>
    [Array.isArray(loc) ? loc.join('.') : '', text(msg)].filter(Boolean).join(': '),
  )
  return told.filter(Boolean).join('; ') || null
}

function kindFrom(
  code: string | null,
  type: string | null,
  inner: number | null,
  status: number,
  message: string,
): HubErrorKind {
  const named = KINDS.get(code ?? '') ?? KINDS.get(type ?? '')
  if (named) return named
  // In a stream the status is spent: some say it in the body, others by the type alone.
  const told = inner ?? (status >= 500 ? (TYPE_STATUS.get(type ?? '') ?? TYPE_STATUS.get(code ?? '')) : undefined)
  return kindOf(told ?? status, message)
}

const numberAsText = (value: unknown) => (typeof value === 'number' ? String(value) : null)

/** 429, or "429". */
function asStatus(value: unknown): number | null {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return typeof status === 'number' && status >= 400 && status < 600 ? status : null
}

const KINDS = new Map<string, HubErrorKind>([
  ['context_length_exceeded', 'context_length'],
  ['insufficient_quota', 'billing'],
  ['credit_balance_exhausted', 'billing'],
  ['invalid_api_key', 'authentication'],
  ['model_not_found', 'not_found'],
  ['rate_limit_exceeded', 'rate_limit'],
  ['slow_down', 'rate_limit'],
  ['server_is_overloaded', 'overloaded'],
  ['overloaded_error', 'overloaded'],
  ['server_error', 'server'],
])

const TYPE_STATUS = new Map([
  ['invalid_request_error', 400],
  ['BadRequestError', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['NotFoundError', 404],
  ['rate_limit_error', 429],
  ['timeout_error', 504],
])

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
