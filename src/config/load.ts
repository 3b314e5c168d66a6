import { resolve } from 'node:path'
import { PROVIDERS } from '../providers/registry.ts'
import { prefixOf } from '../providers/setting-names.ts'
import { checkAdmin, toAdmin } from './admin-options.ts'
import type { Config, ProviderConfig } from './config.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigFile, hasVariable, interpolate, readConfigFile } from './config-file.ts'
import { readCustomProviders } from './custom-providers.ts'
import { type Environment, type Findings, findInEnvironment, readEnvironment, type Variables } from './environment.ts'
import { parseValue, quote } from './parse-value.ts'
import { QUEUE_FIELDS, type QueueField, toLimits } from './provider-limits.ts'
import { PROVIDER_NAMES, type ProviderName } from './provider-options.ts'
import { toRouting } from './routing.ts'
import { readRoutes, readRules } from './routing-file.ts'
import { OPTION_NAMES, type OptionName, optionOf, type Values, yamlPathsOf } from './schema.ts'

export type Origin = 'env' | 'file' | 'default'

export type LoadedConfig = {
  /** Frozen, all of it. */
  config: Config
  /** One line each, beginning with the name that is meant. */
  warnings: string[]
  /** Where each option's value comes from, by its name in the environment (`.env` counts as the environment). */
  origins: Record<OptionName, Origin>
  /** Each option's value as it was read, by its name in the environment. */
  values: Values
  /** Each option's value as text, by its name in the environment; a secret is `(set)`, nothing is `(none)`. */
  shown: Record<OptionName, string>
}

export type Surroundings = {
  env: Variables
  cwd: string
  /** Whether the log goes to people: decides the default of LOG_FORMAT. */
  terminal?: boolean
}

/** The environment, for the command line to hand on. */
export const processEnvironment = () => process.env

/** The configuration of this process. Throws `ConfigError`. */
export function loadProcessConfig(): LoadedConfig {
  return loadConfig({ env: process.env, cwd: process.cwd(), terminal: process.stdout.isTTY === true })
}

/** Reads environment, `.env` and YAML (ranking in this order) completely. Throws one `ConfigError` with every problem there is. */
export function loadConfig({ env, cwd, terminal = false }: Surroundings): LoadedConfig {
  const findings: Findings = { problems: [], warnings: [] }
  const environment = readEnvironment(env, cwd, findings)
  const file = readConfigFile(environment, findings)
  const readings = OPTION_NAMES.map((name) => [name, readOption(name, environment, file, findings)] as const)
  const values = Object.fromEntries(readings.map(([name, { value }]) => [name, value])) as Values
  const origins = Object.fromEntries(readings.map(([name, { origin }]) => [name, origin])) as Record<OptionName, Origin>
  const custom = readCustomProviders(file, environment, findings)
  const providerNames = [...PROVIDER_NAMES, ...Object.keys(custom)]
  const routes = readRoutes(file, providerNames, environment, findings)
  const rules = readRules(file, providerNames, routes, environment, findings)
  const limits = readLimits(values, environment, file, findings)
  checkTogether(values, origins, findings)
  checkAdmin(values, { isSet: (name) => origins[name] !== 'default', isLoopback }, findings)
  const { label } = readings.find(([name]) => name === 'DEFAULT_PROVIDER')![1]
  checkDefaultProvider(values, label, providerNames, findings)
  warnOfMissingAddresses(values, findings)
  if (findings.problems.length > 0) throw new ConfigError(findings.problems)
  const base = toConfig(values, origins, { custom, limits }, cwd, file, terminal)
  const config: Config = deepFreeze({ ...base, routing: toRouting(values, base, routes, rules) })
  const shown = Object.fromEntries(readings.map(([name, { value }]) => [name, show(name, value)]))
  return { config, warnings: findings.warnings, origins, values, shown: shown as Record<OptionName, string> }
}

/** `label`: the name by which the user said it. */
type Reading = { value: unknown; origin: Origin; label: string }

function readOption(name: OptionName, environment: Environment, file: ConfigFile | null, findings: Findings): Reading {
  const option = optionOf(name)
  const unset = { value: option.default, label: name }
  const problemsBefore = findings.problems.length
  const found = findInEnvironment(environment, name, findings)
  // A broken source is reported; what ranks below it must not hide that.
  if (findings.problems.length > problemsBefore) return { ...unset, origin: 'env' }
  if (found !== null) {
    const value = parseValue(option, found.value, found.name, true, findings)
    return { value, origin: 'env', label: found.name }
  }
  const [path, ...others] = yamlPathsOf(name).filter((one) => file?.values.has(one))
  if (file === null || path === undefined) return { ...unset, origin: 'default' }
  const raw = file.values.get(path)
  const label = `${file.label}: ${path}`
  for (const other of others)
    findings.problems.push(`${file.label}: ${other}: ${path} is set too and means the same; keep one of the two`)
  const value = interpolate(raw, label, environment, findings)
  if (value === null || value === '') return { ...unset, origin: 'default' }
  return { value: parseValue(option, value, label, !hasVariable(raw), findings), origin: 'file', label }
}

const SHORT_TOKEN = 16

/** What no option can see alone. */
function checkTogether(values: Values, origins: Record<OptionName, Origin>, { problems, warnings }: Findings): void {
  if (values.DISABLE_AUTH && !isLoopback(values.HOST)) {
    problems.push(`DISABLE_AUTH: only with a loopback HOST (127.0.0.1, ::1, localhost), not with ${values.HOST}`)
  }
  if (values.INITIAL_BACKOFF > values.MAX_BACKOFF) {
    problems.push(`INITIAL_BACKOFF: ${values.INITIAL_BACKOFF} ms is more than MAX_BACKOFF, ${values.MAX_BACKOFF} ms`)
  }
  if (origins.HTTP_TIMEOUT !== 'default' && origins.HTTP_TIMEOUT === origins.TIMEOUT_TOTAL_MS) {
    problems.push('TIMEOUT_TOTAL_MS: HTTP_TIMEOUT is set too and means the same; keep one of the two')
  }
  if (
    values.BODY_LOG_DAYS !== null &&
    values.REQUEST_LOG_DAYS !== null &&
    values.BODY_LOG_DAYS > values.REQUEST_LOG_DAYS
  ) {
    problems.push(
      `BODY_LOG_DAYS: ${values.BODY_LOG_DAYS} days are more than REQUEST_LOG_DAYS, ${values.REQUEST_LOG_DAYS}: bodies go with their requests at the latest`,
    )
  }
  const keepsBodies = values.REQUEST_LOGGING || values.RESPONSE_LOGGING
  if (keepsBodies && values.BODY_LOG_DAYS === null && values.REQUEST_LOG_DAYS === null) {
    warnings.push('BODY_LOG_DAYS: not set, so that bodies are kept for ever')
  }
  if (values.MANAGEMENT_TOKEN !== null && values.MANAGEMENT_TOKEN.length < SHORT_TOKEN) {
    warnings.push(`MANAGEMENT_TOKEN: shorter than ${SHORT_TOKEN} characters, which can be guessed`)
  }
}

/** It may be one that stands in the same file. */
function checkDefaultProvider(values: Values, label: string, names: string[], { problems }: Findings): void {
  const { DEFAULT_PROVIDER: name } = values
  if (!names.includes(name)) problems.push(`${label}: must be one of ${names.join(', ')}${quote(name)}`)
}

/** Of providers that have no public address. */
function warnOfMissingAddresses(values: Values, { warnings }: Findings): void {
  for (const { name, baseUrl } of PROVIDERS) {
    const prefix = prefixOf(name as ProviderName)
    if (baseUrl === null && values[`${prefix}_API_KEY`] !== null && values[`${prefix}_BASE_URL`] === null)
      warnings.push(`${prefix}_API_KEY: has no effect without ${prefix}_BASE_URL`)
  }
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

const BYTES_PER_KB = 1024
const BYTES_PER_MB = 1024 * 1024

function toConfig(
  values: Values,
  origins: Record<OptionName, Origin>,
  { custom, limits }: { custom: Config['providers']; limits: ReturnType<typeof readLimits> },
  cwd: string,
  file: ConfigFile | null,
  terminal: boolean,
): Omit<Config, 'routing'> {
  return {
    host: values.HOST,
    port: values.PORT,
    dataDir: resolve(cwd, values.DATA_DIR),
    configFile: file?.path ?? null,
    managementToken: values.MANAGEMENT_TOKEN,
    encryptionKey: values.ENCRYPTION_KEY,
    providers: {
      ...Object.fromEntries(PROVIDER_NAMES.map((name) => [name, providerOf(values, name, limits.get(name))])),
      ...custom,
    },
    defaultProvider: values.DEFAULT_PROVIDER,
    demo: values.DEMO,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (terminal ? 'pretty' : 'json') },
    maxBodyBytes: Math.round(values.MAX_BODY_MB * BYTES_PER_MB),
    maxUploadBytes: Math.round(values.MAX_UPLOAD_MB * BYTES_PER_MB),
    timeouts: {
      connectMs: values.TIMEOUT_CONNECT_MS,
      headersMs: values.TIMEOUT_HEADERS_MS,
      firstTokenMs: values.TIMEOUT_FIRST_TOKEN_MS,
      idleMs: values.TIMEOUT_IDLE_MS,
      totalMs: totalTimeoutMs(values, origins),
    },
    retry: {
      maxRetries: values.MAX_RETRIES,
      initialBackoffMs: values.INITIAL_BACKOFF,
      maxBackoffMs: values.MAX_BACKOFF,
      factor: values.BACKOFF_FACTOR,
      jitter: values.JITTER,
    },
    healthProbeMs: values.HEALTH_PROBE_SECONDS === 0 ? null : Math.round(values.HEALTH_PROBE_SECONDS * 1000),
    rateLimit:
      values.RATE_LIMIT === null ? null : { requests: values.RATE_LIMIT, windowSeconds: values.RATE_LIMIT_WINDOW },
    streamUsage: values.STREAM_USAGE,
    strictTranslation: values.STRICT_TRANSLATION,
    onClientAbort: values.ON_CLIENT_ABORT,
    requestLogDays: values.REQUEST_LOG_DAYS,
    bodyLog: {
      request: values.REQUEST_LOGGING,
      response: values.RESPONSE_LOGGING,
      maxBytes: values.BODY_LOG_KB * BYTES_PER_KB,
      days: values.BODY_LOG_DAYS ?? values.REQUEST_LOG_DAYS,
    },
    ledgerCheckMs: values.LEDGER_CHECK_MINUTES === 0 ? null : values.LEDGER_CHECK_MINUTES * 60_000,
    alerts: {
      thresholds: [...values.ALERT_THRESHOLDS],
      spendFactor: values.ALERT_SPEND_FACTOR,
      webhook:
        values.ALERT_WEBHOOK_URL === null
          ? null
          : {
              url: values.ALERT_WEBHOOK_URL,
              secret: values.ALERT_WEBHOOK_SECRET,
              format: values.ALERT_WEBHOOK_FORMAT,
            },
    },
    prices: { discounts: { ...values.PRICE_DISCOUNTS }, models: [...values.PRICE_MODELS] },
    proxyApiKeys: [...values.PROXY_API_KEYS],
    disableAuth: values.DISABLE_AUTH,
    maxConcurrentRequests: values.MAX_CONCURRENT_REQUESTS,
    pool: {
      connectionsPerHost: values.MAX_IDLE_CONNS_PER_HOST,
      idleMs: Math.round(values.IDLE_CONN_TIMEOUT * 1000),
    },
    trustProxy: values.TRUST_PROXY,
    corsOrigins: [...values.CORS_ORIGINS],
    admin: toAdmin(values),
  }
}

function providerOf(values: Values, name: ProviderName, limits: ProviderConfig['limits']): ProviderConfig {
  const prefix = prefixOf(name)
  const common = {
    apiKey: values[`${prefix}_API_KEY`],
    baseUrl: values[`${prefix}_BASE_URL`],
    ...(limits && { limits }),
  }
  if (name !== 'azure-openai') return common
  const models = values.AZURE_OPENAI_DEPLOYMENTS
  return { ...common, apiVersion: values.AZURE_OPENAI_API_VERSION, ...(models.length > 0 && { models: [...models] }) }
}

/** Of the built-in providers that have any. */
function readLimits(values: Values, environment: Environment, file: ConfigFile | null, findings: Findings) {
  const limits = new Map<ProviderName, NonNullable<ProviderConfig['limits']>>()
  for (const name of PROVIDER_NAMES) {
    const path = `providers.${name}`
    const read = (field: QueueField): number | null => {
      const raw = file?.values.get(`${path}.${field}`)
      if (raw === undefined) return null
      const label = `${file!.label}: ${path}.${field}`
      const value = interpolate(raw, label, environment, findings)
      if (value === null || value === '') return null
      const option = { ...QUEUE_FIELDS[field], group: 'providers' as const, default: null, description: '' }
      return parseValue(option, value, label, !hasVariable(raw), findings) as number | null
    }
    const own = toLimits(values[`${prefixOf(name)}_MAX_CONCURRENT`], read, `${file?.label}: ${path}`, findings.warnings)
    if (own !== null) limits.set(name, own)
  }
  return limits
}

/** Two spellings of one thing: the one in the environment beats the one in the file. */
function totalTimeoutMs(values: Values, origins: Record<OptionName, Origin>): number {
  const inSeconds = Math.round(values.HTTP_TIMEOUT * 1000)
  return origins.HTTP_TIMEOUT === 'env' ? inSeconds : (values.TIMEOUT_TOTAL_MS ?? inSeconds)
}

function show(name: OptionName, value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '(none)'
  if (optionOf(name).secret) return '(set)'
  const isStructured =
    typeof value === 'object' && (!Array.isArray(value) || value.some((part) => typeof part === 'object'))
  return isStructured ? JSON.stringify(value) : String(value)
}

function deepFreeze<T>(value: T): T {
  // Bytes cannot be frozen.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
