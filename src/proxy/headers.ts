/** Never cross in either direction (RFC 9110 7.6.1), besides those that `connection` names. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** The caller's credentials, his cookies, and what tells about the way he came. */
const CALLER_ONLY = [
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  'host',
  'expect',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
]

/** Would make another request of it than the one that was judged, or an answer without usage (Google's APIs know them). */
const DECEPTIVE = ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-goog-fieldmask']

const NEVER_UP = new Set([...HOP_BY_HOP, ...CALLER_ONLY, ...DECEPTIVE, 'content-length', 'accept-encoding'])
const NEVER_DOWN = new Set([...HOP_BY_HOP, 'set-cookie', 'set-cookie2', 'content-length'])

type Flat = string[]

/**
 * The headers for the provider, flat. `raw` is Node's own list, so that names keep their spelling and repeated headers stay apart.
 * `auth`: set by the gateway, in lower case.
 * `contentLength`: of the body that is sent, null for none or an unknown length. `acceptEncoding`: null leaves it out.
 */
export function upstreamHeaders(
  raw: readonly string[],
  auth: Record<string, string>,
  contentLength: string | null,
  acceptEncoding: string | null,
): Flat {
  const named = namedByConnection(raw)
  const headers: Flat = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (NEVER_UP.has(name) || name.startsWith('x-forwarded-') || name.startsWith('x-llm-proxy-') || named?.has(name))
      continue
    // What is ours to say is said once.
    if (Object.hasOwn(auth, name)) continue
    headers.push(raw[i]!, raw[i + 1]!)
  }
  if (contentLength !== null) headers.push('content-length', contentLength)
  if (acceptEncoding !== null) headers.push('accept-encoding', acceptEncoding)
  for (const name in auth) headers.push(name, auth[name]!)
  return headers
}

export type DownstreamFacts = {
  /** The body passes as long as the provider said; else it is sent in chunks. */
  keepContentLength: boolean
  /** The body is passed on without the encoding that it came in. */
  decoded: boolean
  /** Limits of this gateway that the caller is under: where the provider tells of its own, these are the ones that count. */
  limits: readonly { what: string }[]
  /** This gateway answers the browser's question of origins itself (CORS). */
  ownCors: boolean
  /** Our key at the provider: one that is quoted in a header must not come out. */
  secret: string
  /** Flat list to add. */
  extra: Flat
}

/** The provider's headers for the client, flat, in their order. */
export function downstreamHeaders(
  raw: readonly string[],
  { keepContentLength, decoded, limits, ownCors, secret, extra }: DownstreamFacts,
): Flat {
  const named = namedByConnection(raw)
  const headers: Flat = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (NEVER_DOWN.has(name) && !(name === 'content-length' && keepContentLength)) continue
    if (named?.has(name) || (decoded && name === 'content-encoding')) continue
    if (ownCors && name.startsWith('access-control-')) continue
    if (name === 'x-should-retry' && extra.includes(name)) continue
    if (name.charCodeAt(0) === 0x78 && (name.startsWith('x-llm-proxy-') || isReplaced(name, limits))) continue
    const value = raw[i + 1]!
    headers.push(raw[i]!, value.includes(secret) ? value.replaceAll(secret, '[redacted]') : value)
  }
  for (const part of extra) headers.push(part)
  // A header of the list replaces the one that the CORS middleware has set.
  if (ownCors) headers.push('vary', 'Origin')
  return headers
}

/** Where the SDKs of a dialect read the id of a request from, also where the provider calls it otherwise. */
export function addRequestId(headers: Flat, dialect: string, requestId: string): void {
  const name = dialect === 'anthropic-messages' ? 'request-id' : 'x-request-id'
  if (headerOf(headers, name) === null) headers.push(name, requestId)
}

const isReplaced = (name: string, limits: DownstreamFacts['limits']) =>
  limits.length > 0 && name.startsWith('x-ratelimit-') && limits.some(({ what }) => name.endsWith(`-${what}`))

/** A header's first value in a flat list, null when it is not there. */
export function headerOf(raw: readonly string[], wanted: string): string | null {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === wanted.length && raw[i]!.toLowerCase() === wanted) return raw[i + 1]!
  }
  return null
}

/** Whether an answer comes as events. */
export const isEventStream = ({ headers }: { headers: readonly string[] }): boolean =>
  headerOf(headers, 'content-type')?.startsWith('text/event-stream') === true

function namedByConnection(raw: readonly string[]): Set<string> | null {
  let named: Set<string> | null = null
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length !== 10 || raw[i]!.toLowerCase() !== 'connection') continue
    const value = raw[i + 1]!.toLowerCase()
    if (value === 'keep-alive' || value === 'close') continue
    named ??= new Set()
    for (const name of value.split(',')) named.add(name.trim())
  }
  return named
}

/** For a request of the gateway's own making: what the client says of its dialect means nothing to another one. */
export function translatedHeaders(
  userAgent: string | undefined,
  own: Record<string, string>,
  contentLength: number,
  stream: boolean,
): Flat {
  const headers = ['content-type', 'application/json', 'content-length', String(contentLength)]
  headers.push('accept', stream ? 'text/event-stream' : 'application/json', 'accept-encoding', 'identity')
  if (userAgent !== undefined) headers.push('user-agent', userAgent)
  for (const name in own) headers.push(name, own[name]!)
  return headers
}
