import type { AdminRole, AdminSession, AuditEntry, Budget, Metadata, RateLimit, StoredRoute } from '../store.ts'
import { type AnySQLiteColumn, index, integer, real, sqliteTable, text, uniqueIndex } from './drizzle.ts'

/*
 * Every listed table has a `seq` (SQLite's rowid): rows of the same millisecond keep the order in which they were written, and
 * each index carries it for free. Rows of `audit_log` outlive what they name, hence no foreign keys there. The ledger's
 * tables are in files of their own (see ledger/month-schema.ts).
 */

export const projects = sqliteTable(
  'projects',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    name: text('name').notNull().unique(),
    isActive: integer('is_active', { mode: 'boolean' }).notNull(),
    allowedModels: text('allowed_models', { mode: 'json' }).$type<string[]>(),
    rateLimit: text('rate_limit', { mode: 'json' }).$type<RateLimit>(),
    budgets: text('budgets', { mode: 'json' }).$type<Budget[]>(),
    metadata: text('metadata', { mode: 'json' }).notNull().$type<Metadata>(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [index('projects_created_at').on(table.createdAt)],
)

export const providerKeys = sqliteTable(
  'provider_keys',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    projectId: owner(),
    provider: text('provider').notNull(),
    sealed: text('sealed').notNull(),
    last4: text('last4').notNull(),
    weight: real('weight').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [index('provider_keys_project').on(table.projectId, table.createdAt)],
)

export const tokens = sqliteTable(
  'tokens',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    projectId: owner(),
    name: text('name'),
    hash: text('hash').notNull().unique(),
    last4: text('last4').notNull(),
    expiresAt: integer('expires_at'),
    maxRequests: integer('max_requests'),
    rateLimit: text('rate_limit', { mode: 'json' }).$type<RateLimit>(),
    budgets: text('budgets', { mode: 'json' }).$type<Budget[]>(),
    allowedModels: text('allowed_models', { mode: 'json' }).$type<string[]>(),
    allowedEndpoints: text('allowed_endpoints', { mode: 'json' }).$type<string[]>(),
    allowedIps: text('allowed_ips', { mode: 'json' }).$type<string[]>(),
    metadata: text('metadata', { mode: 'json' }).notNull().$type<Metadata>(),
    requestCount: integer('request_count').notNull(),
    lastUsedAt: integer('last_used_at'),
    isActive: integer('is_active', { mode: 'boolean' }).notNull(),
    revokedAt: integer('revoked_at'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [
    index('tokens_created_at').on(table.createdAt),
    index('tokens_project').on(table.projectId, table.createdAt),
  ],
)

export const routes = sqliteTable('routes', {
  seq: integer('seq').primaryKey(),
  id: text('id').notNull().unique(),
  pattern: text('pattern').notNull().unique(),
  strategy: text('strategy').notNull(),
  targets: text('targets', { mode: 'json' }).notNull().$type<StoredRoute['targets']>(),
  timeouts: text('timeouts', { mode: 'json' }).$type<StoredRoute['timeouts']>(),
  maxRetries: integer('max_retries'),
  recovery: text('recovery'),
  routesAroundRefusals: integer('routes_around_refusals', { mode: 'boolean' }).notNull(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

/** The last row of each month file whose request is in `tokens.request_count` (see ledger/counters.ts). */
export const ledgerApplied = sqliteTable('ledger_applied', {
  month: text('month').primaryKey(),
  seq: integer('seq').notNull(),
})

export const auditLog = sqliteTable(
  'audit_log',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    at: integer('at').notNull(),
    actor: text('actor').notNull(),
    ip: text('ip'),
    userAgent: text('user_agent'),
    action: text('action').notNull(),
    targetId: text('target_id'),
    projectId: text('project_id'),
    outcome: text('outcome').notNull().$type<AuditEntry['outcome']>(),
    reason: text('reason'),
    before: text('before', { mode: 'json' }).$type<Record<string, unknown>>(),
    after: text('after', { mode: 'json' }).$type<Record<string, unknown>>(),
  },
  (table) => [
    index('audit_log_at').on(table.at),
    index('audit_log_action').on(table.action, table.at),
    index('audit_log_actor').on(table.actor, table.at),
    index('audit_log_target').on(table.targetId, table.at),
    index('audit_log_project').on(table.projectId, table.at),
    index('audit_log_outcome').on(table.outcome, table.at),
  ],
)

export const alerts = sqliteTable(
  'alerts',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    key: text('key').notNull().unique(),
    kind: text('kind').notNull(),
    at: integer('at').notNull(),
    text: text('text').notNull(),
    data: text('data', { mode: 'json' }).notNull().$type<Record<string, unknown>>(),
    sendAt: integer('send_at'),
    attempts: integer('attempts').notNull(),
    deliveredAt: integer('delivered_at'),
    lastError: text('last_error'),
  },
  (table) => [index('alerts_at').on(table.at), index('alerts_send_at').on(table.sendAt)],
)

/** Outlives its project, whose objects are still at the provider and no other project's, hence no foreign key. */
export const pinnedObjects = sqliteTable(
  'pinned_objects',
  {
    seq: integer('seq').primaryKey(),
    objectId: text('object_id').notNull(),
    projectId: text('project_id').notNull(),
    provider: text('provider').notNull(),
    keyId: text('key_id').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
  },
  (table) => [
    uniqueIndex('pinned_objects_object').on(table.objectId, table.projectId),
    index('pinned_objects_expires_at').on(table.expiresAt),
  ],
)

/** `nameKey`: the name as it is compared. A project that is named here may be gone: its viewer sees nothing then. */
export const adminUsers = sqliteTable(
  'admin_users',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    name: text('name').notNull(),
    nameKey: text('name_key').notNull().unique(),
    role: text('role').notNull().$type<AdminRole>(),
    projectId: text('project_id'),
    passwordHash: text('password_hash'),
    subject: text('subject').unique(),
    totpSealed: text('totp_sealed'),
    totpLastStep: integer('totp_last_step'),
    recoveryHashes: text('recovery_hashes', { mode: 'json' }).notNull().$type<string[]>(),
    isActive: integer('is_active', { mode: 'boolean' }).notNull(),
    lastSignInAt: integer('last_sign_in_at'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [index('admin_users_created_at').on(table.createdAt)],
)

export const sessions = sqliteTable(
  'sessions',
  {
    seq: integer('seq').primaryKey(),
    id: text('id').notNull().unique(),
    tokenHash: text('token_hash').notNull().unique(),
    userId: text('user_id')
      .notNull()
      .references((): AnySQLiteColumn => adminUsers.id, { onDelete: 'cascade' }),
    method: text('method').notNull().$type<AdminSession['method']>(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    ip: text('ip'),
    userAgent: text('user_agent'),
  },
  (table) => [
    index('sessions_created_at').on(table.createdAt),
    index('sessions_user').on(table.userId, table.createdAt),
  ],
)

/** One row: counted up by triggers whenever `projects`, `provider_keys`, `tokens` or `routes` change (see `revision.ts`). */
export const revision = sqliteTable('revision', {
  id: integer('id').primaryKey(),
  value: integer('value').notNull(),
})

function owner() {
  return text('project_id')
    .notNull()
    .references((): AnySQLiteColumn => projects.id, { onDelete: 'cascade' })
}
