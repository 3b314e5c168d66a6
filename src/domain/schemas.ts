import { z } from 'zod'
import { parseUsd } from '../money.ts'
import type { Budget, RateLimit } from '../store/store.ts'
import { isRange } from './ip-list.ts'

/*
 * What people write (snake_case, ISO times) and what rows hold (camelCase, milliseconds). The OpenAPI document is made of the
 * same schemas. In changes, a field that is left out stays as it is and null clears it.
 */

/** A project to create. `providerNames`: the providers that a key may be for. */
export const createProjectInput = (providerNames: readonly string[]) =>
  z
    .strictObject({
      name,
      api_key: providerSecret
        .nullish()
        .describe('A key of the default provider; short for one entry of provider_keys.'),
      provider_keys: z.array(providerKeyInput(providerNames)).max(50).nullish(),
      is_active: z.boolean().optional(),
      allowed_models: globs.nullish(),
      rate_limit: rateLimit.nullish(),
      budgets: budgets.nullish(),
      metadata: metadata.nullish(),
    })
    .refine(({ api_key, provider_keys }) => api_key == null || provider_keys == null, {
      path: ['api_key'],
      error: 'cannot be given together with provider_keys',
    })
    .transform(toCamel)

export const updateProjectInput = () =>
  z
    .strictObject({
      name: name.optional(),
      is_active: z.boolean().optional().describe('False stops all tokens of the project at once.'),
      allowed_models: globs.nullish(),
      rate_limit: rateLimit.nullish().describe('Merged: keys that are left out stay.'),
      budgets: budgets.nullish(),
      metadata: metadata.nullish().describe('Replaced as a whole.'),
    })
    .transform(toCamel)

export const providerKeyInput = (providerNames: readonly string[]) =>
  z.strictObject({
    provider: z.enum(providerNames),
    key: providerSecret,
    weight: weight.optional().describe('Share of the requests among several keys of one provider; 1 when left out.'),
  })

export const updateProviderKeyInput = () =>
  z.strictObject({ weight: weight.describe('Share of the requests among several keys of one provider.') })

export const replaceProviderKeyInput = () =>
  z.strictObject({
    key: providerSecret,
    weight: weight.optional().describe('That of the old key when left out.'),
  })

export const createTokenInput = () =>
  z
    .strictObject({ project_id: id, ...tokenFields, duration_minutes: durationMinutes.nullish() })
    .refine(hasOneExpiry, ONE_EXPIRY)
    .transform(toCamel)

export const updateTokenInput = () =>
  z
    .strictObject({
      ...tokenFields,
      rate_limit: rateLimit.nullish().describe('Merged: keys that are left out stay.'),
      metadata: metadata.nullish().describe('Replaced as a whole.'),
      duration_minutes: durationMinutes.optional(),
      is_active: z.boolean().optional(),
    })
    .refine(hasOneExpiry, ONE_EXPIRY)
    .transform(toCamel)

/** A point in time, with its zone; in milliseconds once read. */
export const time = z.iso
  .datetime({ offset: true, error: 'must be a time in ISO 8601 with its zone, as 2026-11-21T12:00:00Z' })
  .transform((text) => Date.parse(text))

/** The limits after a change: keys that are left out stay, null clears one or all. Null: no limit at all. */
export function mergeRateLimit(current: RateLimit | null, change: Partial<RateLimit> | null): RateLimit | null {
  if (change === null) return null
  const merged = { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null, ...current, ...change }
  return Object.values(merged).every((limit) => limit === null) ? null : merged
}

const NAME_LENGTH = 100
const MAX_GLOBS = 100
const MAX_GLOB_LENGTH = 200
const MAX_LIMIT = 1_000_000_000
const MAX_REQUESTS = 1_000_000_000_000
const TEN_YEARS_IN_MINUTES = 5_256_000
const MAX_METADATA_BYTES = 16 * 1024
const MAX_METADATA_DEPTH = 20

const line = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    .refine((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text) && text.isWellFormed(), {
      error: 'must not contain control characters',
    })

const id = line(NAME_LENGTH)
const name = line(NAME_LENGTH)
const limit = z.int().min(1).max(MAX_LIMIT).nullish()

const rateLimit = z
  .strictObject({ requests_per_minute: limit, tokens_per_minute: limit, concurrent_requests: limit })
  .transform((given): Partial<RateLimit> => toCamel(given))

const MAX_BUDGETS = 10
/** Exact as a number of nano-dollars. */
const MAX_BUDGET_NANO_USD = 9_000_000n * 1_000_000_000n

const dollars = z
  .union([z.string(), z.number()])
  .transform((given, context): number => {
    const nanoUsd = parseUsd(String(given))
    if (nanoUsd !== null && nanoUsd > 0n && nanoUsd <= MAX_BUDGET_NANO_USD) return Number(nanoUsd)
    context.addIssue({
      code: 'custom',
      message: 'must be dollars between 0.000000001 and 9000000, as a decimal string such as "25.50"',
    })
    return z.NEVER
  })
  .meta({ type: 'string', examples: ['25.50'] })

const budget = z
  .strictObject({
    period: z.enum(['day', 'week', 'month', 'total']).describe('In UTC; weeks begin on Monday.'),
    limit_usd: dollars.nullish(),
    limit_tokens: limit.describe('Input and output together.'),
    reset_at: time.nullish().describe('What was spent before does not count.'),
  })
  .refine(({ limit_usd, limit_tokens }) => limit_usd != null || limit_tokens != null, {
    path: ['limit_usd'],
    error: 'must be given, or limit_tokens',
  })
  .transform(
    (given): Budget => ({
      period: given.period,
      limitNanoUsd: given.limit_usd ?? null,
      limitTokens: given.limit_tokens ?? null,
      resetAt: given.reset_at ?? null,
    }),
  )

const budgets = z
  .array(budget)
  .max(MAX_BUDGETS)
  .transform((given) => (given.length === 0 ? null : given))
  .describe('All of them hold at once. Replaced whole; an empty list or null takes them away.')

const listOf = <S extends z.ZodType>(entry: S) =>
  z.array(entry).min(1, { error: 'must not be empty; null allows everything' }).max(MAX_GLOBS)

const globs = listOf(line(MAX_GLOB_LENGTH)).describe('`*` stands for any characters; null allows everything.')

const endpoints = listOf(line(MAX_GLOB_LENGTH).regex(/^[/*]/, { error: 'must start with / or *' })).describe(
  'Paths such as `/v1/chat/*`; null allows everything.',
)

const addresses = listOf(
  line(MAX_GLOB_LENGTH).refine(isRange, { error: 'must be an IP address or a CIDR range' }),
).describe('Addresses or CIDR ranges; null allows everything.')

const metadata = z
  .unknown()
  .transform((value, context) => {
    const problem = problemOfMetadata(value)
    if (problem === null) return value as Record<string, unknown>
    context.addIssue({ code: 'custom', message: problem })
    return z.NEVER
  })
  .meta({ type: 'object', description: 'Any JSON object of at most 16 KB.' })

const providerSecret = z
  .string()
  .trim()
  .min(1)
  .max(4096)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, {
    error: 'must be visible ASCII characters, without double quotes and backslashes',
  })
  .meta({ writeOnly: true })

const weight = z.number().gt(0).max(1000)

const durationMinutes = z
  .int()
  .min(1)
  .max(TEN_YEARS_IN_MINUTES)
  .describe('Expires so many minutes from now; instead of expires_at.')

const tokenFields = {
  name: name.nullish(),
  expires_at: time.nullish(),
  max_requests: z.int().min(1).max(MAX_REQUESTS).nullish().describe('Requests over its whole life.'),
  rate_limit: rateLimit.nullish(),
  budgets: budgets.nullish(),
  allowed_models: globs.nullish(),
  allowed_endpoints: endpoints.nullish(),
  allowed_ips: addresses.nullish(),
  metadata: metadata.nullish(),
}

const hasOneExpiry = (given: { expires_at?: unknown; duration_minutes?: unknown }) =>
  given.expires_at == null || given.duration_minutes == null

const ONE_EXPIRY = { path: ['duration_minutes'], error: 'cannot be given together with expires_at' }

function problemOfMetadata(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object'
  if (!isSafe(value, MAX_METADATA_DEPTH)) {
    return `must not be nested deeper than ${MAX_METADATA_DEPTH} levels, nor have a key __proto__`
  }
  return Buffer.byteLength(JSON.stringify(value)) > MAX_METADATA_BYTES ? 'must be at most 16 KB of JSON' : null
}

function isSafe(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return (
    depth > 0 && !Object.hasOwn(value, '__proto__') && Object.values(value).every((part) => isSafe(part, depth - 1))
  )
}

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = { [K in keyof T as Camel<K & string>]: T[K] }

/** The fields that were given, by the names that rows have. */
function toCamel<T extends object>(given: T): CamelKeys<T> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([key, value]) => [camelCase(key), value])) as CamelKeys<T>
}

const camelCase = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
