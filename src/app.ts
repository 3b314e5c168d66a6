import type { IncomingMessage, RequestListener } from 'node:http'
import express, { type Request, type RequestHandler } from 'express'
import type { AppContext } from './context.ts'
import { GatewayError } from './errors.ts'
import { healthRouter } from './health.ts'
import { sendOpenAiErrors } from './http-errors.ts'
import { createDocsRouter } from './manage/docs.ts'
import { createManageRouter } from './manage/router.ts'
import { createCors } from './proxy/cors.ts'
import { createProxy, type DataPath } from './proxy/router.ts'
import type { StaticCallers } from './proxy/static-callers.ts'

export type App = {
  listener: RequestListener
  /** The client's address as Express reads it, with `TRUST_PROXY`. */
  addressOf(req: IncomingMessage): string
}

/** Every mount, in order. */
export function createApp(ctx: AppContext, statics: StaticCallers): App {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.set('trust proxy', ctx.config.trustProxy)
  const addressOf = (req: IncomingMessage) => (Object.setPrototypeOf(req, app.request) as Request).ip ?? ''
  const proxy = withCors(ctx.config.corsOrigins, createProxy(ctx, statics, addressOf))

  const names = ['v1', 'v1beta', 'models', ...ctx.providers.list().map(({ name }) => name)]
  // Also with scheme and host in front, or a fragment behind.
  const dataPath = new RegExp(`^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?/(?:${names.join('|')})(?:[/?#]|$)`)

  const paths = names.map((name) => `/${name}`)
  app.use(paths, (req, res) => {
    req.url = req.originalUrl
    proxy(req, res)
  })
  // Some clients leave the version out, when they look what there is.
  app.get(/^\/models(?:\/|$)/, (req, res) => {
    req.url = `/v1${req.originalUrl}`
    proxy(req, res)
  })
  app.use('/manage', createManageRouter(ctx))
  app.use('/docs', createDocsRouter())
  if (ctx.config.admin.enabled)
    app.use(
      '/admin',
      loadedWhenAsked(() => createConsole(ctx)),
    )
  app.get('/', (_req, res) => res.redirect(ctx.config.admin.enabled ? '/admin' : '/docs'))
  app.use(healthRouter(ctx))
  app.use(() => {
    throw new GatewayError('unknown_route')
  })
  app.use(sendOpenAiErrors(ctx.log))
  return {
    // The data path as nearly every client spells it needs none of Express, which costs a tenth of the whole request (`npm run bench`).
    listener: (req, res) => (dataPath.test(req.url ?? '') ? proxy(req, res) : app(req, res)),
    addressOf,
  }
}

/** A tenth of a second and ten megabytes that a gateway without visitors does without. */
async function createConsole(ctx: AppContext): Promise<RequestHandler> {
  const { createAdminRouter } = await import('./admin/router.ts')
  return createAdminRouter(ctx)
}

/** Made by the first request; when that fails, by the next one. */
function loadedWhenAsked(create: () => Promise<RequestHandler>): RequestHandler {
  let made: Promise<RequestHandler> | null = null
  return async (req, res, next) => {
    made ??= create()
    const handler = await made.catch((error) => {
      made = null
      throw error
    })
    handler(req, res, next)
  }
}

function withCors(origins: readonly string[], proxy: DataPath): DataPath {
  if (origins.length === 0) return proxy
  const cors = createCors(origins)
  return (req, res) => cors(req, res, () => proxy(req, res))
}
