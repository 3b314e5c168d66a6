import type { AdminSessionStore, AdminUserStore } from './admin-users.ts'
import type { AlertStore } from './alerts.ts'
import type { BackupStore } from './backup.ts'
import type { BodyStore } from './bodies.ts'
import type { LedgerStore } from './ledger.ts'
import type { PinStore } from './pins.ts'
import type { RouteStore } from './routes.ts'

export type * from './admin-users.ts'
export type * from './backup.ts'
export type * from './bodies.ts'
export type * from './ledger.ts'
export type * from './pins.ts'
export type * from './routes.ts'

/**
 * What the gateway keeps, and every intention it has towards it. An engine implements `Store`; each method is atomic, and a
 * mutation writes its audit row in the same transaction. Times are milliseconds since the epoch, money is nano-dollars.
 */
export interface Store {
  readonly projects: ProjectStore
  readonly providerKeys: ProviderKeyStore
  readonly tokens: TokenStore
  readonly routes: RouteStore
  readonly ledger: LedgerStore
  readonly bodies: BodyStore
  readonly audit: AuditStore
  readonly alerts: AlertStore
  readonly pins: PinStore
  readonly adminUsers: AdminUserStore
  readonly adminSessions: AdminSessionStore
  readonly backups: BackupStore
  /**
   * A number that changes whenever projects, provider keys, tokens or routes changed (request counters aside), also when another
   * process did it. Synchronous and cheap (microseconds, no I/O): it is asked once for every request.
   */
  revision(): number
  /** Throws `StoreError` when the database cannot be read. */
  status(): Promise<StoreStatus>
  close(): Promise<void>
}

/** `bodyBytes`: part of the size, what bodies take of it. */
export type StoreStatus = {
  engine: string
  location: string
  schemaVersion: number
  sizeBytes: number
  bodyBytes: number
}

/** Who hears of what a store does by itself. */
export type StoreLog = {
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

/** Why the store could not do its work, in words for an operator (`message`), with the engine's own error as `cause`. */
export class StoreError extends Error {
  /** `invalid`: a value that no database takes, whenever it is tried. `too_large`: more was asked for than is given at once. */
  readonly kind:
    | 'corrupt'
    | 'read_only'
    | 'full'
    | 'busy'
    | 'newer_version'
    | 'conflict'
    | 'not_found'
    | 'invalid'
    | 'too_large'
    | 'unavailable'
  constructor(kind: StoreError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.kind = kind
  }
}

export type BudgetPeriod = 'day' | 'week' | 'month' | 'total'

/** How much may be spent in a period (UTC; weeks begin on Monday). At least one of the limits is set. */
export type Budget = {
  period: BudgetPeriod
  /** At most nine million dollars, so that it is exact as a number. */
  limitNanoUsd: number | null
  limitTokens: number | null
  /** Spending before this moment does not count; null: all of it does. */
  resetAt: number | null
}

export type RateLimit = {
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  concurrentRequests: number | null
}

export type Metadata = Record<string, unknown>

export type Project = {
  id: string
  name: string
  isActive: boolean
  /** Globs (`gpt-*`), null: every model. */
  allowedModels: string[] | null
  rateLimit: RateLimit | null
  /** All of them hold at once; null: none. */
  budgets: Budget[] | null
  metadata: Metadata
  createdAt: number
  updatedAt: number
}

export type ProviderKey = {
  id: string
  projectId: string
  provider: string
  /** AES-256-GCM envelope with its key's id; see domain/secrets.ts. */
  sealed: string
  last4: string
  weight: number
  createdAt: number
}

export type Token = {
  id: string
  projectId: string
  name: string | null
  /** SHA-256 of the token, hex. The token itself is never kept. */
  hash: string
  last4: string
  expiresAt: number | null
  maxRequests: number | null
  rateLimit: RateLimit | null
  /** All of them hold at once; null: none. */
  budgets: Budget[] | null
  allowedModels: string[] | null
  allowedEndpoints: string[] | null
  /** Addresses or CIDR ranges. */
  allowedIps: string[] | null
  metadata: Metadata
  requestCount: number
  lastUsedAt: number | null
  isActive: boolean
  revokedAt: number | null
  createdAt: number
  updatedAt: number
}

/** What a management action says of itself; the store adds before/after (without what is secret). */
export type AuditStamp = Omit<AuditEntry, 'before' | 'after'>

export type AuditEntry = {
  id: string
  at: number
  /** `management_token`, `cli`, `system`, `admin:<name>`. */
  actor: string
  ip: string | null
  userAgent: string | null
  /** `project.create`, `token.revoke`, `manage.access` … */
  action: string
  targetId: string | null
  projectId: string | null
  outcome: 'success' | 'failure' | 'denied'
  /** Why not, for failures and denials: an error code. */
  reason: string | null
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

/** Newest first; `after` is the last id of the previous page (an unknown id gives an empty page). */
export type Page = { limit: number; after?: string }
export type PageOf<T> = { data: T[]; hasMore: boolean }

export type ProjectPatch = Partial<
  Pick<Project, 'name' | 'isActive' | 'allowedModels' | 'rateLimit' | 'budgets' | 'metadata'>
>
export interface ProjectStore {
  list(page: Page): Promise<PageOf<Project>>
  get(id: string): Promise<Project | null>
  findByName(name: string): Promise<Project | null>
  /** Throws `conflict` when the name is taken. */
  create(project: Project, keys: ProviderKey[], stamp: AuditStamp): Promise<void>
  /** The project after the change, null when there is none. Throws `conflict` when the new name is taken. */
  update(id: string, patch: ProjectPatch, at: number, stamp: AuditStamp): Promise<Project | null>
  /** Also deletes its tokens and provider keys; ledger rows stay. False when there was none (no audit row then). */
  delete(id: string, stamp: AuditStamp): Promise<boolean>
}

export interface ProviderKeyStore {
  get(id: string): Promise<ProviderKey | null>
  /** Oldest first. */
  listByProject(projectId: string): Promise<ProviderKey[]>
  /** Of all projects, oldest first, `limit` at the most. */
  listByProvider(provider: string, limit: number): Promise<ProviderKey[]>
  /** How many there are over all projects, by provider. */
  countByProvider(): Promise<Map<string, number>>
  /** How many there are over all projects. */
  count(): Promise<number>
  /** Throws `not_found` when the project is gone. */
  create(key: ProviderKey, stamp: AuditStamp): Promise<void>
  /** The key after the change; null when the project has no such key. */
  update(projectId: string, id: string, patch: { weight: number }, stamp: AuditStamp): Promise<ProviderKey | null>
  /** Takes the key `id` of the same project away and puts `key` in its place. False, and nothing is changed, when there is none. */
  replace(id: string, key: ProviderKey, stamp: AuditStamp): Promise<boolean>
  delete(projectId: string, id: string, stamp: AuditStamp): Promise<boolean>
  /**
   * Replaces every envelope by `reseal(old)` in one transaction, those of admin users' second factors too; returns how many.
   * Nothing changes when `reseal` throws.
   */
  resealAll(reseal: (sealed: string) => string, stamp: AuditStamp): Promise<number>
}

/**
 * Every token is in one of these. `revoked`: for good. `off`: it, or its project, is switched off. `expired`: by `now`. `active`: none of
 * them.
 */
export type TokenState = 'active' | 'expired' | 'revoked' | 'off'
export type TokenFilter = {
  projectId?: string
  state?: TokenState
  /** A text in its name or id, or its last four characters; upper and lower case are the same. */
  search?: string
  /** Has an end, and before this moment. */
  expiresBefore?: number
  hasBudgets?: boolean
  ids?: readonly string[]
  now: number
}
export type TokenPatch = Partial<
  Pick<
    Token,
    | 'name'
    | 'isActive'
    | 'expiresAt'
    | 'maxRequests'
    | 'rateLimit'
    | 'budgets'
    | 'allowedModels'
    | 'allowedEndpoints'
    | 'allowedIps'
    | 'metadata'
  >
>
export interface TokenStore {
  list(filter: TokenFilter, page: Page): Promise<PageOf<Token>>
  /** How many tokens each project has; none: it is not in the map. Of one project, or of all. */
  countByProject(projectId?: string): Promise<Map<string, number>>
  get(id: string): Promise<Token | null>
  /** The token with its project and that project's provider keys: all that a request needs. */
  findByHash(hash: string): Promise<{ token: Token; project: Project; keys: ProviderKey[] } | null>
  /** Throws `not_found` when the project is gone. */
  create(token: Token, stamp: AuditStamp): Promise<void>
  update(id: string, patch: TokenPatch, at: number, stamp: AuditStamp): Promise<Token | null>
  /** The revoked token (revoking twice keeps the first time), null when there is none. */
  revoke(id: string, at: number, stamp: AuditStamp): Promise<Token | null>
  /** Revokes every token of the project that is not yet revoked; how many. */
  revokeByProject(projectId: string, at: number, stamp: AuditStamp): Promise<number>
  delete(id: string, stamp: AuditStamp): Promise<boolean>
}

export type AuditFilter = {
  action?: string
  actor?: string
  targetId?: string
  projectId?: string
  outcome?: AuditEntry['outcome']
  from?: number
  to?: number
}
export interface AuditStore {
  append(entry: AuditEntry): Promise<void>
  list(filter: AuditFilter, page: Page): Promise<PageOf<AuditEntry>>
}
