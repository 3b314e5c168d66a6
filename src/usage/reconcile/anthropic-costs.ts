import { z } from 'zod'
import { CENT, toNanoUsd } from './amounts.ts'
import { anthropicBucket, name, type PageReader, readPage } from './pages.ts'

const result = z.looseObject({
  model: name,
  description: name,
  cost_type: name,
  currency: z.literal('USD', { error: 'must be USD' }).nullish(),
  amount: z
    .string()
    .transform((cents) => toNanoUsd(cents, CENT))
    .refine((nano) => nano !== null, { error: 'must be an amount of cents, as text' }),
})

/**
 * Anthropic's `GET /v1/organizations/cost_report`: amounts are decimal texts in cents, "123.45" is 1.2345 dollars. Only with
 * `group_by[]=description` has a result a model, and then only for tokens: searches and code execution are lines of their own. Costs of the
 * priority tier are not in it. Source: platform.claude.com, Admin API reference, Cost Report, and "Usage and Cost API".
 */
export const anthropicCosts: PageReader = {
  format: 'Anthropic cost report',
  provider: 'anthropic',
  reads: (fields) => typeof fields.amount === 'string',
  read(given) {
    const { buckets, ...page } = readPage(given, anthropicBucket(result))
    for (const { day, results } of buckets) {
      for (const { model, description, cost_type, amount } of results) {
        page.rows.push({ day, model: model ?? description ?? cost_type ?? null, costNanoUsd: amount! })
      }
    }
    return page
  },
}
