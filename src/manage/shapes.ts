import { z } from 'zod'

/** Schemas that several resources share. */
export const isoTime = z.string().meta({ format: 'date-time' })

export const metadata = z.record(z.string(), z.unknown())

export const rateLimit = z
  .object({
    requests_per_minute: z.int().nullable(),
    tokens_per_minute: z.int().nullable(),
    concurrent_requests: z.int().nullable(),
  })
  .meta({ id: 'RateLimit' })

export const budgetShape = z
  .object({
    period: z.enum(['day', 'week', 'month', 'total']),
    limit_usd: z.string().nullable().describe('Decimal US dollars.'),
    limit_tokens: z.int().nullable().describe('Input and output together.'),
    reset_at: isoTime.nullable().describe('What was spent before does not count.'),
  })
  .meta({ id: 'Budget' })

export const budgets = z.array(budgetShape)

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().describe('For `after`, to get the next page; null on the last one.'),
  })

/** The query of every list. */
export const pageQuery = {
  limit: numberQuery(z.int().min(1).max(200).default(50)),
  after: idQuery().optional().describe('The `next_cursor` of the page before.'),
}

/** A number in plain digits. Nothing, hexadecimals and the like are not taken for one. */
export function numberQuery<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((text) => (typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text), schema)
}

export function idQuery() {
  return z.string().min(1).max(200)
}

/** A time or a day (its first moment in UTC); in milliseconds once read. */
export const timeQuery = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a time in ISO 8601 with its zone (2026-11-21T12:00:00Z) or a day (2026-11-21)',
  })
  .transform((text) => Date.parse(text))
  .meta({ examples: ['2026-11-21T12:00:00Z'] })
