import type { HubErrorKind } from './hub.ts'

/** What an error is by its status, where its body says no more. Source: wire facts 5.1. */
export function kindOf(status: number, message: string): HubErrorKind {
  switch (status) {
    case 400:
    case 422:
      return isAboutLength(message) ? 'context_length' : 'invalid_request'
    case 401:
      return 'authentication'
    case 402:
      return 'billing'
    case 403:
      return 'permission'
    case 404:
      return 'not_found'
    case 408:
    case 504:
      return 'timeout'
    case 413:
      return 'too_large'
    case 429:
      return 'rate_limit'
    case 503:
    case 529:
      return 'overloaded'
    default:
      return status >= 500 ? 'server' : 'invalid_request'
  }
}

/** `prompt is too long: 3333404 tokens > 200000 maximum`, `input token count (…) exceeds the maximum`, `maximum context length is …`. */
export const isAboutLength = (message: string) =>
  /prompt is too long|maximum context length|context[ _](?:length|window)|input token count .*exceeds/i.test(message)

const STATUS: Record<HubErrorKind, number> = {
  invalid_request: 400,
  authentication: 401,
  permission: 403,
  billing: 402,
  not_found: 404,
  too_large: 413,
  context_length: 400,
  rate_limit: 429,
  overloaded: 503,
  timeout: 504,
  server: 500,
}

/** The status that a client of any dialect is answered with, so that its SDK raises the right class. */
export const statusOf = (kind: HubErrorKind): number => STATUS[kind]
