import type { ErrorRequestHandler } from 'express'
import type { AppContext } from '../../context.ts'
import { fromStoreError } from '../../domain/store-errors.ts'
import { type GatewayError, toGatewayError } from '../../errors.ts'
import { fromExpress } from '../../http-errors.ts'
import { findVisitor } from './session.ts'
import { sendBare, sendPage } from './shell.ts'
import { createVisit } from './visit.ts'

/** The last word on a request for a page: what went wrong, and where to go from here. */
export function sendErrorPages(ctx: AppContext): ErrorRequestHandler {
  return async (thrown, req, res, next) => {
    const error = toGatewayError(fromStoreError(fromExpress(thrown)))
    // Too many who watch at once are no failure.
    if (error.status >= 500 && error.code !== 'overloaded')
      ctx.log.error('a page failed', { code: error.code, method: req.method, path: req.path, cause: error.cause })
    if (res.headersSent) return void res.destroy()
    res.set(error.headers)
    const shown = { title: TITLES[error.code] ?? 'Something went wrong', view: 'error', locals: { error } }
    try {
      const visitor = await findVisitor(ctx, req)
      if (visitor === null) return sendBare(req, res, error.status, shown)
      const visit = createVisit(ctx, req, visitor)
      sendPage(req, res, { visit, secret: visitor.secret, status: error.status }, { ...shown, crumbs: [] })
    } catch (cause) {
      // Not even the session can be read: the middleware behind this one says so in plain JSON.
      ctx.log.error('a page of an error failed', { cause })
      next(error)
    }
  }
}

const TITLES: Partial<Record<GatewayError['code'], string>> = {
  not_found: 'Not found',
  forbidden: 'Not allowed',
  storage_unavailable: 'The database is not available',
  request_too_large: 'Too much at once',
}
