import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { isoTime as toIso } from '../domain/present.ts'
import { NO_KEY } from '../providers/index.ts'
import { VERSION } from '../version.ts'
import { type Route, route } from './route.ts'
import { routingShape, routingStatus } from './routing-status.ts'
import { isoTime } from './shapes.ts'

const statusShape = z
  .object({
    version: z.string(),
    node: z.string(),
    state: z.enum(['running', 'draining']),
    started_at: isoTime,
    uptime_seconds: z.int(),
    database: z.object({
      engine: z.string(),
      location: z.string(),
      schema_version: z.int(),
      size_bytes: z.int(),
      ledger_checked_at: isoTime
        .nullable()
        .describe('When rows, sums and counters were compared last; null: not since the start.'),
      ledger_drift: z.int().nullable().describe('Places where they did not agree.'),
      writable: z.boolean().describe('False while the ledger cannot be written; requests are refused then.'),
    }),
    body_log: z
      .object({
        request: z.boolean().describe('What clients send is kept.'),
        response: z.boolean().describe('What clients are sent is kept.'),
        days: z.int().nullable().describe('So long; null: for ever.'),
        size_bytes: z.int().describe('Part of the size of the database.'),
      })
      .describe('Bodies of requests and answers.'),
    providers: z.array(
      z.object({
        name: z.string(),
        base_url: z.string(),
        has_shared_key: z.boolean().describe('A key for every project that has none of its own.'),
        needs_key: z.boolean().describe('False: it serves without a key.'),
      }),
    ),
    routing: routingShape,
    provider_keys: z.int().describe('Keys of projects.'),
    demo: z.boolean().describe('The built-in demo provider is on.'),
  })
  .meta({ id: 'Status' })

export function statusRoutes(
  ctx: Pick<AppContext, 'config' | 'store' | 'providers' | 'demo' | 'ledger' | 'ledgerCheck' | 'live' | 'life' | 'now'>,
): Route[] {
  const { config, store, providers, demo, ledger, ledgerCheck, live, life, now } = ctx
  return [
    route({
      method: 'get',
      path: '/status',
      name: 'getStatus',
      tag: 'Status',
      summary: 'How this gateway is doing',
      status: 200,
      answer: statusShape,
      errors: [],
      async handle() {
        const checked = ledgerCheck.last()
        const { engine, location, schemaVersion, sizeBytes, bodyBytes } = await store.status()
        return {
          version: VERSION,
          node: process.versions.node,
          state: life.draining ? ('draining' as const) : ('running' as const),
          started_at: toIso(life.startedAt),
          uptime_seconds: Math.floor((now() - life.startedAt) / 1000),
          database: {
            engine,
            location,
            schema_version: schemaVersion,
            size_bytes: sizeBytes,
            ledger_checked_at: checked ? toIso(checked.at) : null,
            ledger_drift: checked?.drift ?? null,
            writable: !ledger.failing(),
          },
          body_log: {
            request: config.bodyLog.request,
            response: config.bodyLog.response,
            days: config.bodyLog.days,
            size_bytes: bodyBytes,
          },
          providers: providers.list().map(({ name, baseUrl, sharedKey }) => ({
            name,
            base_url: baseUrl,
            has_shared_key: sharedKey !== null && sharedKey !== NO_KEY,
            needs_key: sharedKey !== NO_KEY,
          })),
          routing: routingStatus(live),
          provider_keys: await store.providerKeys.count(),
          demo: demo.url() !== null,
        }
      },
    }),
  ]
}
