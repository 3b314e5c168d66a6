import type { IncomingHttpHeaders } from 'node:http'
import { matchesGlob } from '../domain/globs.ts'
import type { Caller, TokenIndex } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { StaticCallers } from './static-callers.ts'

type Request = { headers: IncomingHttpHeaders; url?: string | undefined }

/** Who asks. Throws `invalid_api_key`, and nothing else: what he may do is `authorize`'s. */
export async function authenticate(tokens: TokenIndex, statics: StaticCallers, req: Request): Promise<Caller> {
  const given = credentialOf(req)
  const found = given === null ? null : tokens.find(given)
  const caller = (found instanceof Promise ? await found : found) ?? (await statics.find(given))
  if (caller !== null) return caller
  throw new GatewayError('invalid_api_key', given === null ? { message: NO_KEY } : {})
}

const NO_KEY = 'You did not provide an API key. Send a proxy token of this gateway: Authorization: Bearer sk-…'

/** As the SDKs send it: OpenAI's bearer, Anthropic's and Google's header, Google's `?key=`. */
export function credentialOf({ headers, url }: Request): string | null {
  const { authorization } = headers
  if (authorization !== undefined) {
    // Schemes are case-insensitive (RFC 9110 11.1).
    return /^bearer +/i.test(authorization) ? authorization.slice(7).trim() : null
  }
  const other = headers['x-api-key'] ?? headers['x-goog-api-key']
  if (typeof other === 'string') return other
  return url?.includes('key=') ? new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('key') : null
}

/**
 * What holds for every request of this caller, whatever its body. Throws `token_revoked`, `token_expired`, `project_inactive`,
 * `ip_not_allowed`, `endpoint_not_allowed`.
 */
export function authorize(
  { token, project, ipList }: Caller,
  endpoint: string,
  addressOf: () => string,
  now: number,
): void {
  if (token.revokedAt !== null) throw new GatewayError('token_revoked')
  if (!token.isActive) throw new GatewayError('token_revoked', { message: 'This proxy token is not active.' })
  if (token.expiresAt !== null && token.expiresAt <= now) {
    throw new GatewayError('token_expired', { details: { expired_at: new Date(token.expiresAt).toISOString() } })
  }
  if (!project.isActive) throw new GatewayError('project_inactive')
  if (ipList && !ipList.allows(addressOf()))
    throw new GatewayError('ip_not_allowed', { details: { address: addressOf() } })
  if (token.allowedEndpoints && !matchesGlob(token.allowedEndpoints, endpoint)) {
    throw new GatewayError('endpoint_not_allowed', { details: { endpoint, allowed_endpoints: token.allowedEndpoints } })
  }
}

/** Throws `model_not_allowed` unless token and project both allow the model, in any of its spellings. */
export function authorizeModel(caller: Caller, spellings: readonly string[]): void {
  const allowed = refusingList(caller, spellings)
  if (allowed === null) return
  throw new GatewayError('model_not_allowed', {
    message: `The model \`${spellings[0]}\` is not allowed for this token.`,
    details: { model: spellings[0], allowed_models: allowed },
  })
}

export const isModelAllowed = (caller: Caller, spellings: readonly string[]): boolean =>
  refusingList(caller, spellings) === null

/** The first allow-list in which no spelling of the model stands. */
function refusingList({ token, project }: Caller, spellings: readonly string[]): readonly string[] | null {
  const lists = [token.allowedModels, project.allowedModels]
  return lists.find((allowed) => allowed && !spellings.some((model) => matchesGlob(allowed, model))) ?? null
}

/** Throws `model_not_allowed` when the caller is limited to some models and a request that must name one does not. */
export function authorizeNoModel({ token, project }: Caller): void {
  if (token.allowedModels === null && project.allowedModels === null) return
  throw new GatewayError('model_not_allowed', {
    message: 'This token is limited to some models, and the request names none.',
    param: 'model',
  })
}
