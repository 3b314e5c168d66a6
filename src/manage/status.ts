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
    configuration: z
      .object({
        file: z.string().nullable(),
        loaded_at: isoTime.describe('When what is in force was read.'),
        needs_restart: z.array(z.string()).describe('What has changed since the start and waits for the next one.'),
        problems: z.array(z.string()).describe('Why the last reload was refused; empty: it was not.'),
      })
      .describe('It is read again when the file changes, on SIGHUP and by `POST /manage/reload`.'),
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

const reloadShape = z
  .object({
    reloaded_at: isoTime,
    changed: z
      .array(z.string())
      .describe('What is other than before and in force now: options by name, `routes`, `rules`.'),
    needs_restart: z.array(z.string()).describe('What has changed since the start and waits for the next one.'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Reload' })

export function statusRoutes(
  ctx: Pick<
    AppContext,
    'config' | 'store' | 'providers' | 'demo' | 'ledger' | 'ledgerCheck' | 'live' | 'reload' | 'life' | 'now'
  >,
): Route[] {
  const { config, store, providers, demo, ledger, ledgerCheck, live, reload, life, now } = ctx
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
        const reloaded = reload.state()
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
          configuration: {
            file: config.configFile,
            loaded_at: toIso(reloaded.loadedAt),
            needs_restart: reloaded.needsRestart,
            problems: [...reloaded.problems],
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
    route({
      method: 'post',
      path: '/reload',
      name: 'reloadConfiguration',
      tag: 'Status',
      summary: 'Read the configuration again',
      description:
        'Environment file and YAML are read completely first. When anything is wrong, `details.problems` has all of it and nothing changes; ' +
        'else what can change without a restart is in force with the next request, and requests under way keep what they began with.',
      action: 'config.reload',
      status: 200,
      answer: reloadShape,
      errors: ['invalid_request'],
      async handle({ actor }) {
        const { at, changed, needsRestart, warnings } = await reload.now(actor, 'POST /manage/reload')
        return { reloaded_at: toIso(at), changed, needs_restart: needsRestart, warnings: [...warnings] }
      },
    }),
  ]
}
