import { newId, newRequestId } from '../../src/ids.ts'
import type {
  AdminSession,
  AdminUser,
  AuditStamp,
  LedgerBatch,
  LedgerRow,
  Project,
  ProviderKey,
  RawBodies,
  RawBody,
  StoredRoute,
  Token,
} from '../../src/store/store.ts'

/** 2026-11-21T12:00:00Z */
export const NOON = Date.UTC(2026, 10, 21, 12)

export function aProject(fields: Partial<Project> = {}): Project {
  const id = newId('proj')
  return {
    id,
    name: `project ${id}`,
    isActive: true,
    allowedModels: ['gpt-*'],
    budgets: null,
    rateLimit: { requestsPerMinute: 60, tokensPerMinute: null, concurrentRequests: 4 },
    metadata: { team: 'search', nested: { a: [1, null] } },
    createdAt: NOON,
    updatedAt: NOON,
    ...fields,
  }
}

export function aRoute(fields: Partial<StoredRoute> = {}): StoredRoute {
  const id = newId('rte')
  return {
    id,
    pattern: `model of ${id}`,
    strategy: 'weighted',
    targets: [
      { provider: 'openai', model: 'gpt-4o', weight: 2.5, timeouts: { idleMs: 1000 } },
      { provider: 'anthropic', model: null, weight: 1, timeouts: null },
    ],
    timeouts: { connectMs: 500, totalMs: 60_000 },
    maxRetries: 0,
    recovery: 'restart',
    routesAroundRefusals: true,
    createdAt: NOON,
    updatedAt: NOON,
    ...fields,
  }
}

export function aKey(projectId: string, fields: Partial<ProviderKey> = {}): ProviderKey {
  return {
    id: newId('key'),
    projectId,
    provider: 'openai',
    sealed: 'sealed-secret',
    last4: 'wxyz',
    weight: 1,
    createdAt: NOON,
    ...fields,
  }
}

export function anAdmin(fields: Partial<AdminUser> = {}): AdminUser {
  const id = newId('usr')
  return {
    id,
    name: `name of ${id}`,
    role: 'owner',
    projectId: null,
    passwordHash: `password-hash-of-${id}`,
    subject: null,
    totpSealed: null,
    totpLastStep: null,
    recoveryHashes: [],
    isActive: true,
    lastSignInAt: null,
    createdAt: NOON,
    updatedAt: NOON,
    ...fields,
  }
}

export function aSession(userId: string, fields: Partial<AdminSession> = {}): AdminSession {
  const id = newId('ses')
  return {
    id,
    tokenHash: `token-hash-of-${id}`,
    userId,
    method: 'password',
    createdAt: NOON,
    lastSeenAt: NOON,
    expiresAt: NOON + 86_400_000,
    ip: '127.0.0.1',
    userAgent: 'jest',
    ...fields,
  }
}

export function aToken(projectId: string, fields: Partial<Token> = {}): Token {
  const id = newId('tok')
  return {
    id,
    projectId,
    name: null,
    hash: `hash-of-${id}`,
    last4: 'abcd',
    expiresAt: null,
    maxRequests: null,
    budgets: null,
    rateLimit: null,
    allowedModels: null,
    allowedEndpoints: ['/v1/chat/*'],
    allowedIps: ['10.0.0.0/8'],
    metadata: {},
    requestCount: 0,
    lastUsedAt: null,
    isActive: true,
    revokedAt: null,
    createdAt: NOON,
    updatedAt: NOON,
    ...fields,
  }
}

export function aStamp(action = 'test.action', fields: Partial<AuditStamp> = {}): AuditStamp {
  return {
    id: newId('aud'),
    at: NOON,
    actor: 'management_token',
    ip: '127.0.0.1',
    userAgent: 'jest',
    action,
    targetId: null,
    projectId: null,
    outcome: 'success',
    reason: null,
    ...fields,
  }
}

export function aRow(fields: Partial<LedgerRow> = {}): LedgerRow {
  return {
    requestId: newRequestId(fields.at ?? NOON),
    at: NOON,
    tokenId: 'tok_1',
    projectId: 'proj_1',
    method: 'POST',
    endpoint: '/v1/chat/completions',
    model: 'gpt-4o',
    provider: 'openai',
    servedModel: 'gpt-4o-2024-08-06',
    attempts: [{ provider: 'openai', model: 'gpt-4o', outcome: 'answered', status: 200, durationMs: 12, error: null }],
    status: 200,
    stream: true,
    latencyMs: 12,
    firstTokenMs: 3,
    usage: {
      inputTokens: 10,
      outputTokens: 5,
      cachedTokens: 2,
      cacheWriteTokens: 3,
      reasoningTokens: 1,
      details: { input_audio_tokens: 2 },
      source: 'reported',
    },
    estimateReason: null,
    costNanoUsd: 1_500n,
    priceSource: 'genai-prices 0.1.8',
    reservedNanoUsd: 2_000n,
    cache: 'bypass',
    error: null,
    changes: ['model'],
    requestBytes: 100,
    responseBytes: 200,
    ...fields,
  }
}

/** A whole body of text. */
export function aText(text: string): RawBody {
  const bytes = Buffer.from(text)
  return { bytes, size: bytes.length, complete: true, omitted: null }
}

export function aBodies(fields: Partial<RawBodies> = {}): RawBodies {
  const at = fields.at ?? NOON
  return {
    requestId: newRequestId(at),
    at,
    secrets: [],
    request: {
      method: 'POST',
      path: '/v1/chat/completions?a=1',
      headers: ['Content-Type', 'application/json', 'Authorization', 'Bearer something'],
      body: aText('{"asked":"Grü"}'),
    },
    response: { status: 200, headers: ['content-type', 'text/event-stream'], body: aText('data: said\n\n') },
    ...fields,
  }
}

export function aBatch(fields: Partial<LedgerBatch> = {}): LedgerBatch {
  return { rows: [], opens: [], takes: [], counts: new Map(), at: NOON, ...fields }
}
