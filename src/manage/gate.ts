import type { Request, RequestHandler } from 'express'
import type { AppContext } from '../context.ts'
import { type Actor, recordDenial } from '../domain/audit.ts'
import { equalSecrets } from '../domain/secrets.ts'
import { GatewayError } from '../errors.ts'

const WINDOW_MS = 60_000
const MAX_DENIALS = 30

/** Lets the management token in. Everybody else gets `unauthorized`, and a row in the audit log: so many a minute, then counted alone. */
export function createGate({
  managementToken,
  store,
  metrics,
  log,
  now,
}: Pick<AppContext, 'managementToken' | 'store' | 'metrics' | 'log' | 'now'>): RequestHandler {
  let windowStart = 0
  let denials = 0

  const deny = async (req: Request) => {
    const since = now() - windowStart
    // Negative: the clock was put back.
    if (since >= WINDOW_MS || since < 0) {
      windowStart = now()
      denials = 0
    }
    if (++denials > MAX_DENIALS) return void metrics.auditSuppressed()
    const asked = { method: req.method, path: req.originalUrl.split('?')[0]! }
    const subject = { action: 'manage.access' }
    await recordDenial({ store, now }, actorOf(req, 'anonymous'), subject, 'unauthorized', asked).catch((cause) =>
      log.error('a denied management call could not be written to the audit log', { cause }),
    )
  }

  return async (req, _res, next) => {
    const given = /^bearer +(.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
    if (equalSecrets(given, managementToken)) return next()
    await deny(req)
    throw new GatewayError('unauthorized', { headers: { 'www-authenticate': 'Bearer' } })
  }
}

/** Who asks, for the audit log. */
export const actorOf = (req: Request, name: string): Actor => ({
  name,
  ip: req.ip ?? null,
  userAgent: req.get('user-agent') ?? null,
})
