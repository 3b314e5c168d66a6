import type { IncomingMessage, ServerResponse } from 'node:http'
import cors from 'cors'

/** So long a browser may remember a preflight's answer. */
const MAX_AGE_SECONDS = 600

/**
 * CORS for the browser origins that the operator named (`*`: all). A preflight is answered here and never reaches a provider; any
 * other OPTIONS passes on.
 */
export function createCors(
  origins: readonly string[],
): (req: IncomingMessage, res: ServerResponse, next: () => void) => void {
  const apply = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'],
    exposedHeaders: '*',
    maxAge: MAX_AGE_SECONDS,
  })
  return (req, res, next) => {
    const isPreflight = req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined
    if (req.headers.origin === undefined || (req.method === 'OPTIONS' && !isPreflight)) next()
    else apply(req, res, next)
  }
}
