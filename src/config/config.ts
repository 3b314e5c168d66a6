import type { Routing } from '../routing/types.ts'
import type { AdminRole } from '../store/store.ts'

/** Prices that are not those of the list. */
export type PriceConfig = {
  /** Percent off the list price, by provider. */
  discounts: Readonly<Record<string, number>>
  /** The first that matches wins, before any list price. */
  models: readonly PriceOverride[]
}

/** US dollars per million tokens; `request`: US dollars for each. What is left out costs what the input costs. */
export type PriceOverride = {
  provider: string
  /** A glob: `my-finetune-*`. */
  model: string
  input?: number | undefined
  output?: number | undefined
  cachedInput?: number | undefined
  cacheWrite?: number | undefined
  request?: number | undefined
}

/** What the operator says of a provider. */
export type ProviderConfig = {
  apiKey: string | null
  baseUrl: string | null
  /** Azure's. */
  apiVersion?: string | null
  /** The models that it has, where it is not asked for its list. */
  models?: string[]
  /** Of a provider that is not built in: like which one it speaks. */
  kind?: 'openai' | 'anthropic' | 'gemini'
  /** Sent with every request, by their lower-case names. */
  headers?: Record<string, string>
  /** Whether it takes `stream_options`. */
  streamOptions?: boolean
  /** How many requests it is sent at once, and how many wait how long when it is as many. Absent: as many as come. */
  limits?: { maxConcurrent: number; maxQueued: number; queueTimeoutMs: number }
}

/** The whole configuration, parsed once and frozen. What each field means stands in schema.ts. */
export type Config = {
  host: string
  port: number
  dataDir: string
  /** Where the YAML was read from, null when there was none. */
  configFile: string | null
  /** Null: generated into `dataDir` on first start. */
  managementToken: string | null
  /** 32 bytes; null: generated into `dataDir` on first start. */
  encryptionKey: Buffer | null
  /** By provider name; only providers that have something configured are sure to be present. */
  providers: Record<string, ProviderConfig>
  defaultProvider: string
  /** `auto`: on while no provider key is configured anywhere. */
  demo: boolean | 'auto'
  log: { level: 'error' | 'warn' | 'info' | 'debug'; format: 'json' | 'pretty' }
  maxBodyBytes: number
  maxUploadBytes: number
  timeouts: { connectMs: number; headersMs: number; firstTokenMs: number; idleMs: number; totalMs: number }
  retry: { maxRetries: number; initialBackoffMs: number; maxBackoffMs: number; factor: number; jitter: number }
  /** What the file says of routes, with the two groups above; those of the database are added at run time. */
  routing: Routing
  /** How often providers are probed; null: never. */
  healthProbeMs: number | null
  /** Default per token that has no limit of its own. */
  rateLimit: { requests: number; windowSeconds: number } | null
  streamUsage: 'inject' | 'estimate'
  strictTranslation: boolean
  onClientAbort: 'cancel' | 'drain'
  /** Null: for ever. */
  requestLogDays: number | null
  /** Bodies of requests and answers that are kept; `maxBytes` of each. Days null: for ever. */
  bodyLog: { request: boolean; response: boolean; maxBytes: number; days: number | null }
  /** How often the ledger is compared with itself; null: never. */
  ledgerCheckMs: number | null
  prices: PriceConfig
  alerts: AlertConfig
  proxyApiKeys: string[]
  disableAuth: boolean
  maxConcurrentRequests: number
  pool: { connectionsPerHost: number; idleMs: number }
  /** Express' `trust proxy` setting. */
  trustProxy: boolean | number | string
  corsOrigins: string[]
  admin: AdminConfig
}

/** The admin console and how one signs in to it. */
export type AdminConfig = {
  enabled: boolean
  /** When a session ends that was not seen, and when any does. */
  idleMs: number
  totalMs: number
  /** Where people reach the gateway, without a slash at the end; null: not said. */
  publicUrl: string | null
  passwordSignIn: boolean
  oidc: {
    issuer: string
    clientId: string
    /** Null: a public client. */
    clientSecret: string | null
    scopes: string
    nameClaim: string
    /** A claim, or a path into one; null: roles are given here. */
    roleClaim: string | null
    /** By the claim's values. */
    roleMap: Record<string, AdminRole>
    /** Of whom no value maps to a role; null: refused. */
    defaultRole: AdminRole | null
  } | null
}

export type AlertConfig = {
  /** In percent of a budget, ascending. */
  thresholds: number[]
  /** So many times a token's usual hour; 0: never. */
  spendFactor: number
  webhook: { url: string; secret: string | null; format: 'json' | 'slack' } | null
}
