import { z } from 'zod'
import type { AppContext } from '../context.ts'
import { repriceInput } from '../usage/maintenance/reprice-api.ts'
import { presentPrice, TOKEN_UNITS } from '../usage/prices/present.ts'
import { type Route, route } from './route.ts'
import { idQuery, isoTime } from './shapes.ts'

const usd = z.string().nullable()

const DESCRIPTIONS: Partial<Record<(typeof TOKEN_UNITS)[number], string>> = {
  input:
    'US dollars per million tokens, as all down to `reasoning`; null: no price of its own, it costs what it is part of.',
  cached_input: 'Tokens read from a cache.',
  cache_write: 'Tokens written to a cache, for five minutes where the provider tells times apart.',
  cache_write_1h: 'Tokens written to a cache for an hour.',
}

const tokenRates = z.object(
  Object.fromEntries(
    TOKEN_UNITS.map((unit) => {
      const text = DESCRIPTIONS[unit]
      return [unit, text === undefined ? usd : usd.describe(text)]
    }),
  ) as Record<(typeof TOKEN_UNITS)[number], typeof usd>,
)

const priceShape = z
  .object({
    provider: z.string(),
    model: z.string().describe('For configured prices this may be a glob.'),
    source: z.string().describe('`genai-prices` with its version (and a discount), `config`, or `free`.'),
    ...tokenRates.shape,
    audio_hour: usd.describe('An hour of audio in.'),
    web_searches: usd.describe('A thousand searches of the web.'),
    storage_searches: usd.describe('A thousand searches of files.'),
    request: usd.describe('Each request.'),
    tiers: z
      .array(tokenRates.extend({ above_input_tokens: z.int() }))
      .describe('A request with more input tokens pays these prices for all of its tokens.'),
  })
  .meta({ id: 'Price' })

const repricedCosts = {
  changed_requests: z.int().describe('Requests whose cost changes.'),
  cost_usd_before: z.string(),
  cost_usd_after: z.string(),
}

const repriceShape = z
  .object({
    from: isoTime,
    to: isoTime,
    model: z.string().nullable(),
    dry_run: z.boolean(),
    requests: z.int().describe('Requests that were looked at: those with tokens to be priced.'),
    ...repricedCosts,
    unpriced_requests: z.int().describe('No price is known for them now: they keep what they cost, or stay unpriced.'),
    models: z
      .array(z.object({ provider: z.string(), model: z.string().nullable(), ...repricedCosts }))
      .describe('Largest change first, at most 200.'),
  })
  .meta({ id: 'Reprice' })

export function priceRoutes({ prices, repricer, now }: Pick<AppContext, 'prices' | 'repricer' | 'now'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/prices',
      name: 'listPrices',
      tag: 'Usage',
      summary: 'What models cost',
      description:
        'Configured prices first, then the list that the gateway came with, as they are now. A model that is not here is unpriced: its requests cost null.',
      query: z.strictObject({
        provider: idQuery().optional(),
        model: idQuery()
          .optional()
          .describe('A name as requests say it, which gives what they are charged by; or a glob such as `gpt-4o*`.'),
      }),
      status: 200,
      answer: z.object({ data: z.array(priceShape) }),
      errors: ['validation_failed'],
      async handle({ query: { provider, model } }) {
        const filter = { ...(provider !== undefined && { provider }), ...(model !== undefined && { model }) }
        return { data: prices.list({ ...filter, at: now() }).map(presentPrice) }
      },
    }),
    route({
      method: 'post',
      path: '/prices/reprice',
      name: 'repriceRequests',
      tag: 'Usage',
      summary: 'Price past requests anew',
      description:
        'After a price was mended: computes what requests cost by the prices that are configured and listed now, as they were when each ' +
        'request came in, and changes rows and reports together. Requests that have no price now keep what they cost. It answers when it ' +
        'is done, which takes some seconds for a hundred thousand requests. Say `dry_run` first to see what would change.',
      action: 'prices.reprice',
      body: repriceInput,
      status: 200,
      answer: repriceShape,
      errors: ['invalid_json', 'validation_failed', 'conflict'],
      async handle({ body, actor }) {
        return repricer.reprice(actor, body)
      },
    }),
  ]
}
