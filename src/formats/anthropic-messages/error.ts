import type { Json } from '../dialect.ts'
import { boundedMessage, isAboutLength, kindOf, NO_MESSAGE, waitIn } from '../error-kind.ts'
import type { HubError, HubErrorKind } from '../hub.ts'
import { isRecord, record, textOrNull } from '../read.ts'

/** `{"type":"error","error":{"type","message"},"request_id"}`. Source: wire facts 5.1. */
export function parseError(status: number, body: unknown): HubError {
  const whole = record(body)
  const error = isRecord(whole.error) ? whole.error : whole
  const type = textOrNull(error.type)
  const message =
    boundedMessage(
      textOrNull(error.message) || textOrNull(whole.error) || textOrNull(whole.detail) || textOrNull(body),
    ) ?? NO_MESSAGE
  const kind = KINDS.get(type ?? '') ?? kindOf(status, message)
  return {
    kind: kind === 'invalid_request' && isAboutLength(message) ? 'context_length' : kind,
    message,
    code: type,
    param: null,
    retryAfterMs: waitIn(message),
  }
}

const KINDS = new Map<string, HubErrorKind>([
  ['invalid_request_error', 'invalid_request'],
  ['authentication_error', 'authentication'],
  ['billing_error', 'billing'],
  ['permission_error', 'permission'],
  ['not_found_error', 'not_found'],
  ['request_too_large', 'too_large'],
  ['rate_limit_error', 'rate_limit'],
  ['api_error', 'server'],
  ['timeout_error', 'timeout'],
  ['overloaded_error', 'overloaded'],
])

const TYPES: Record<HubErrorKind, string> = {
  ...(Object.fromEntries([...KINDS].map(([type, kind]) => [kind, type])) as Record<HubErrorKind, string>),
  context_length: 'invalid_request_error',
}

export const buildError = ({ kind, message }: HubError): Json => ({
  type: 'error',
  error: { type: TYPES[kind], message: kind === 'context_length' ? tooLong(message) : message },
})

/** There is no type for it: clients look for these words before they make a conversation shorter. */
const tooLong = (message: string) =>
  /prompt is too long|exceed context limit/.test(message) ? message : `prompt is too long: ${message}`
