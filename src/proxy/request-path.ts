import { GatewayError } from '../errors.ts'

export type RequestPath = {
  /** For deciding: decoded, without doubled or trailing slashes. `/v1/chat/completions`, `/anthropic/v1/messages`. */
  endpoint: string
  /** The same without the provider in front: what is known of endpoints goes by this. `/v1/messages`. */
  api: string
  /** The provider in front of a path of its own API: `anthropic` in `/anthropic/v1/messages`. */
  mount: string | null
  /** For the provider: below the version, as the client spelled it. `/chat/completions`. */
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
export function parsePath(url: string, mounts: Mounts = NO_MOUNTS): RequestPath {
  const target = url.charCodeAt(0) === SLASH && !url.includes('#') ? url : originForm(url)
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : withoutCredentials(target.slice(mark))
  const { endpoint, problem } = PLAIN.test(path) ? { endpoint: path, problem: null } : normalize(path)
  if (VERSION_1.test(path)) return { endpoint, api: endpoint, mount: null, below: path.slice(3), query, problem }
  // The list of models, also without a version.
  if (MODELS.test(endpoint))
    return { endpoint: `/v1${endpoint}`, api: `/v1${endpoint}`, mount: null, below: path, query, problem }
  return { endpoint, ...placeOf(endpoint, path, mounts), query, problem }
}

/** By the name of a provider, what a path below it means there. */
export type Mounts = ReadonlyMap<string, (rest: string) => { api: string; below: string }>
const NO_MOUNTS: Mounts = new Map()

const MODELS = /^\/models(?:\/|$)/
const VERSION_1 = /^\/v1(?:\/|$)/

/** Paths of other APIs, and of providers. */
function placeOf(endpoint: string, path: string, mounts: Mounts): Pick<RequestPath, 'api' | 'mount' | 'below'> {
  const [, first = ''] = endpoint.split('/', 2)
  const mount = mounts.get(first)
  if (mount) {
    const rest = path.slice(1 + first.length)
    return { mount: first, api: mount(endpoint.slice(1 + first.length)).api, below: mount(rest).below }
  }
  return { mount: null, api: endpoint, below: path.slice(1 + first.length) }
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

/** A parameter's name as whoever reads it will understand it: Google takes `$key` for `key`. */
const nameOf = (pair: string) => [...new URLSearchParams(pair).keys()][0]?.toLowerCase().replace(/^\$/, '') ?? ''
