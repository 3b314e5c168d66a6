import type { Request, RequestHandler } from 'express'
import type { AppContext } from '../context.ts'
import type { Actor } from '../domain/audit.ts'
import { createDenials } from '../domain/denials.ts'
import { equalSecrets } from '../domain/secrets.ts'
import { GatewayError } from '../errors.ts'

/** Lets the management token in. Everybody else gets `unauthorized`, and a row in the audit log: so many a minute, then counted alone. */
export function createGate({
  managementToken,
  store,
  metrics,
  log,
  now,
}: Pick<AppContext, 'managementToken' | 'store' | 'metrics' | 'log' | 'now'>): RequestHandler {
  const deny = createDenials({ store, metrics, log, now })
  return async (req, _res, next) => {
    const given = /^bearer +(.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
    if (equalSecrets(given, managementToken)) return next()
    const asked = { method: req.method, path: req.originalUrl.split('?')[0]! }
    await deny(actorOf(req, 'anonymous'), { action: 'manage.access' }, 'unauthorized', asked)
    throw new GatewayError('unauthorized', { headers: { 'www-authenticate': 'Bearer' } })
  }
}

/** Who asks, for the audit log. */
export const actorOf = (req: Request, name: string): Actor => ({
  name,
  ip: req.ip ?? null,
  userAgent: req.get('user-agent') ?? null,
})
