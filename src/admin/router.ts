import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import type { AppContext } from '../context.ts'
import { csvLine } from '../csv.ts'
import { recordDenial } from '../domain/audit.ts'
import { may } from '../domain/permissions.ts'
import { fromStoreError } from '../domain/store-errors.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { entryRouter } from './entry/router.ts'
import { assetsRouter } from './frame/assets.ts'
import { csrfToken, requireOwnForm } from './frame/csrf.ts'
import { sendFile } from './frame/download.ts'
import { sendErrorPages } from './frame/error-page.ts'
import { createForm } from './frame/form.ts'
import { securityHeaders } from './frame/headers.ts'
import { streamLive } from './frame/live.ts'
import { leaveNotice } from './frame/notice.ts'
import type { Action, Page } from './frame/page.ts'
import { safeTarget } from './frame/safe-target.ts'
import { findVisitor, type Visitor } from './frame/session.ts'
import { sendPage } from './frame/shell.ts'
import { createVisit, type Failure, type Visit } from './frame/visit.ts'
import { PAGES } from './pages.ts'

/** `/admin`: what everybody may have (assets, signing in), then the pages, each behind the session and what it needs. */
export function createAdminRouter(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })
  router.use(securityHeaders())
  router.use('/assets', assetsRouter())
  router.use(readForm)
  router.use(entryRouter(ctx))
  for (const page of PAGES) {
    for (const [name, action] of Object.entries(page.actions ?? {})) {
      const path = `${page.path === '/' ? '' : page.path}/${name}`
      router.post(path, answerAction(ctx, page, name, action))
      // A reload of what an action answered, or a sign-in on the way, comes back with GET.
      router.get(path, (req, res) => res.redirect(303, req.baseUrl + req.path.slice(0, -name.length - 1)))
    }
    router.get(page.path, answerPage(ctx, page))
  }
  router.use(async (req, res) => {
    const visitor = await findVisitor(ctx, req)
    if (visitor === null) return sendToSignIn(req, res)
    throw new GatewayError('not_found', { message: 'There is no such page.' })
  })
  router.use(sendErrorPages(ctx))
  return router
}

const readForm: RequestHandler = express.urlencoded({ extended: false, limit: '256kb', parameterLimit: 500 })

function answerPage(ctx: AppContext, page: Page): RequestHandler {
  return async (req, res) => {
    const isLive = page.live !== undefined && req.query.live !== undefined
    const visitor = await findVisitor(ctx, req, { quiet: isLive })
    if (visitor === null) return sendToSignIn(req, res)
    const visit = createVisit(ctx, req, visitor)
    const { user } = visit
    requireSight(visit, page)
    const elsewhere = await page.goTo?.(visit)
    if (elsewhere) return sendTo(req, res, elsewhere)
    if (page.csv && visit.query.text('format') === 'csv') return sendCsv(res, page, visit)
    if (page.live && isLive) {
      const isStillIn = async () => {
        const found = await findVisitor(ctx, req, { quiet: true })
        // Who changes oneself stays signed in, but sees no more than before.
        return found !== null && found.user.role === user.role && found.user.projectId === user.projectId
      }
      return streamLive(req, res, page.live, { visit, isStillIn })
    }
    await showPage(req, res, page, { visit, visitor })
  }
}

function answerAction(ctx: AppContext, page: Page, name: string, action: Action): RequestHandler {
  return async (req, res) => {
    const visitor = await findVisitor(ctx, req)
    if (visitor === null) return sendToSignIn(req, res)
    const visit = createVisit(ctx, req, visitor)
    const form = createForm((req.body ?? {}) as Record<string, unknown>)
    requireOwnForm(ctx, req, form, csrfToken(visitor.secret))
    // This first: who may not do it is written down, also where the page is not shown to him.
    await requireRight(visit, action, `${page.path}/${name}`)
    requireSight(visit, page)
    // The page itself is where its actions belong: a refusal is shown there.
    visit.url = visit.url.replace(new RegExp(`/${name}(?=\\?|$)`), '')
    try {
      const done = await action.run(visit, form)
      if ('file' in done) return sendFile(ctx.log, res, done.file)
      // What was changed is in force when its answer is there.
      await ctx.demo.refresh()
      if ('shown' in done)
        return showPage(req, res, page, { visit, visitor, result: { action: name, data: done.shown } })
      sendTo(req, res, done)
    } catch (thrown) {
      const error = toGatewayError(fromStoreError(thrown))
      if (error.status >= 500 || error.code === 'not_found') throw error
      const failure = toFailure(name, error, form.values)
      await showPage(req, res, page, { visit: { ...visit, failure }, visitor, status: error.status })
    }
  }
}

function sendTo(req: Request, res: Response, { to, notice }: { to: string; notice?: string }): void {
  if (notice) leaveNotice(req, res, notice)
  res.redirect(303, to)
}

type Showing = { visit: Visit; visitor: Visitor; status?: number; result?: { action: string; data: object } }

async function showPage(req: Request, res: Response, page: Page, { visit, visitor, status, result }: Showing) {
  const data = await page.load(visit)
  sendPage(
    req,
    res,
    { visit, secret: visitor.secret, ...(status !== undefined && { status }) },
    {
      title: typeof page.title === 'string' ? page.title : page.title(data),
      crumbs: page.crumbs?.(data) ?? [],
      view: page.view,
      locals: { data, result: result ?? null, failure: visit.failure },
    },
  )
}

async function sendCsv(res: Response, page: Page, visit: Visit): Promise<void> {
  const { name, columns, rows } = await page.csv!(visit)
  res
    .set('content-disposition', `attachment; filename="${name.replace(/[^\w.-]+/g, '-')}.csv"`)
    .type('text/csv; charset=utf-8')
    .send([columns, ...rows].map(csvLine).join(''))
}

function requireSight({ user }: Visit, { needs = 'read' }: Page): void {
  if (!may(user, needs)) throw new GatewayError('forbidden', { message: 'Your role does not show this page.' })
}

async function requireRight(visit: Visit, { needs }: Action, path: string): Promise<void> {
  if (visit.may(needs)) return
  await recordDenial(visit.parts, visit.actor, { action: 'admin.access' }, 'forbidden', { path, needs })
  throw new GatewayError('forbidden', { message: `Your role (${visit.user.role}) does not allow this. Ask an owner.` })
}

function toFailure(action: string, error: GatewayError, values: Failure['values']): Failure {
  const problems = Array.isArray(error.details?.fields)
    ? (error.details.fields as { field: string; reason: string }[])
    : []
  return {
    action,
    message: error.message,
    fields: Object.fromEntries(problems.flatMap(toReasons)),
    values,
  }
}

/** What is wrong with an entry of a list is said at the field of the list, too: a form has all entries in one. */
function toReasons({ field, reason }: { field: string; reason: string }): [field: string, reason: string][] {
  const [, list, index] = /^(.+)\.(\d+)$/.exec(field) ?? []
  const own: [string, string] = [field, reason]
  return list === undefined ? [own] : [own, [list, `${reason} (entry ${Number(index) + 1})`]]
}

/**
 * Cookies of a strict kind do not come along with a link from elsewhere: then the page is asked for once more, from here, before
 * anybody is sent to sign in.
 */
function sendToSignIn(req: Request, res: Response): void {
  const isFromElsewhere = req.method === 'GET' && req.get('sec-fetch-site') === 'cross-site'
  if (isFromElsewhere) {
    res
      .set('refresh', `0; url=${safeTarget(req.originalUrl)}`)
      .type('html')
      .send('<!doctype html><title>LLM Proxy</title>')
    return
  }
  // A token that was pasted into the search does not travel on.
  const to = req.method === 'GET' ? req.originalUrl.replace(/\bsk-[\w-]{43}/g, '') : req.baseUrl
  const query = new URLSearchParams(req.method === 'GET' ? { to } : { to, ended: '1' })
  res.redirect(303, `/admin/sign-in?${query}`)
}
