import { readValue } from '../domain/validate.ts'
import { failoverRoute, fileRoute, type RouteBody, routePattern, ruleInput } from '../routing/route-schema.ts'
import type { Route, Rule } from '../routing/types.ts'
import { type ConfigFile, hasVariable, interpolate, type STRUCTURES } from './config-file.ts'
import type { Environment, Findings } from './environment.ts'

const MAX_ROUTES = 1000
const MAX_RULES = 1000

/** The routes of the file, both spellings, in its order. All that is wrong with them is among the findings. */
export function readRoutes(
  file: ConfigFile | null,
  providerNames: readonly string[],
  environment: Environment,
  findings: Findings,
): Route[] {
  if (file === null) return []
  const read = (key: Structure, schema: Schema) => readMap(file, key, schema, environment, findings)
  const routes = read('routes', fileRoute(providerNames))
  const older = read('app_config.failover_routes', failoverRoute(providerNames))
  for (const pattern of older.keys()) {
    if (!routes.has(pattern)) continue
    older.delete(pattern)
    findings.warnings.push(
      `${file.label}: app_config.failover_routes.${pattern}: has no effect, since routes.${pattern} is there too`,
    )
  }
  return [...routes, ...older].flatMap(([pattern, body]) =>
    body === null ? [] : { pattern, origin: 'file' as const, id: null, ...body },
  )
}

/** The rules of the file, in its order. They name routes of the same file. All that is wrong with them is among the findings. */
export function readRules(
  file: ConfigFile | null,
  providerNames: readonly string[],
  routes: readonly Route[],
  environment: Environment,
  findings: Findings,
): Rule[] {
  const raw = file?.values.get('rules')
  if (file === null || raw === undefined) return []
  const place = `${file.label}: rules`
  if (!Array.isArray(raw)) findings.problems.push(`${place}: must be a list of rules`)
  else if (raw.length > MAX_RULES) findings.problems.push(`${place}: must have at most ${MAX_RULES} entries`)
  else {
    const schema = ruleInput(providerNames, namesOf(file, routes))
    return raw.flatMap((rule, index) => readOne(schema, rule, `${place}[${index}]`, environment, findings) ?? [])
  }
  return []
}

/** Also those that something is wrong with: that a rule names one of them is not wrong too. */
const namesOf = (file: ConfigFile, routes: readonly Route[]): string[] => [
  ...new Set([
    ...routes.map(({ pattern }) => pattern),
    ...STRUCTURES_OF_ROUTES.flatMap((key) => {
      const raw = file.values.get(key)
      return isRecord(raw) ? Object.keys(raw) : []
    }),
  ]),
]

const STRUCTURES_OF_ROUTES = ['routes', 'app_config.failover_routes'] as const
type Structure = (typeof STRUCTURES)[number]
type Schema = ReturnType<typeof fileRoute> | ReturnType<typeof failoverRoute>

/** By pattern. Null: something is wrong with it. */
function readMap(
  file: ConfigFile,
  key: Structure,
  schema: Schema,
  environment: Environment,
  findings: Findings,
): Map<string, RouteBody | null> {
  const raw = file.values.get(key)
  const place = `${file.label}: ${key}`
  if (raw === undefined) return new Map()
  if (!isRecord(raw)) {
    findings.problems.push(`${place}: must hold models with their routes`)
    return new Map()
  }
  const entries = Object.entries(raw)
  if (entries.length > MAX_ROUTES) {
    findings.problems.push(`${place}: must have at most ${MAX_ROUTES} routes`)
    return new Map()
  }
  const routes = new Map<string, RouteBody | null>()
  for (const [name, body] of entries) {
    const own = `${place}.${name}`
    const pattern = readOne(routePattern, name, own, null, findings) ?? name
    if (routes.has(pattern)) findings.problems.push(`${own}: is there twice`)
    routes.set(pattern, readOne(schema, body, own, environment, findings))
  }
  return routes
}

/** Null: something is wrong with it. `environment` null: it has no variables. */
function readOne<S extends Parameters<typeof readValue>[0]>(
  schema: S,
  raw: unknown,
  place: string,
  environment: Environment | null,
  findings: Findings,
): ReturnType<typeof readValue<S>>['value'] {
  const problemsBefore = findings.problems.length
  const filled = environment === null ? raw : fill(raw, place, environment, findings)
  if (findings.problems.length > problemsBefore) return null
  const { value, problems } = readValue(schema, filled)
  for (const { path, text } of problems) findings.problems.push(`${placeOf(place, path)}: ${text}`)
  return value
}

const placeOf = (place: string, path: PropertyKey[]): string =>
  path.reduce<string>((so, step) => (typeof step === 'number' ? `${so}[${step}]` : `${so}.${String(step)}`), place)

/** Puts variables in, and takes out of maps what has no value: that is unset. */
function fill(raw: unknown, place: string, environment: Environment, findings: Findings): unknown {
  if (typeof raw === 'string') return hasVariable(raw) ? fillText(raw, place, environment, findings) : raw
  if (Array.isArray(raw)) return raw.map((item, index) => fill(item, `${place}[${index}]`, environment, findings))
  if (!isRecord(raw)) return raw
  const filled: Record<string, unknown> = {}
  for (const [key, part] of Object.entries(raw)) {
    // No schema would see it.
    if (key === '__proto__' || key.endsWith('.__proto__')) findings.problems.push(`${place}.${key}: unknown key`)
    const value = fill(part, `${place}.${key}`, environment, findings)
    if (value !== null && value !== '') filled[key] = value
  }
  return filled
}

/** What is one variable and nothing else is a number or a flag if it looks like one, as if it stood there itself. */
function fillText(text: string, place: string, environment: Environment, findings: Findings): unknown {
  const filled = interpolate(text, place, environment, findings)
  if (typeof filled !== 'string' || !/^\$\{[^}]*\}$/.test(text)) return filled
  if (/^-?\d+(\.\d+)?$/.test(filled)) return Number(filled)
  return filled === 'true' || filled === 'false' ? filled === 'true' : filled
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
