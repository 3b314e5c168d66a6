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

/**
 * `prompt is too long: 3333404 tokens > 200000 maximum`, `input length and max_tokens exceed context limit`, `maximum context length
 * is …`, `maximum prompt length is …`, `input token count (…) exceeds the maximum`, `Input is too long for requested model`.
 */
export const isAboutLength = (message: string) =>
  /(?:prompt|input) is too long|maximum (?:context|prompt|model) length|exceeds? (?:the )?context|context[ _](?:length|window|size)|input token count .*exceeds/i.test(
    message,
  )

/** How long a message says to wait (`Please try again in 6m0s.`, `… in 18.642s`, `… in 20ms`), in milliseconds. */
export function waitIn(message: string): number | null {
  const match = /(?:try again|retry) in ((?:[\d.]{1,12}(?:ms|h|m|s) ?)+)/i.exec(message.slice(0, 10_000))
  if (!match) return null
  const parts = [...match[1]!.matchAll(/([\d.]+)(ms|h|m|s)/g)].map(([, count, unit]) => Number(count) * UNITS[unit!]!)
  const total = Math.ceil(parts.reduce((sum, one) => sum + one, 0))
  return Number.isFinite(total) ? total : null
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** What is said of an error whose body says nothing. */
export const NO_MESSAGE = 'The provider answered with an error.'
const MAX_MESSAGE = 4_000

/** Pages of a proxy in between may be long. */
export const boundedMessage = (message: string | null | undefined) => message?.slice(0, MAX_MESSAGE) || null

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
