import type { LedgerRow } from '../../store/store.ts'

/** What an end means, and what to do about it. */
export type Help = { meaning: string; next: string }

/** Of the gateway's own codes, those that end on a row of the ledger. */
const OF_CODE: Readonly<Record<string, Help>> = {
  token_expired: {
    meaning: 'The token is past its expiry date. The request did not leave the gateway.',
    next: 'Move the expiry of the token, or give the client a new one.',
  },
  token_revoked: {
    meaning: 'The token was revoked. The request did not leave the gateway.',
    next: 'Give the client a new token, if it may go on.',
  },
  project_inactive: {
    meaning: 'The project of the token is switched off.',
    next: 'Switch the project on, if its clients may go on.',
  },
  model_not_allowed: {
    meaning: 'The token or its project has a list of models, and this one is not on it.',
    next: 'Add the model to the list of the token and of the project, or let the client ask for another.',
  },
  endpoint_not_allowed: {
    meaning: 'The token has a list of endpoints, and this one is not on it.',
    next: 'Add the endpoint to the list of the token, if it may be used.',
  },
  ip_not_allowed: {
    meaning: 'The token may be used from certain addresses only, and the request came from another.',
    next: 'Add the address to the list of the token. Behind a load balancer, TRUST_PROXY must say whose word counts.',
  },
  rate_limit_exceeded: {
    meaning: 'The rate limit of the token, its project, or the gateway was reached. The provider was not asked.',
    next: 'The client should wait as retry-after says. If this is usual for it, raise the limit.',
  },
  insufficient_quota: {
    meaning: 'The budget or the number of requests of the token or its project is used up.',
    next: 'Raise the budget, or wait until its period begins anew.',
  },
  invalid_json: {
    meaning: 'The body was not JSON, or named a field twice.',
    next: 'The client has to be mended; the kept body shows what it sent.',
  },
  invalid_request: {
    meaning: 'The gateway or the provider could not make sense of the request.',
    next: 'The answer names the field at fault. Where it was translated, see what was changed or dropped.',
  },
  unsupported_parameter: {
    meaning: 'A field of the request has no counterpart at the provider, and may not be left out in silence.',
    next: 'Let the client leave it out, or route the model to a provider that has it.',
  },
  request_timeout: {
    meaning: 'The body of the request did not arrive in time.',
    next: 'Look at the client’s connection; large uploads need a longer time limit.',
  },
  request_too_large: {
    meaning: 'The body is larger than the gateway takes.',
    next: 'Raise MAX_BODY_MB (JSON) or MAX_UPLOAD_MB, or let the client send less.',
  },
  model_not_found: {
    meaning: 'No provider with a key serves this model, and no route has its name.',
    next: 'Look for a misspelt name, add a provider key, or add a route. Explain shows what becomes of the name.',
  },
  unknown_route: {
    meaning: 'There is nothing at this address.',
    next: 'Look at the base URL that the client uses: most want it to end in /v1.',
  },
  upstream_auth_failed: {
    meaning: 'The provider refused the key that the gateway holds for it.',
    next: 'Replace the provider key of the project, or the one in the environment.',
  },
  upstream_unreachable: {
    meaning: 'No connection to the provider came about.',
    next: 'Look at the network, DNS and the base URL of the provider. A second provider in a route carries on meanwhile.',
  },
  upstream_cut: {
    meaning: 'The provider broke off in the middle of its answer. What came until then is charged.',
    next: 'The client may ask again. If it happens often, let a route recover streams from another provider.',
  },
  upstream_timeout: {
    meaning: 'The provider did not answer within the time limits.',
    next: 'Raise the time limit for slow models, or add another provider to the route.',
  },
  no_healthy_upstream: {
    meaning: 'Every provider that could serve this was failing and passed by.',
    next: 'The page of providers tells why. A route with a provider elsewhere would have carried on.',
  },
  overloaded: {
    meaning: 'The gateway was at its limit of concurrent requests.',
    next: 'Raise MAX_CONCURRENT_REQUESTS if the machine has room, or start more replicas.',
  },
  draining: {
    meaning: 'The gateway was shutting down.',
    next: 'The client may ask again.',
  },
  client_closed: {
    meaning: 'The client hung up before the answer was whole. What the provider had produced until then is charged.',
    next: 'Nothing, when people stop answers by hand. Else the client’s time limit may be too short.',
  },
  storage_unavailable: {
    meaning: 'The gateway could not write to its database, and serves nothing that it cannot account for.',
    next: 'Look at the disk that holds DATA_DIR, and at the log.',
  },
  internal_error: {
    meaning: 'The gateway met an error that it did not expect.',
    next: 'The log has a line with this request’s id. Please report it.',
  },
}

/** What is said where the provider's own answer was passed on. */
const OF_STATUS: Readonly<Record<number, Help>> = {
  400: {
    meaning: 'The provider found the request wrong, and its answer was passed on.',
    next: 'The kept answer says why, for example a prompt that is too long or a parameter that the model does not take.',
  },
  401: { meaning: 'The provider did not accept the credential.', next: 'Replace the provider key of the project.' },
  403: {
    meaning: 'The provider does not allow this: the model, the region, or what was asked.',
    next: 'Look at what the account of the provider key may use.',
  },
  404: {
    meaning: 'The provider does not know the model or the object.',
    next: 'Look for a misspelt name; objects as files live in one account only.',
  },
  429: {
    meaning: 'The provider’s own rate limit, or the credit of its account, was used up.',
    next: 'Look at the account there. More keys or a second provider in a route spread the load.',
  },
  499: OF_CODE.client_closed!,
}

/** Null for a request that went well. */
export function helpFor({ status, error }: Pick<LedgerRow, 'status' | 'error'>): Help | null {
  if (error === null && status < 400) return null
  if (error !== null && Object.hasOwn(OF_CODE, error)) return OF_CODE[error]!
  if (Object.hasOwn(OF_STATUS, status)) return OF_STATUS[status]!
  return status >= 500
    ? {
        meaning: 'The provider failed, and its answer was passed on.',
        next: 'The client may ask again. A second provider in a route would be asked by itself.',
      }
    : { meaning: 'The provider refused the request, and its answer was passed on.', next: 'The kept answer says why.' }
}
