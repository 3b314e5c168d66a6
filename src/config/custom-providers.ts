import { nearest } from '../suggest.ts'
import type { Config, ProviderConfig } from './config.ts'
import { type ConfigFile, hasVariable, interpolate } from './config-file.ts'
import type { Environment, Findings } from './environment.ts'
import { parseValue } from './parse-value.ts'
import * as parse from './parsers.ts'
import { QUEUE_FIELDS, toLimits } from './provider-limits.ts'
import type { Option } from './schema.ts'

type Field = Pick<Option, 'parse' | 'secret' | 'unquotable'> & { needed?: string }

/** What can be said of a provider that is not built in. */
const FIELDS = {
  kind: { parse: parse.oneOf(['openai', 'anthropic', 'gemini']), needed: 'is missing: openai, anthropic or gemini' },
  base_url: {
    parse: parse.baseUrl,
    unquotable: true,
    needed: "is missing: the provider's address with its version path",
  },
  api_key: { parse: parse.token, secret: true },
  models: { parse: parse.names },
  headers: { parse: parse.headers, secret: true },
  stream_options: { parse: parse.flag },
  max_concurrent: { parse: parse.integer(1, 100_000) },
  ...QUEUE_FIELDS,
} satisfies Record<string, Field>

const NAME = /^[a-z][a-z0-9-]{1,30}$/
/** Paths of the gateway's own: below its name stands a provider's API. */
const TAKEN = new Set([
  'v1',
  'v1beta',
  'models',
  'manage',
  'docs',
  'admin',
  'api',
  'health',
  'live',
  'ready',
  'metrics',
])

/** The providers that stand in the file alone. All that is wrong with them is among the findings. */
export function readCustomProviders(
  file: ConfigFile | null,
  environment: Environment,
  findings: Findings,
): Config['providers'] {
  const read = [...(file?.customProviders ?? [])].map(([name, raw]) => {
    const label = `${file!.label}: providers.${name}`
    checkName(name, label, findings)
    return [name, readOne(raw, label, environment, findings)] as const
  })
  return Object.fromEntries(read)
}

function checkName(name: string, label: string, { problems }: Findings): void {
  if (name === 'demo') problems.push(`${label}: is the name of a built-in provider; choose another`)
  else if (TAKEN.has(name)) problems.push(`${label}: is a path of the gateway; choose another name`)
  else if (!NAME.test(name))
    problems.push(`${label}: a provider's name has 2 to 31 lower-case letters, digits and hyphens, a letter first`)
}

function readOne(
  raw: Record<string, unknown>,
  label: string,
  environment: Environment,
  findings: Findings,
): ProviderConfig {
  for (const key of Object.keys(raw)) {
    if (Object.hasOwn(FIELDS, key)) continue
    const meant = nearest(key, Object.keys(FIELDS))
    findings.problems.push(`${label}.${key}: unknown key${meant === null ? '' : `; did you mean ${meant}?`}`)
  }
  const value = <T>(name: keyof typeof FIELDS): T | null => {
    const field: Field = FIELDS[name]
    const place = `${label}.${name}`
    const given = raw[name] ?? ''
    const problemsBefore = findings.problems.length
    const whole = given === '' ? null : interpolate(given, place, environment, findings)
    if (whole === null || whole === '') {
      const isReported = findings.problems.length > problemsBefore
      if (field.needed !== undefined && !isReported) findings.problems.push(`${place}: ${field.needed}`)
      return null
    }
    return parseValue(toOption(field), whole, place, !hasVariable(given), findings) as T | null
  }
  return {
    kind: value<NonNullable<ProviderConfig['kind']>>('kind') ?? 'openai',
    apiKey: value<string>('api_key'),
    baseUrl: value<string>('base_url'),
    ...optional('models', value<string[]>('models')),
    ...optional('headers', value<Record<string, string>>('headers')),
    ...optional('streamOptions', value<boolean>('stream_options')),
    ...optional('limits', toLimits(value<number>('max_concurrent'), value<number>, label, findings.warnings)),
  }
}

const toOption = (field: Field): Option => ({ ...field, group: 'providers', default: null, description: '' })

const optional = <Name extends string, T>(name: Name, value: T | null) =>
  (value === null ? {} : { [name]: value }) as { [Key in Name]?: T }
