import { z } from 'zod'
import { presentRequest } from '../domain/present.ts'
import { GatewayError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { type Route, route } from './route.ts'
import { idQuery, isoTime, listOf, numberQuery, pageQuery, timeQuery } from './shapes.ts'

const requestShape = z
  .object({
    id: z.string(),
    at: isoTime,
    token_id: z.string().nullable(),
    project_id: z.string().nullable(),
    method: z.string(),
    endpoint: z.string(),
    model: z.string().nullable().describe('As the caller asked.'),
    provider: z.string().nullable(),
    served_model: z.string().nullable().describe('As the provider answered.'),
    status: z.int().describe('What the client was told; 499 when it hung up first.'),
    error: z.string().nullable().describe('An error code of the gateway.'),
    stream: z.boolean(),
    latency_ms: z.number(),
    first_token_ms: z.number().nullable(),
    usage: z.object({
      input_tokens: z.int(),
      output_tokens: z.int(),
      cached_tokens: z.int().describe('Part of the input tokens.'),
      cache_write_tokens: z.int().describe('Part of the input tokens.'),
      reasoning_tokens: z.int().describe('Part of the output tokens.'),
      details: z
        .record(z.string(), z.number())
        .nullable()
        .describe('What is charged apart, where there was some: `input_audio_tokens`, `web_searches` …'),
      source: z.enum(['reported', 'estimated', 'none']),
      estimate_reason: z
        .enum(['client_abort', 'upstream_cut', 'not_reported', 'interrupted'])
        .nullable()
        .describe('Why usage had to be estimated.'),
    }),
    cost_usd: z.string().nullable().describe('Decimal US dollars; null where no price is known.'),
    price_source: z.string().nullable().describe('Where the price came from: `config`, `genai-prices 0.1.8` …'),
    reserved_usd: z.string().nullable().describe('What a budget held back for the request; null where none did.'),
    cache: z.enum(['hit', 'miss', 'bypass']),
    attempts: z.array(
      z.object({
        provider: z.string(),
        model: z.string().nullable(),
        outcome: z.enum(['answered', 'unsent', 'failed', 'cancelled']),
        status: z.int().nullable(),
        duration_ms: z.number(),
        error: z.string().nullable(),
      }),
    ),
    changes: z.array(z.string()).describe('What the gateway changed on the way.'),
    request_bytes: z.int(),
    response_bytes: z.int(),
  })
  .meta({ id: 'Request' })

/** Decimal dollars, as a nano-dollar integer once read. */
const costQuery = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: 'must be US dollars with at most nine decimals, as 0.25' })
  .transform((text) => {
    const [dollars = '0', fraction = ''] = text.split('.')
    return BigInt(dollars + fraction.padEnd(9, '0'))
  })

const RENDERER = new URL('./render-requests.ts', import.meta.url).href

export function requestRoutes({ ledger }: Pick<Store, 'ledger'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/requests',
      name: 'listRequests',
      tag: 'Usage',
      summary: 'Requests of clients, newest first',
      query: z.strictObject({
        project_id: idQuery().optional(),
        token_id: idQuery().optional(),
        model: idQuery().optional(),
        provider: idQuery().optional(),
        endpoint: idQuery().optional(),
        status: numberQuery(z.int().min(100).max(599).optional()),
        error: idQuery().optional().describe('An error code of the gateway.'),
        min_cost_usd: costQuery.optional().describe('Requests that cost at least so many US dollars.'),
        min_latency_ms: numberQuery(z.number().min(0).optional()),
        metadata: idQuery().optional().describe('A text in the metadata (JSON) of the token, in any case.'),
        from: timeQuery.optional().describe('Inclusive.'),
        to: timeQuery.optional().describe('Exclusive.'),
        ...pageQuery,
      }),
      status: 200,
      answer: listOf(requestShape),
      errors: ['validation_failed'],
      async render({ query: { limit, after, project_id, token_id, min_cost_usd, min_latency_ms, ...same } }) {
        const filter = {
          ...same,
          projectId: project_id,
          tokenId: token_id,
          minCostNanoUsd: min_cost_usd,
          minLatencyMs: min_latency_ms,
        }
        return ledger.render({ module: RENDERER }, { list: filter, page: { limit, after } })
      },
    }),
    route({
      method: 'get',
      path: '/requests/{id}',
      name: 'getRequest',
      tag: 'Usage',
      summary: 'One request, by its `x-llm-proxy-request-id`',
      status: 200,
      answer: requestShape,
      errors: ['not_found'],
      async handle({ params }) {
        const row = await ledger.get(params.id)
        if (row === null) throw new GatewayError('not_found', { message: 'There is no such request.' })
        return presentRequest(row)
      },
    }),
  ]
}
