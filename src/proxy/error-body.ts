import { type GatewayError, toOpenAiError } from '../errors.ts'
import type { Dialect } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import { kindOf } from '../formats/error-kind.ts'
import { modelCall } from './endpoints.ts'
import type { HttpExchange } from './exchange.ts'

/** Whose errors this client reads, by the path and by the header that all of Anthropic's send; null: OpenAI's, the gateway's own. */
export function errorDialect({ path: { api }, req }: Pick<HttpExchange, 'path' | 'req'>): Dialect | null {
  const isMessages = api === '/v1/messages' || api.startsWith('/v1/messages/')
  if (isMessages || (SHARED_PATHS.test(api) && req.headers['anthropic-version'] !== undefined))
    return DIALECTS['anthropic-messages'] ?? null
  if (api.startsWith('/v1beta') || modelCall(api) !== null) return DIALECTS.gemini ?? null
  return null
}

/** What both OpenAI and Anthropic have. */
const SHARED_PATHS = /^\/v1\/(?:models|files)(?:\/|$)/

/** The gateway's own error in that dialect. What the dialect has no place for stands beside what it has. */
export function errorBody(dialect: Dialect | null, error: GatewayError, requestId: string): Record<string, unknown> {
  if (dialect === null) return toOpenAiError(error)
  const { message, code, param, details, status } = error
  const body = dialect.buildError({ kind: kindOf(status, ''), message, code, param, retryAfterMs: null }, status)
  const inner = body.error as Record<string, unknown>
  const more = { code: inner.code ?? code, ...(details && !inner.details && { details }) }
  return { ...body, error: { ...inner, ...more }, request_id: requestId }
}
