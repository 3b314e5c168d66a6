import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import type { AppContext } from '../context.ts'
import { recordFailure } from '../domain/audit.ts'
import type { Parts } from '../domain/parts.ts'
import { parseInput } from '../domain/validate.ts'
import { GatewayError } from '../errors.ts'
import { fromExpress } from '../http-errors.ts'
import { providerNamesOf } from '../providers/index.ts'
import { adminUserRoutes } from './admin-users.ts'
import { alertRoutes } from './alerts.ts'
import { auditRoutes } from './audit.ts'
import { bodyRoutes } from './bodies.ts'
import { budgetRoutes } from './budgets.ts'
import { explainRoutes } from './explain.ts'
import { actorOf, createGate } from './gate.ts'
import { openApiDocument } from './openapi.ts'
import { priceRoutes } from './prices.ts'
import { projectRoutes } from './projects.ts'
import { providerKeyRoutes } from './provider-keys.ts'
import { requestRoutes } from './requests.ts'
import type { Format, Route } from './route.ts'
import { routeRoutes } from './routes.ts'
import { statusRoutes } from './status.ts'
import { tokenRoutes } from './tokens.ts'
import { usageRoutes } from './usage.ts'

/** Every operation of `/manage`. */
export function manageRoutes(ctx: AppContext): Route[] {
  const parts: Parts = {
    store: ctx.store,
    sealer: ctx.sealer,
    now: ctx.now,
    providerNames: providerNamesOf(ctx.config),
    defaultProvider: ctx.config.defaultProvider,
  }
  return [
    ...projectRoutes(parts),
    ...providerKeyRoutes(parts),
    ...tokenRoutes(parts),
    ...routeRoutes({ ...parts, routing: ctx.routing }),
    ...explainRoutes(ctx),
    ...usageRoutes(ctx.store),
    ...requestRoutes(ctx.store),
    ...bodyRoutes(ctx),
    ...priceRoutes(ctx),
    ...budgetRoutes(ctx),
    ...alertRoutes(ctx.store),
    ...adminUserRoutes(parts),
    ...auditRoutes(ctx.store),
    ...statusRoutes(ctx),
  ]
}

/** `/manage`: the OpenAPI document for everybody, the rest behind the management token. */
export function createManageRouter(ctx: AppContext): Router {
  const routes = manageRoutes(ctx)
  const document = openApiDocument(routes)
  const router = Router({ caseSensitive: true })
  router.use((_req, res, next) => {
    res.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    next()
  })
  router
    .route('/openapi.json')
    .get((_req, res) => void res.json(document))
    .all(refuseMethod(['get']))
  router.use(createGate(ctx))
  for (const [path, ofPath] of Map.groupBy(routes, ({ path }) => path)) {
    const place = router.route(path.replace(/\{(\w+)\}/g, ':$1'))
    for (const route of ofPath) place[route.method](answer(ctx, route))
    place.all(refuseMethod(ofPath.map(({ method }) => method)))
  }
  router.use(() => {
    throw new GatewayError('not_found', {
      message: 'Unknown request URL. What there is stands in /manage/openapi.json.',
    })
  })
  return router
}

function answer({ store, now, demo }: AppContext, route: Route): RequestHandler {
  return async (req, res) => {
    const actor = actorOf(req, 'management_token')
    const params = req.params as Record<string, string>
    const query = route.query ? parseInput(route.query, req.query) : {}
    const body = await readBody(route, req, res).catch(async (thrown) => {
      const error = fromExpress(thrown)
      const subject = { action: route.action!, targetId: params.id }
      await recordFailure({ store, now }, actor, subject, error)
      throw error
    })
    const call = { params, query, body, actor }
    if (route.render) return sendText(res, formatOf(route, req, res), (format) => route.render!(call, format))
    const result = await route.handle!(call)
    // What this call changed is in force when its answer is there.
    if (route.action) await demo.refresh()
    res.status(route.status)
    if (route.status === 204) res.end()
    else res.json(result)
  }
}

function formatOf({ hasCsv }: Route, req: Request, res: Response): Format {
  if (!hasCsv) return 'json'
  res.vary('accept')
  return req.accepts(['application/json', 'text/csv']) === 'text/csv' ? 'csv' : 'json'
}

async function sendText(res: Response, format: Format, render: (format: Format) => Promise<Uint8Array>): Promise<void> {
  const bytes = await render(format)
  const type = format === 'csv' ? 'text/csv' : 'application/json'
  res.set({ 'content-type': `${type}; charset=utf-8`, 'content-length': String(bytes.length) }).end(bytes)
}

const readJson = express.json({ limit: '1mb', strict: false, type: () => true })

function readBody(route: Route, req: Request, res: Response): Promise<unknown> {
  if (!route.body) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    readJson(req, res, (error?: unknown) => (error ? reject(error) : resolve(req.body)))
  })
}

function refuseMethod(methods: string[]): RequestHandler {
  const allow = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ')
  return () => {
    throw new GatewayError('method_not_allowed', { headers: { allow } })
  }
}
