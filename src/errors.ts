/** Every code the gateway itself can answer with: HTTP status, OpenAI error `type`, and the text a caller reads by default. */
const CODES = {
  invalid_api_key: [401, 'authentication_error', 'Incorrect API key provided. Use a proxy token of this gateway.'],
  token_expired: [401, 'authentication_error', 'This proxy token has expired.'],
  token_revoked: [401, 'authentication_error', 'This proxy token has been revoked.'],
  project_inactive: [403, 'permission_error', 'The project of this token is not active.'],
  model_not_allowed: [403, 'permission_error', 'This token may not use that model.'],
  endpoint_not_allowed: [403, 'permission_error', 'This token may not use that endpoint.'],
  ip_not_allowed: [403, 'permission_error', 'This token may not be used from that address.'],
  rate_limit_exceeded: [429, 'rate_limit_error', 'Rate limit reached. Try again later.'],
  insufficient_quota: [429, 'insufficient_quota', 'The quota of this token is used up.'],
  invalid_json: [400, 'invalid_request_error', 'The request body is not valid JSON.'],
  invalid_request: [400, 'invalid_request_error', 'The request is not valid.'],
  unsupported_parameter: [400, 'invalid_request_error', 'A parameter of the request is not supported.'],
  request_timeout: [408, 'invalid_request_error', 'The request body did not arrive in time.'],
  request_too_large: [413, 'invalid_request_error', 'The request body is too large.'],
  headers_too_large: [431, 'invalid_request_error', 'The request headers are too large.'],
  model_not_found: [404, 'invalid_request_error', 'The model does not exist or no provider is configured for it.'],
  unknown_route: [404, 'invalid_request_error', 'Unknown request URL.'],
  upstream_auth_failed: [
    502,
    'api_error',
    'The provider refused the key that the gateway holds for it. Ask the operator to check it.',
  ],
  upstream_unreachable: [502, 'api_error', 'The provider could not be reached.'],
  upstream_cut: [502, 'api_error', 'The provider cut its answer short.'],
  upstream_timeout: [504, 'timeout_error', 'The provider did not answer in time.'],
  no_healthy_upstream: [503, 'api_error', 'No provider is able to take this request now.'],
  overloaded: [503, 'overloaded_error', 'The gateway is at its limit of concurrent requests. Try again shortly.'],
  draining: [503, 'overloaded_error', 'The gateway is shutting down. Try again shortly.'],
  client_closed: [499, 'invalid_request_error', 'The client closed the connection.'],
  unauthorized: [
    401,
    'authentication_error',
    'A management token is required: Authorization: Bearer <MANAGEMENT_TOKEN>.',
  ],
  forbidden: [403, 'permission_error', 'Your role does not allow this.'],
  not_found: [404, 'invalid_request_error', 'There is no such resource.'],
  conflict: [409, 'invalid_request_error', 'The resource is in conflict with another one.'],
  validation_failed: [422, 'invalid_request_error', 'Some fields are not valid.'],
  method_not_allowed: [405, 'invalid_request_error', 'This method is not allowed here.'],
  storage_unavailable: [503, 'api_error', 'The gateway cannot write to its database now. Try again shortly.'],
  internal_error: [500, 'api_error', 'The gateway met an unexpected error.'],
} as const satisfies Record<string, readonly [status: number, type: string, message: string]>

export type ErrorCode = keyof typeof CODES
export const ERROR_CODES = Object.keys(CODES) as ErrorCode[]

export type ErrorOptions = {
  /** Public text; the code's own sentence when left out. Never a secret, never a foreign error's text. */
  message?: string
  /** The request field at fault, as OpenAI's `param`. */
  param?: string
  /** Public facts that help the caller to go on. */
  details?: Record<string, unknown>
  /** Extra response headers, lower-case (`retry-after` …). */
  headers?: Record<string, string>
  /** What really happened: for the log alone. */
  cause?: unknown
}

/** The one error that the gateway answers with. Everything in it but `cause` may be shown to the caller. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly details: Record<string, unknown> | undefined
  readonly headers: Record<string, string>

  constructor(code: ErrorCode, { message, param, details, headers, cause }: ErrorOptions = {}) {
    const [status, type, text] = CODES[code]
    super(message ?? text, { cause })
    this.name = 'GatewayError'
    this.code = code
    this.status = status
    this.type = type
    this.param = param ?? null
    this.details = details
    this.headers = headers ?? {}
  }
}

/** The error as it stands, or an unexpected one wrapped so that nothing of it reaches the caller. */
export function toGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError ? error : new GatewayError('internal_error', { cause: error })
}

/** OpenAI's error body, the format of `/v1` and `/manage`. */
export function toOpenAiError({ message, type, param, code, details }: GatewayError) {
  return { error: { message, type, param, code, ...(details && { details }) } }
}
