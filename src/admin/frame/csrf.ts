import { createHash, randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import type { AppContext } from '../../context.ts'
import { equalSecrets } from '../../domain/secrets.ts'
import { GatewayError } from '../../errors.ts'
import { readCookie, setCookie } from './cookies.ts'
import type { Form } from './form.ts'

/** What every form of a session carries: known to its pages alone, for it follows from the session's secret. */
export const csrfToken = (secret: string): string => createHash('sha256').update(`csrf ${secret}`).digest('base64url')

/** The same for who has not signed in: it follows from a cookie that is given to each visitor. */
export function visitorCsrfToken(req: Request, res: Response): string {
  let visitor = readCookie(req, 'visitor')
  if (visitor === null || visitor.length < 22) {
    visitor = randomBytes(16).toString('base64url')
    setCookie(req, res, 'visitor', visitor)
  }
  return csrfToken(visitor)
}

/**
 * Throws `forbidden` unless a form was sent from a page of ours: browsers say where a request comes from, and the form must carry the
 * token. Either would do; a flaw in one is no flaw of the console. Behind a proxy that gives requests another host, `PUBLIC_URL` is where
 * pages come from.
 */
export function requireOwnForm({ config }: Pick<AppContext, 'config'>, req: Request, form: Form, token: string): void {
  const site = req.get('sec-fetch-site')
  const origin = req.get('origin')
  const ownHosts = [req.headers.host, config.admin.publicUrl && hostOf(config.admin.publicUrl)].filter(Boolean)
  const isForeign =
    (site !== undefined && site !== 'same-origin') || (origin !== undefined && !ownHosts.includes(hostOf(origin)))
  if (isForeign || !equalSecrets(form.raw('_csrf'), token)) {
    throw new GatewayError('forbidden', {
      message:
        'This form is out of date, or was sent from another site. Nothing was changed: go back, reload the page, and try again.',
    })
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
