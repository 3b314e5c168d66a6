import { GatewayError } from '../errors.ts'

export type RequestPath = {
  /** For deciding: decoded, without doubled or trailing slashes. `/v1/chat/completions`. */
  endpoint: string
  /** For the provider: below `/v1`, as the client spelled it. `/chat/completions`. */
  below: string
  /** With its question mark, credentials taken out; empty when there is none. */
  query: string
  /** Why this path cannot be passed on; thrown once it is known who asks. */
  problem: GatewayError | null
}

/**
 * Takes a request's URL apart. What a limit or an allow-list is asked about is the decoded path, so that another spelling of an
 * endpoint is the same endpoint. Dot segments and broken escapes, which could leave `/v1`, are a `problem` (`unknown_route`).
 */
export function parsePath(url: string): RequestPath {
  const target = url.charCodeAt(0) === SLASH && !url.includes('#') ? url : originForm(url)
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : withoutCredentials(target.slice(mark))
  const { endpoint, problem } = PLAIN.test(path) ? { endpoint: path, problem: null } : normalize(path)
  return { endpoint, below: path.slice(3), query, problem }
}

const SLASH = 0x2f

/** A target with scheme and host in front (RFC 9112 3.2.2: servers must take it) or a fragment behind: what is left without them. */
const originForm = (url: string) => url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/s, '') || '/'

/** Nothing to normalise: the usual case, in one look. */
const PLAIN = /^(?:\/(?!\.\.?(?:\/|$))[\w.:@~!$&'()*+,;=-]+)+$/

function normalize(path: string): { endpoint: string; problem: GatewayError | null } {
  let decoded = path
  let problem: GatewayError | null = null
  try {
    decoded = decodeURIComponent(path)
  } catch (cause) {
    problem = new GatewayError('unknown_route', { message: 'The request URL has a broken percent escape.', cause })
  }
  const segments = decoded.split(/[/\\]+/)
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    problem = new GatewayError('unknown_route', { message: 'The request URL must not contain dot segments.' })
  }
  return { endpoint: `/${segments.filter((segment) => segment !== '').join('/')}`, problem }
}

/** `?key=` is how some SDKs send their credential; it is ours and must not reach the provider. */
function withoutCredentials(query: string): string {
  if (!/key|%/i.test(query)) return query
  const left = query
    .slice(1)
    .split('&')
    .filter((pair) => !CREDENTIALS.has(nameOf(pair)))
  return left.length === 0 ? '' : `?${left.join('&')}`
}

const CREDENTIALS = new Set(['key', 'api_key'])

/** A parameter's name as whoever reads it will understand it. */
const nameOf = (pair: string) => [...new URLSearchParams(pair).keys()][0]?.toLowerCase() ?? ''
