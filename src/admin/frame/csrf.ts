import { createHash, randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
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
 * token. Either would do; a flaw in one is no flaw of the console.
 */
export function requireOwnForm(req: Request, form: Form, token: string): void {
  const site = req.get('sec-fetch-site')
  const origin = req.get('origin')
  const isForeign =
    (site !== undefined && site !== 'same-origin') || (origin !== undefined && hostOf(origin) !== req.headers.host)
  if (isForeign || !equalSecrets(form.raw('_csrf'), token)) {
    throw new GatewayError('forbidden', {
      message:
        'This form is out of date, or was sent from another site. Nothing was changed: go back, reload the page, and try again.',
    })
  }
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}
