import { z } from 'zod'
import { LISTED_PROVIDERS } from '../usage/prices/providers.ts'

/* Prices have a structure: a map and a list in YAML, the same as JSON in the environment. */

/** Percent off the list prices, by provider. */
export const priceDiscounts = z.preprocess(
  fromJson,
  z
    .record(z.string(), amount(0, 100, 'a percentage from 0 to 100'), {
      error: 'must hold providers with percentages ({"openai": 10})',
    })
    .superRefine((discounts, context) => {
      for (const name of Object.keys(discounts)) {
        if (LISTED_PROVIDERS.includes(name)) continue
        const message = `has no list prices; those that have are ${LISTED_PROVIDERS.join(', ')}`
        context.addIssue({ code: 'custom', path: [name], message })
      }
    }),
)

/** The most that a million tokens, or one request, may be said to cost. */
const MAX_USD = 100_000
const price = amount(0, MAX_USD, `a price in USD from 0 to ${MAX_USD}`)
const name = z
  .string({ error: 'must be text' })
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(200, { error: 'must have at most 200 characters' })

const override = z
  .strictObject(
    {
      provider: name,
      model: name,
      input: price.optional(),
      output: price.optional(),
      cached_input: price.optional(),
      cache_write: price.optional(),
      request: price.optional(),
    },
    {
      error: ({ code, ...issue }) =>
        code === 'unrecognized_keys'
          ? `has unknown keys: ${(issue.keys as string[]).join(', ')}`
          : 'must hold provider, model and prices',
    },
  )
  .superRefine(({ input, output, cached_input, cache_write, request }, context) => {
    const complain = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message: `${message}; say 0 for what is free` })
    const hasTokenPrice = [input, output, cached_input, cache_write].some((usd) => usd !== undefined)
    // A forgotten price would make tokens free.
    if (!hasTokenPrice && request !== undefined) return
    if (input === undefined) complain('input', 'is missing')
    if (output === undefined) complain('output', 'is missing')
  })
  .transform(({ provider, model, input, output, cached_input: cachedInput, cache_write: cacheWrite, request }) => ({
    provider,
    model,
    input,
    output,
    cachedInput,
    cacheWrite,
    request,
  }))

/** Prices that come before the list, the first match wins. */
export const priceModels = z.preprocess(fromJson, z.array(override, { error: 'must be a list of prices' }))

function amount(min: number, max: number, what: string) {
  const error = `must be ${what}`
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value),
    z.number({ error }).min(min, { error }).max(max, { error }),
  )
}

/** Text that is no JSON is left to the schema to refuse. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
