/** Why a sign-in did not come about: in words for the person, and a short reason for the log. Nothing of tokens is in either. */
export type OidcFailure = { status: number; message: string; reason: string }

const MAX_TEXT = 200

/** Of what the provider said, or of what could not be had from it. Errors of openid-client carry whole answers: only their names are used. */
export function explainFailure(error: unknown): OidcFailure {
  const { code, error: told, error_description: why, status } = facts(error)
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') return refusedByProvider(told, why)
  if (told === 'invalid_grant')
    return failure(
      401,
      'invalid_grant',
      'The provider no longer knows this sign-in: it was used already, or is too old.',
    )
  if (told === 'invalid_client' || told === 'unauthorized_client' || status === 401)
    return failure(
      502,
      told ?? 'invalid_client',
      `The provider does not accept this gateway. ${OPERATOR} OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.`,
    )
  if (told !== undefined)
    return failure(502, told, `The provider refused the sign-in (${told}). ${OPERATOR} the OIDC options.`)
  if (code === undefined || NETWORK.test(code))
    return failure(502, code ?? 'unreachable', 'The provider of single sign-on cannot be reached. Try again shortly.')
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
    return failure(401, code, "What the provider sent is too old, or its clock and the gateway's differ. Start again.")
  if (code === 'OAUTH_HTTP_REQUEST_FORBIDDEN' || code === 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN')
    return failure(502, code, `The provider has an address without TLS. ${OPERATOR} OIDC_ISSUER.`)
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
    return failure(502, code, `The provider calls itself by another address. ${OPERATOR} OIDC_ISSUER.`)
  return failure(401, code, 'What came back from the provider does not belong to this sign-in. Start again.')
}

const OPERATOR = 'Ask the operator of this gateway to check'
const NETWORK =
  /^(?:E[A-Z]+|UND_ERR_\w+|OAUTH_TIMEOUT|OAUTH_ABORT|OAUTH_RESPONSE_IS_NOT_CONFORM|OAUTH_RESPONSE_IS_NOT_JSON|OAUTH_PARSE_ERROR)$/

const failure = (status: number, reason: string, message: string): OidcFailure => ({ status, message, reason })

function refusedByProvider(told = 'unknown', why?: string): OidcFailure {
  if (told === 'access_denied')
    return failure(403, told, `The provider did not let you in, or you turned back.${why ? ` It says: ${why}` : ''}`)
  return failure(502, told, `The provider refused the sign-in (${told}).${why ? ` It says: ${why}` : ''}`)
}

type Facts = { code?: string; error?: string; error_description?: string; status?: number }

/** By shape, its causes too: the first that says anything. */
function facts(error: unknown, depth = 0): Facts {
  const { code, error: told, error_description: why, status, cause } = Object(error) as Record<string, unknown>
  const own: Facts = {
    ...(typeof code === 'string' && { code: code.slice(0, MAX_TEXT) }),
    ...(typeof told === 'string' && { error: told.slice(0, MAX_TEXT) }),
    ...(typeof why === 'string' && { error_description: why.slice(0, MAX_TEXT) }),
    ...(typeof status === 'number' && { status }),
  }
  const deeper = depth < 4 && typeof Object(cause).message === 'string' ? facts(cause, depth + 1) : {}
  return { ...deeper, ...own }
}
