import type { z } from 'zod'
import { adminOptions } from './admin-options.ts'
import { alertOptions } from './alert-options.ts'
import * as parse from './parsers.ts'
import { priceDiscounts, priceModels } from './price-parsers.ts'
import { azureOptions, providerOptions } from './provider-options.ts'
import { requestLogOptions } from './request-log-options.ts'
import { routingOptions } from './routing-options.ts'
import { translationOptions } from './translation-options.ts'

export const GROUPS = {
  server: 'Server',
  access: 'Access',
  admin: 'Admin console',
  providers: 'Providers',
  prices: 'Prices',
  alerts: 'Alerts',
  limits: 'Limits',
  timeouts: 'Timeouts and connections',
  retries: 'Retries and failover',
  logging: 'Logging',
  later: 'Not in this version yet',
} as const

/** One row of the table below: how an option is spelled, read, and explained. T: its value, D: its default. */
export type Option<T = unknown, D = unknown> = {
  group: keyof typeof GROUPS
  /** The dotted YAML path; the environment name in lower case where left out, null where YAML cannot say it. */
  yaml?: string | null
  /** Other YAML paths that mean the same. */
  yamlAliases?: readonly string[]
  /** Other environment names that mean the same. */
  aliases?: readonly string[]
  parse: z.ZodType<T>
  default: D
  /** Says the default where the value alone does not. */
  defaultText?: string
  unit?: 's' | 'ms' | 'KB' | 'MB'
  description: string
  /** Never shown; may be read from a file named by `<NAME>_FILE`. */
  secret?: boolean
  /** Not quoted in problems, since a wrong value may well contain a secret. */
  unquotable?: boolean
  /** An address whose path lets one in: the console shows no more of it than the host. */
  secretPath?: true
  /** A reload takes a new value over; others need a restart. */
  live?: true
  /** What to say to someone who switches on what this version does not do. */
  notYet?: string
}

const MAX_MS = 86_400_000

/** Every option there is, by its name in the environment. The docs page and `.env.example` are made from this table. */
export const OPTIONS = {
  HOST: option({
    group: 'server',
    parse: parse.host,
    default: '127.0.0.1',
    description: 'Address to listen on. `0.0.0.0` or `::` lets other machines in.',
  }),
  PORT: option({
    group: 'server',
    parse: parse.integer(0, 65_535),
    default: 8080,
    description: 'Port to listen on; `0` takes any free one.',
  }),
  DATA_DIR: option({
    group: 'server',
    parse: parse.text,
    default: './data',
    description: 'Folder of the database and the generated secrets (files that only their owner can read).',
  }),
  LLM_PROXY_CONFIG: option({
    group: 'server',
    yaml: null,
    parse: parse.text,
    default: null,
    defaultText: '`./llm-proxy.yaml` if there',
    description: 'The YAML file. One that is named here has to exist.',
  }),
  DEMO: option({
    group: 'server',
    parse: parse.flagOrAuto,
    default: 'auto',
    description: 'The built-in demo provider. `auto`: on while no provider key is configured anywhere.',
  }),
  TRUST_PROXY: option({
    group: 'server',
    parse: parse.trustProxy,
    default: false,
    description:
      'Which `X-Forwarded-For` hops to believe, as in Express: `true`, `false`, a number of hops, or a list of addresses.',
  }),
  CORS_ORIGINS: option({
    group: 'server',
    parse: parse.origins,
    default: [],
    description: 'Browser origins that may call `/v1`, as a list; `*` for all.',
  }),

  MANAGEMENT_TOKEN: option({
    group: 'access',
    parse: parse.token,
    default: null,
    defaultText: 'generated into `DATA_DIR` on first start',
    secret: true,
    description: 'Bearer token of `/manage` and `/metrics`.',
  }),
  ENCRYPTION_KEY: option({
    group: 'access',
    parse: parse.encryptionKey,
    default: null,
    defaultText: 'generated into `DATA_DIR` on first start',
    secret: true,
    description: '32 bytes in base64 or hex that seal the provider keys in the database. Losing it loses them.',
  }),
  PROXY_API_KEYS: option({
    group: 'access',
    parse: parse.proxyApiKeys,
    default: [],
    secret: true,
    description: 'Static keys for clients, as a list; 16 characters or more each.',
  }),
  DISABLE_AUTH: option({
    group: 'access',
    parse: parse.flag,
    default: false,
    description: 'Lets every client in without a key. Only with a loopback `HOST`.',
  }),

  ...adminOptions,

  ...providerOptions(),
  ...azureOptions,
  DEFAULT_PROVIDER: option({
    group: 'providers',
    aliases: ['DEFAULT_BACKEND'],
    parse: parse.word,
    default: 'openai',
    description: 'Takes the models that name no provider and that no other provider is known to have.',
  }),
  STREAM_USAGE: option({
    group: 'providers',
    parse: parse.oneOf(['inject', 'estimate']),
    default: 'inject',
    description:
      'How streams are counted: `inject` asks the provider for usage, `estimate` leaves requests alone and counts here.',
  }),

  ON_CLIENT_ABORT: option({
    group: 'providers',
    parse: parse.oneOf(['cancel', 'drain']),
    default: 'cancel',
    description:
      "When a client leaves a stream: `cancel` stops the provider and estimates what was written, `drain` reads on for the provider's own count (a minute and 4 MB at the most).",
  }),

  PRICE_DISCOUNTS: option({
    group: 'prices',
    live: true,
    yaml: 'prices.discounts',
    parse: priceDiscounts,
    default: null,
    description: 'Percent off the list prices, by provider. In the environment as JSON: `{"openai": 10}`.',
  }),
  PRICE_MODELS: option({
    group: 'prices',
    live: true,
    yaml: 'prices.models',
    parse: priceModels,
    default: [],
    description:
      'Prices of your own, which come before the list; the first match wins. In the environment as JSON. How to write them stands in docs/prices.md.',
  }),

  ...translationOptions,
  ...alertOptions,

  MAX_BODY_MB: option({
    group: 'limits',
    parse: parse.decimal(0.001, 1024),
    default: 10,
    unit: 'MB',
    description: 'Largest JSON body of a request.',
  }),
  MAX_UPLOAD_MB: option({
    group: 'limits',
    parse: parse.decimal(0.001, 102_400),
    default: 512,
    unit: 'MB',
    description: 'Largest multipart or binary body; these are streamed, never held in memory.',
  }),
  MAX_CONCURRENT_REQUESTS: option({
    group: 'limits',
    parse: parse.integer(1, 100_000),
    default: 1000,
    description:
      'Requests served at once; past it clients get a 503 with `retry-after`. In a crowd projects share them evenly.',
  }),
  RATE_LIMIT: option({
    group: 'limits',
    parse: parse.integer(1, 1_000_000_000),
    default: null,
    description: 'Requests per window of a token that has no limit of its own.',
  }),
  RATE_LIMIT_WINDOW: option({
    group: 'limits',
    parse: parse.integer(1, 86_400),
    default: 60,
    unit: 's',
    description: 'Length of that window.',
  }),

  HTTP_TIMEOUT: option({
    group: 'timeouts',
    live: true,
    parse: parse.decimal(0.001, MAX_MS / 1000),
    default: 300,
    unit: 's',
    description: "The provider's whole answer.",
  }),
  TIMEOUT_TOTAL_MS: option({
    group: 'timeouts',
    live: true,
    yaml: 'timeouts.total_ms',
    parse: parse.integer(1, MAX_MS),
    default: null,
    defaultText: '`HTTP_TIMEOUT`',
    unit: 'ms',
    description: 'The same as `HTTP_TIMEOUT` in milliseconds; set one of the two.',
  }),
  TIMEOUT_CONNECT_MS: option({
    group: 'timeouts',
    live: true,
    yaml: 'timeouts.connect_ms',
    parse: parse.integer(1, MAX_MS),
    default: 5000,
    unit: 'ms',
    description: 'Until the connection to the provider stands.',
  }),
  TIMEOUT_HEADERS_MS: option({
    group: 'timeouts',
    live: true,
    yaml: 'timeouts.headers_ms',
    parse: parse.integer(1, MAX_MS),
    default: 60_000,
    unit: 'ms',
    description: "Until the provider's response headers are here.",
  }),
  TIMEOUT_FIRST_TOKEN_MS: option({
    group: 'timeouts',
    live: true,
    yaml: 'timeouts.first_token_ms',
    parse: parse.integer(1, MAX_MS),
    default: 60_000,
    unit: 'ms',
    description: 'From the headers to the first event of a stream.',
  }),
  TIMEOUT_IDLE_MS: option({
    group: 'timeouts',
    live: true,
    yaml: 'timeouts.idle_ms',
    parse: parse.integer(1, MAX_MS),
    default: 60_000,
    unit: 'ms',
    description: 'Longest silence within an answer.',
  }),
  MAX_IDLE_CONNS_PER_HOST: option({
    group: 'timeouts',
    parse: parse.integer(1, 65_535),
    default: 256,
    description: 'Connections kept to each provider.',
  }),
  IDLE_CONN_TIMEOUT: option({
    group: 'timeouts',
    parse: parse.decimal(0.001, 86_400),
    default: 90,
    unit: 's',
    description: 'How long an unused connection is kept.',
  }),

  ...routingOptions,

  ...requestLogOptions,
  LOG_LEVEL: option({
    group: 'logging',
    parse: parse.oneOf(['error', 'warn', 'info', 'debug']),
    default: 'info',
    description: 'Least important level that is logged: `error`, `warn`, `info`, `debug`.',
  }),
  LOG_FORMAT: option({
    group: 'logging',
    parse: parse.oneOf(['json', 'pretty']),
    default: null,
    defaultText: '`pretty` on a terminal, else `json`',
    description: 'One JSON object per line, or text for people.',
  }),

  DATABASE_URL: option({
    group: 'later',
    parse: parse.text,
    default: null,
    secret: true,
    description: 'Postgres for several replicas.',
    notYet: 'this version keeps its data in SQLite only; leave it unset',
  }),
  REDIS_URL: option({
    group: 'later',
    parse: parse.text,
    default: null,
    secret: true,
    description: 'Redis for several replicas.',
    notYet: 'this version keeps its counters in its own memory only; leave it unset',
  }),
  CACHE_ENABLED: option({
    group: 'later',
    parse: parse.flag,
    default: false,
    description: 'Response cache.',
    notYet: 'this version has no response cache; leave it unset or false',
  }),
  CACHE_TTL: option({
    group: 'later',
    parse: parse.integer(0, 31_536_000),
    default: 300,
    unit: 's',
    description: 'How long the response cache keeps an answer.',
    notYet: 'has no effect: this version has no response cache',
  }),
}

export type OptionName = keyof typeof OPTIONS
type ValueOf<O> = O extends Option<infer T, infer D> ? T | D : never
/** What the table reads: each option's value, or its default. */
export type Values = { [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> }

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[]

/** The row of an option, with the types of its values put aside. */
export function optionOf(name: OptionName): Option {
  return OPTIONS[name]
}

/** Where YAML says the option: a dotted path, or null. */
export function yamlPathOf(name: OptionName): string | null {
  const { yaml } = optionOf(name)
  return yaml === undefined ? name.toLowerCase() : yaml
}

/** All paths by which YAML may say the option, the preferred one first. */
export function yamlPathsOf(name: OptionName): string[] {
  const preferred = yamlPathOf(name)
  return [...(preferred === null ? [] : [preferred]), ...(optionOf(name).yamlAliases ?? [])]
}

/** All names by which the environment may say the option, the preferred one first (without `_FILE`). */
export function environmentNamesOf(name: OptionName): string[] {
  return [name, ...(optionOf(name).aliases ?? [])]
}

function option<T>(row: Option<T, null>): Option<T, null>
function option<T>(row: Option<T, NoInfer<T>>): Option<T, T>
function option(row: Option): Option {
  return row
}
