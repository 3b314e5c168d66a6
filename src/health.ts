import { Router } from 'express'
import type { AppContext } from './context.ts'
import { equalSecrets } from './domain/secrets.ts'
import { GatewayError } from './errors.ts'
import { modelsAvailable } from './routing/availability.ts'

/** What load balancers and Prometheus ask. */
export function healthRouter(ctx: AppContext): Router {
  const router = Router({ caseSensitive: true })

  router.get(['/health', '/live'], (_req, res) => {
    res.json({ status: 'ok', uptime_seconds: Math.floor((ctx.now() - ctx.life.startedAt) / 1000) })
  })

  router.get('/ready', async (_req, res) => {
    const checks = await readiness(ctx)
    const ready = Object.values(checks).every((check) => check === 'ok')
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not_ready', checks })
  })

  router.get(['/metrics', '/api/metrics', '/api/status'], (req, _res, next) => {
    const given = /^bearer +(.*)$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
    if (!equalSecrets(given, ctx.managementToken))
      throw new GatewayError('unauthorized', { headers: { 'www-authenticate': 'Bearer' } })
    next()
  })

  router.get('/api/status', (_req, res) => {
    const models = modelsAvailable(ctx.live.snapshot())
    res.set('cache-control', 'no-store').json({
      models: models.map(({ model, isAvailable, latencyMs }) => ({
        name: model,
        available: isAvailable,
        latency_ms: latencyMs,
      })),
    })
  })

  router.get(['/metrics', '/api/metrics'], async (_req, res) => {
    res.type(ctx.metrics.registry.contentType).send(await ctx.metrics.registry.metrics())
  })
  return router
}

/** What `/ready` says, by what was looked at: `ok`, or what is wrong. */
export async function readiness({ store, providers, ledger, life }: AppContext): Promise<Record<string, string>> {
  const database = await store.status().then(
    () => (ledger.failing() ? 'cannot write' : 'ok'),
    () => 'cannot read',
  )
  const hasProvider =
    providers.list().some(({ sharedKey }) => sharedKey !== null) ||
    (await store.providerKeys.count().catch(() => 0)) > 0
  return {
    process: life.draining ? 'draining' : 'ok',
    database,
    provider: hasProvider ? 'ok' : 'no provider key is configured',
  }
}
