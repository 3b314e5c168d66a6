import type { IncomingMessage } from 'node:http'
import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import type { Json } from '../formats/dialect.ts'
import { modelCall } from './endpoints.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamRequest } from './forward.ts'
import { refuseUnmeterable } from './google-parameters.ts'
import { translatedHeaders, upstreamHeaders } from './headers.ts'
import { isRead } from './pins/watch-answer.ts'
import type { Target } from './plan.ts'
import { asksForUsage, mayAskForUsage, withModel, withUsageAsked } from './rewrite.ts'
import { translateEmbeddings } from './translate/embeddings.ts'
import { type Translation, translate } from './translate/translation.ts'

type Parts = Pick<AppContext, 'config' | 'estimator'>

export type Prepared = {
  /** What every attempt sends. */
  request(): UpstreamRequest
  /** Usage was asked for on our own account: the client must not see it. */
  hideUsage: boolean
  /** Null: the client and the provider speak alike. */
  translation: Translation | null
}

/**
 * What a target is asked: the client's bytes with the rewrites that are named in `changes`, or, where it speaks another dialect, a
 * translation. `upload`: makes the body of a request that passes as a stream. Throws what `translate` throws.
 */
export function prepare(
  parts: Parts,
  exchange: Exchange,
  target: Target,
  upload: () => UpstreamRequest['body'],
): Prepared {
  const { body, req } = exchange
  const value = body.kind === 'json' ? body.value : null
  const strict = parts.config.strictTranslation || req.headers['x-llm-proxy-strict'] === 'true'
  const translation = translate(exchange, target, value, strict) ?? translateEmbeddings(exchange, target, value, strict)
  return translation
    ? { request: () => translatedRequest(exchange, target, translation), hideUsage: false, translation }
    : { ...passedOn(parts, exchange, target, value, upload), translation }
}

function translatedRequest(
  { req, stream }: Exchange,
  { provider, key, model }: Target,
  { speech, body }: Translation,
): UpstreamRequest {
  const auth = (speech.authHeaders ?? provider.authHeaders)(key)
  return {
    origin: provider.origin,
    path: `${provider.basePath}${speech.path(model ?? '', stream)}`,
    method: 'POST',
    headers: translatedHeaders(req.headers['user-agent'], { ...speech.headers, ...auth }, body.length, stream),
    body,
  }
}

function passedOn(
  { config, estimator }: Parts,
  exchange: Exchange,
  target: Target,
  value: Json | null,
  upload: () => UpstreamRequest['body'],
): Omit<Prepared, 'translation'> {
  const { body, endpoint, req, changes } = exchange
  const { provider } = target
  refuseUnmeterable(exchange)
  let bytes = body.kind === 'json' ? body.bytes : null
  let hideUsage = false
  if (bytes !== null && exchange.model !== null && target.model !== null && target.model !== exchange.model) {
    if (modelCall(exchange.path.api) === null) bytes = withModel(bytes, target.model)
    changes.push('model')
  }
  if (bytes !== null && value !== null && endpoint?.usageOnRequest && exchange.stream) {
    hideUsage = config.streamUsage === 'inject' && provider.takesStreamOptions && mayAskForUsage(value)
    if (!hideUsage && !asksForUsage(value)) estimator.warm()
    if (hideUsage) {
      bytes = withUsageAsked(bytes, value)
      changes.push('stream_options')
    }
  }
  const contentLength = bytes !== null ? String(bytes.length) : body.kind === 'stream' ? body.contentLength : null
  // What must be read has to come uncompressed; everywhere else the caller and the provider agree on it.
  const acceptEncoding = endpoint || isRead(exchange.pinning) ? 'identity' : (header(req, 'accept-encoding') ?? null)
  const auth = authOf(exchange, target)
  const path = pathFor(exchange, target)
  const request = (): UpstreamRequest => ({
    origin: provider.origin,
    path,
    method: exchange.method,
    headers: upstreamHeaders(req.rawHeaders, auth, contentLength, acceptEncoding),
    body: body.kind === 'stream' ? upload() : bytes,
  })
  return { request, hideUsage }
}

/** In its own API a provider may want the key elsewhere than in the one that it copies. */
function authOf({ endpoint, path }: Exchange, { provider, key }: Target): Record<string, string> {
  const speech = provider.speaks.find(({ dialect }) => dialect === endpoint?.dialect) ?? provider.speaks[0]
  const isOwn = endpoint?.dialect === speech?.dialect || isOwnApi(path, speech?.dialect)
  return ((isOwn && speech?.authHeaders) || provider.authHeaders)(key)
}

const isOwnApi = ({ api, mount }: Exchange['path'], dialect: string | undefined) =>
  dialect === 'gemini' ? api.startsWith('/v1beta') : mount !== null || api.startsWith('/v1/messages')

function pathFor({ path }: Exchange, { provider, model }: Target): string {
  const { mount, api, below, query } = path
  if (mount !== null) return `${provider.basePath}${below}${query}`
  const call = modelCall(api)
  if (call) return `${provider.basePath}/models/${encodeURIComponent(model ?? call.model)}:${call.action}${query}`
  if (api.startsWith('/v1beta') || api.startsWith('/v1/messages')) return `${provider.basePath}${below}${query}`
  const own = provider.pathOf(below, model)
  if (own === null)
    throw new GatewayError('unknown_route', {
      message: `${provider.name} has no ${path.endpoint}: ask for a model of another provider.`,
    })
  return `${provider.basePath}${joined(own, query)}` || '/'
}

/** `query`: the client's, with its question mark. */
const joined = (path: string, query: string) => (path.includes('?') ? path + query.replace('?', '&') : path + query)

const header = (req: IncomingMessage, name: string) => {
  const value = req.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
