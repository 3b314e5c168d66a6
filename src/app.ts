import express, { type Express } from 'express'
import type { AppContext } from './context.ts'
import { GatewayError } from './errors.ts'
import { healthRouter } from './health.ts'
import { sendOpenAiErrors } from './http-errors.ts'
import { createDocsRouter } from './manage/docs.ts'
import { createManageRouter } from './manage/router.ts'
import { createCors } from './proxy/cors.ts'
import { createProxy } from './proxy/router.ts'
import type { StaticCallers } from './proxy/static-callers.ts'

/** Every mount, in order. The data path comes first: it is the busy one. */
export function createApp(ctx: AppContext, statics: StaticCallers): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.set('trust proxy', ctx.config.trustProxy)

  if (ctx.config.corsOrigins.length > 0) app.use('/v1', createCors(ctx.config.corsOrigins))
  app.use('/v1', createProxy(ctx, statics))
  app.use('/manage', createManageRouter(ctx))
  app.use('/docs', createDocsRouter())
  // Until the console is there, the API's page is the nearest thing to it.
  app.get(['/', '/admin'], (_req, res) => res.redirect('/docs'))
  app.use(healthRouter(ctx))
  app.use(() => {
    throw new GatewayError('unknown_route')
  })
  app.use(sendOpenAiErrors(ctx.log))
  return app
}
