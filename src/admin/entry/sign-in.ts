import { type Request, type Response, Router } from 'express'
import type { AppContext } from '../../context.ts'
import { GatewayError } from '../../errors.ts'
import { requireOwnForm, visitorCsrfToken } from '../frame/csrf.ts'
import { createForm, type Form } from '../frame/form.ts'
import { count } from '../frame/format.ts'
import { safeTarget } from '../frame/safe-target.ts'
import { createSealedNotes } from '../frame/sealed-note.ts'
import { findVisitor, keepSession } from '../frame/session.ts'
import { sendBare } from '../frame/shell.ts'
import { clientOf } from '../frame/visit.ts'

/** The name and password wait, sealed, in the second form. */
const notes = createSealedNotes('sign-in', ['name', 'password'], 5 * 60_000)

type Shown = { status?: number; message?: string; name?: string; pending?: string | null }

/** `/sign-in`: name and password, then the one-time code where the user has a second factor. */
export function signInRoutes(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })
  const show = (req: Request, res: Response, { status = 200, message, name = '', pending = null }: Shown = {}) => {
    const form = createForm({ ...req.query, ...(req.body as object | undefined) })
    sendBare(req, res, status, {
      title: 'Sign in',
      view: 'sign-in',
      locals: {
        csrf: visitorCsrfToken(req, res),
        to: safeTarget(form.text('to')),
        ended: form.text('ended') !== '',
        message: message ?? null,
        name,
        pending,
        sso: ctx.config.admin.oidc !== null,
        passwords: ctx.config.admin.passwordSignIn,
      },
    })
  }

  router.get('/sign-in', async (req, res) => {
    if ((await ctx.admin.setup.code()) !== null) return res.redirect(303, '/admin/setup')
    if (await findVisitor(ctx, req)) return res.redirect(303, safeTarget(createForm(req.query).text('to')))
    show(req, res)
  })

  router.post('/sign-in', async (req, res) => {
    const form = createForm((req.body ?? {}) as Record<string, unknown>)
    requireOwnForm(ctx, req, form, visitorCsrfToken(req, res))
    if (!ctx.config.admin.passwordSignIn)
      throw new GatewayError('forbidden', { message: 'Passwords are switched off: use single sign-on.' })
    const given = readGiven(ctx, form)
    if (given === null) return show(req, res, { status: 401, message: 'That took too long. Start again.' })
    const { name, password, code } = given
    const result = await ctx.admin.signIn({ name, password, ...(code !== '' && { code }) }, clientOf(req))
    switch (result.outcome) {
      case 'signed_in':
        keepSession(req, res, result.secret, ctx)
        return res.redirect(303, safeTarget(form.text('to')))
      case 'code_required':
        return show(req, res, {
          name,
          pending: notes.seal(ctx.sealer, { name, password }, ctx.now()),
        })
      case 'refused': {
        const wrong = code === '' ? 'The name or the password is wrong.' : 'The code is wrong, or was used already.'
        return show(req, res, {
          status: 401,
          message: wrong,
          name,
          ...(code !== '' && { pending: form.raw('pending') }),
        })
      }
      case 'wait': {
        const seconds = Math.ceil(result.retryAfterMs / 1000)
        const wait = seconds < 60 ? count(seconds, 'second') : count(Math.ceil(seconds / 60), 'minute')
        const message = `Too many tries. Try again in ${wait}.`
        res.set('retry-after', String(seconds))
        return show(req, res, { status: 429, message, name, ...(code !== '' && { pending: form.raw('pending') }) })
      }
    }
  })
  return router
}

type Given = { name: string; password: string; code: string }

/** Null: the second form is too old, or not ours. */
function readGiven({ sealer, now }: AppContext, form: Form): Given | null {
  const pending = form.raw('pending')
  if (pending === '') return { name: form.text('name'), password: form.raw('password'), code: '' }
  const opened = notes.open(sealer, pending, now())
  return opened && { ...opened, code: form.text('code') }
}
