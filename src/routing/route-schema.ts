import { z } from 'zod'
import { nearest } from '../suggest.ts'
import {
  type Condition,
  FEATURES,
  RECOVERIES,
  type Route,
  type RouteTarget,
  type Rule,
  STRATEGIES,
  type Timeouts,
} from './types.ts'

/*
 * Routes and rules as people write them (snake_case), in the configuration file and through /manage. Every limit stands here once.
 */

const MAX_NAME = 200
const MAX_TARGETS = 50
const MAX_WEIGHT = 1000
const MAX_MS = 86_400_000
const MAX_RETRIES = 20
const MAX_TOKENS = 1_000_000_000

/** A route to create through /manage. */
export const createRouteInput = (providerNames: readonly string[]) =>
  z.strictObject({ pattern: routePattern, ...routeFields(providerNames) })

export const updateRouteInput = (providerNames: readonly string[]) => {
  const { targets, ...others } = routeFields(providerNames)
  const whole = targets.optional().describe('Replaced as a whole.')
  return z.strictObject({ pattern: routePattern.optional(), ...others, targets: whole })
}

/** What a route is called: a model's name, or a glob of names. */
export const routePattern = line().describe('A model as clients ask for it; `*` stands for any characters.')

/** The body of a route. `providerNames`: those that a target may name. */
const routeFields = (providerNames: readonly string[]) => ({
  strategy: choice(STRATEGIES).nullish().describe('In which order targets are tried; `fallback`: as they stand.'),
  targets: z.array(target(providerNames)).min(1).max(MAX_TARGETS),
  timeouts: timeouts.nullish().describe("What differs from the gateway's own for all targets of this route."),
  max_retries: z.int().min(0).max(MAX_RETRIES).nullish(),
  recovery: choice(RECOVERIES).nullish().describe('What becomes of a stream that is cut after it began.'),
  routes_around_refusals: z
    .boolean()
    .nullish()
    .describe("True: a provider's refusal on grounds of content goes to the next target, not to the client."),
})

/** One of `routes` in the file, without its pattern. */
export const fileRoute = (providerNames: readonly string[]) =>
  z.strictObject(routeFields(providerNames)).transform(toRouteBody)

/** `app_config.failover_routes.<model>`: an older spelling of a route. */
export const failoverRoute = (providerNames: readonly string[]) =>
  z
    .strictObject({
      attempts: z
        .array(z.strictObject({ backend: provider(providerNames), model: line().nullish() }))
        .min(1)
        .max(MAX_TARGETS),
    })
    .transform(({ attempts }) =>
      toRouteBody({ targets: attempts.map(({ backend, model }) => toTarget({ provider: backend, model })) }),
    )

export type RouteBody = Omit<Route, 'pattern' | 'origin' | 'id'>

type GivenRoute = {
  strategy?: Route['strategy'] | null | undefined
  targets: RouteTarget[]
  timeouts?: Partial<Timeouts> | null | undefined
  max_retries?: number | null | undefined
  recovery?: Route['recovery'] | undefined
  routes_around_refusals?: boolean | null | undefined
}

/** What is left out is as it usually is. */
export function toRouteBody(given: GivenRoute): RouteBody {
  return {
    strategy: given.strategy ?? 'fallback',
    targets: given.targets,
    timeouts: given.timeouts ?? null,
    maxRetries: given.max_retries ?? null,
    recovery: given.recovery ?? null,
    routesAroundRefusals: given.routes_around_refusals ?? false,
  }
}

/** One of `rules`. `patterns`: those of the routes that it may name. */
export const ruleInput = (providerNames: readonly string[], patterns: readonly string[]) =>
  z
    .strictObject({
      name: line(),
      when: z.preprocess(nest, when),
      route: oneOf(patterns, 'there is no such route').nullish(),
      provider: provider(providerNames).nullish(),
      model: line().nullish(),
      weight: weight.nullish(),
    })
    .refine(...unless(({ route, provider }) => route == null && provider == null, 'route', 'is required, or provider'))
    .refine(
      ...unless(
        ({ route, provider }) => route != null && provider != null,
        'provider',
        'cannot be given together with route',
      ),
    )
    .refine(
      ...unless(
        ({ route, model }) => route != null && model != null,
        'model',
        "goes with provider; a route's targets say their own",
      ),
    )
    .transform(
      ({ name, when, route, provider, model, weight }): Rule => ({
        name,
        when,
        route: route ?? null,
        provider: provider ?? null,
        model: model ?? null,
        weight: weight ?? null,
      }),
    )

type Goal = { route?: unknown; provider?: unknown; model?: unknown }

/** Asked also where something else is wrong with the rule, so that all is told at once. */
const unless = (isWrong: (goal: Goal) => boolean, field: string, error: string) => {
  const when = ({ value }: { value: unknown }) => typeof value === 'object' && value !== null
  return [(goal: Goal) => !isWrong(goal), { path: [field] as PropertyKey[], error, when }] as const
}

function line() {
  return (
    z
      .string()
      .trim()
      .min(1)
      .max(MAX_NAME)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .refine((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text) && text.isWellFormed(), {
        error: 'must not contain control characters',
      })
  )
}

const choice = <const T extends readonly string[]>(values: T) => oneOf(values, `must be one of ${values.join(', ')}`)

const provider = (names: readonly string[]) => oneOf(names, `unknown provider; there are ${names.join(', ')}`)

/** `otherwise`: what is said where none is near. */
function oneOf<const T extends readonly string[]>(values: T, otherwise: string) {
  return z.enum(values, {
    error: ({ input }) => {
      if (input === undefined) return 'is required'
      const meant = typeof input === 'string' ? nearest(input, values) : null
      return meant === null ? otherwise : `${otherwise.replace(/; .*/, '')}; did you mean ${meant}?`
    },
  })
}

const weight = z.number().gt(0).max(MAX_WEIGHT).describe('Its share, in proportion to the others; 1 when left out.')

const milliseconds = z.int().min(1).max(MAX_MS).nullish()

const timeouts = z
  .strictObject({
    connect_ms: milliseconds,
    headers_ms: milliseconds,
    first_token_ms: milliseconds,
    idle_ms: milliseconds,
    total_ms: milliseconds,
  })
  .transform((given): Partial<Timeouts> | null => {
    const named: [keyof Timeouts, number | null | undefined][] = [
      ['connectMs', given.connect_ms],
      ['headersMs', given.headers_ms],
      ['firstTokenMs', given.first_token_ms],
      ['idleMs', given.idle_ms],
      ['totalMs', given.total_ms],
    ]
    const said = named.filter(([, ms]) => ms != null)
    return said.length === 0 ? null : Object.fromEntries(said)
  })

const target = (providerNames: readonly string[]) =>
  z
    .strictObject({
      provider: provider(providerNames),
      model: line().nullish().describe('The model as this provider calls it; left out: as the client asked for it.'),
      weight: weight.nullish(),
      timeouts: timeouts.nullish().describe('What differs for this target.'),
    })
    .transform(toTarget)

type GivenTarget = {
  provider: string
  model?: string | null | undefined
  weight?: number | null | undefined
  timeouts?: Partial<Timeouts> | null | undefined
}

function toTarget({ provider, model, weight, timeouts }: GivenTarget): RouteTarget {
  return { provider, model: model ?? null, weight: weight ?? 1, timeouts: timeouts ?? null }
}

const bound = z.int().min(0).max(MAX_TOKENS).optional()

const comparison = z
  .strictObject({ gt: bound, gte: bound, lt: bound, lte: bound })
  .refine((given) => Object.keys(given).length > 0, { error: 'must hold gt, gte, lt or lte' })
  .refine(({ gt = -1, gte = 0, lt = Infinity, lte = Infinity }) => Math.max(gt + 1, gte) <= Math.min(lt - 1, lte), {
    error: 'can hold for no number',
  })

/** What YAML takes for a number or a flag is meant as it is written. */
const plain = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be text' })
  .transform(String)
  .pipe(z.string().max(MAX_NAME))

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/

/** What a rule may ask. */
export const conditionFields = {
  model: line().optional(),
  endpoint: line().regex(/^[/*]/, { error: 'must start with / or *' }).optional(),
  project: line().optional(),
  token: line().optional(),
  stream: z.boolean().optional(),
  prompt_tokens: comparison.optional(),
  has: z.array(choice(FEATURES)).min(1).optional(),
  metadata: z.record(z.string().min(1), plain).optional(),
  header: z
    .record(z.string().regex(HEADER_NAME, { error: 'is no header name' }), plain)
    .transform((given) => Object.fromEntries(Object.entries(given).map(([name, text]) => [name.toLowerCase(), text])))
    .optional(),
}

const when = z
  .strictObject(conditionFields)
  .refine((given) => Object.keys(given).length > 0, {
    error: 'must hold a condition; model: "*" holds for all that name a model',
    // One that is misspelt is one.
    when: ({ issues }) => issues.length === 0,
  })
  .transform(({ prompt_tokens, header, ...same }): Condition => {
    const said = { ...same, promptTokens: prompt_tokens, headers: header }
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  })

/** `metadata.team: a` is as good as `metadata: { team: a }`. */
function nest(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  const nested: Record<string, unknown> = {}
  const groups = new Map<string, [string, unknown][]>()
  for (const [key, value] of Object.entries(given)) {
    const [, group, name] = /^(metadata|header)\.(.+)$/s.exec(key) ?? []
    if (group === undefined) nested[key] = value
    else groups.set(group, [...(groups.get(group) ?? []), [name!, value]])
  }
  for (const [group, entries] of groups) {
    const more = nested[group]
    nested[group] = typeof more === 'object' ? { ...more, ...Object.fromEntries(entries) } : Object.fromEntries(entries)
  }
  return nested
}
