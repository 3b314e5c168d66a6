import { GatewayError } from '../errors.ts'
import type { Exchange } from './exchange.ts'

/**
 * Google's parameters for all of its APIs, with which an answer would come without its usage, or in a form that cannot be read for
 * it. Each may have a dollar in front. Throws `unsupported_parameter`. Source: docs.cloud.google.com/apis/docs/system-parameters.
 */
export function refuseUnmeterable({ endpoint, path }: Pick<Exchange, 'endpoint' | 'path'>): void {
  if (endpoint === null || path.query === '' || !/[:/]models\/|^\/v1beta/.test(path.api)) return
  for (const [spelled, value] of new URLSearchParams(path.query)) {
    const name = spelled.replace(/^\$/, '').toLowerCase()
    if (!HIDING.has(name) && !(name === 'alt' && !READABLE.test(value))) continue
    throw new GatewayError('unsupported_parameter', {
      message: `\`${spelled}\` is not supported here: what the request uses could not be read from its answer. Leave it out${name === 'alt' ? ', or say json or sse' : ''}.`,
      param: spelled.slice(0, 80),
    })
  }
}

const HIDING = new Set(['fields', 'callback', 'httpheaders', 'httpmethod'])
const READABLE = /^(?:json|sse)(?:;|$)/i
