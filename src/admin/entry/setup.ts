import { type Request, type Response, Router } from 'express'
import type { AppContext } from '../../context.ts'
import { toGatewayError } from '../../errors.ts'
import { requireOwnForm, visitorCsrfToken } from '../frame/csrf.ts'
import { createForm } from '../frame/form.ts'
import { leaveNotice } from '../frame/notice.ts'
import { keepSession } from '../frame/session.ts'
import { sendBare } from '../frame/shell.ts'
import { clientOf } from '../frame/visit.ts'

/** `/setup`: the first start has a one-time link, behind which the first owner is made. */
export function setupRoutes(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })
  const show = (
    req: Request,
    res: Response,
    status: number,
    given: { code: string; name?: string; message?: string },
  ) =>
    sendBare(req, res, status, {
      title: 'Set up the console',
      view: 'setup',
      locals: { csrf: visitorCsrfToken(req, res), name: '', message: null, ...given },
    })

  router.get('/setup', async (req, res) => {
    if ((await ctx.admin.setup.code()) === null) return res.redirect(303, '/admin/sign-in')
    show(req, res, 200, { code: createForm(req.query).text('code') })
  })

  router.post('/setup', async (req, res) => {
    const form = createForm((req.body ?? {}) as Record<string, unknown>)
    requireOwnForm(ctx, req, form, visitorCsrfToken(req, res))
    const [code, name, password] = [form.text('setup_code'), form.text('name'), form.raw('password')]
    if (password !== form.raw('password_again')) {
      return show(req, res, 422, { code, name, message: 'The two passwords differ.' })
    }
    try {
      const { secret } = await ctx.admin.setup.complete(code, { name, password }, clientOf(req))
      keepSession(req, res, secret, ctx)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      if (error.status >= 500) throw error
      return show(req, res, error.status, { code, name, message: error.message })
    }
    leaveNotice(req, res, 'Welcome. You are the owner of this console.')
    res.redirect(303, '/admin')
  })
  return router
}
