import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Token, TokenPatch } from '../store/store.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import { requireProject, requireToken } from './find.ts'
import type { Parts } from './parts.ts'
import { createTokenInput, mergeRateLimit, updateTokenInput } from './schemas.ts'
import { generateToken, hashToken, last4 } from './secrets.ts'
import { parseInput, validationError } from './validate.ts'

const MINUTE_MS = 60_000

type TokenParts = Pick<Parts, 'store' | 'now'>

/** A new token; `secret` is what clients send, and exists nowhere else. Throws `validation_failed`, `not_found` (the project). */
export async function createToken(
  { store, now }: TokenParts,
  actor: Actor,
  input: unknown,
): Promise<{ token: Token; secret: string }> {
  return audited({ store, now }, actor, { action: 'token.create' }, async (stamp) => {
    const fields = parseInput(createTokenInput(), input)
    const expiresAt = expiryOf(fields, stamp.at) ?? null
    if (expiresAt !== null && expiresAt <= stamp.at) {
      throw validationError([{ field: 'expires_at', reason: 'must be in the future' }])
    }
    await requireProject(store, fields.projectId)
    const secret = generateToken()
    const token: Token = {
      id: newId('tok'),
      projectId: fields.projectId,
      name: fields.name ?? null,
      hash: hashToken(secret),
      last4: last4(secret),
      expiresAt,
      maxRequests: fields.maxRequests ?? null,
      rateLimit: mergeRateLimit(null, fields.rateLimit ?? null),
      budgets: fields.budgets ?? null,
      allowedModels: fields.allowedModels ?? null,
      allowedEndpoints: fields.allowedEndpoints ?? null,
      allowedIps: fields.allowedIps ?? null,
      metadata: fields.metadata ?? {},
      requestCount: 0,
      lastUsedAt: null,
      isActive: true,
      revokedAt: null,
      createdAt: stamp.at,
      updatedAt: stamp.at,
    }
    await store.tokens.create(token, { ...stamp, targetId: token.id, projectId: token.projectId })
    return { token, secret }
  })
}

/** Changes the given fields. Throws `not_found`, `validation_failed`, `conflict` (a revoked token made active). */
export async function updateToken(
  { store, now }: TokenParts,
  actor: Actor,
  id: string,
  input: unknown,
): Promise<Token> {
  return audited({ store, now }, actor, { action: 'token.update', targetId: id }, async (stamp) => {
    const before = await requireToken(store, id)
    stamp.projectId = before.projectId
    const { durationMinutes, expiresAt, rateLimit, metadata, ...fields } = parseInput(updateTokenInput(), input)
    if (fields.isActive && before.revokedAt !== null) {
      throw new GatewayError('conflict', {
        message: 'A revoked token cannot be made active again.',
        param: 'is_active',
      })
    }
    const expiry = expiryOf({ durationMinutes, expiresAt }, stamp.at)
    const changes: TokenPatch = {
      ...fields,
      ...(expiry !== undefined && { expiresAt: expiry }),
      ...(rateLimit !== undefined && { rateLimit: mergeRateLimit(before.rateLimit, rateLimit) }),
      ...(metadata !== undefined && { metadata: metadata ?? {} }),
    }
    return (await store.tokens.update(id, changes, stamp.at, stamp)) ?? requireToken(store, id)
  })
}

/** Stops the token for good. A second time changes nothing. Throws `not_found`. */
export async function revokeToken({ store, now }: TokenParts, actor: Actor, id: string): Promise<Token> {
  return audited({ store, now }, actor, { action: 'token.revoke', targetId: id }, async (stamp) => {
    const before = await requireToken(store, id)
    stamp.projectId = before.projectId
    const after = await store.tokens.revoke(id, stamp.at, stamp)
    if (before.revokedAt !== null) await recordNoChange({ store, now }, stamp)
    return after ?? requireToken(store, id)
  })
}

/** Stops every token of the project for good; how many were not stopped yet. Throws `not_found`. */
export async function revokeProjectTokens(
  { store, now }: TokenParts,
  actor: Actor,
  projectId: string,
): Promise<number> {
  const subject = { action: 'token.revoke_all', targetId: projectId, projectId }
  return audited({ store, now }, actor, subject, async (stamp) => {
    await requireProject(store, projectId)
    const revoked = await store.tokens.revokeByProject(projectId, stamp.at, stamp)
    if (revoked === 0) await recordNoChange({ store, now }, stamp, { revoked })
    return revoked
  })
}

/** False when it was gone already. */
export async function deleteToken({ store, now }: TokenParts, actor: Actor, id: string): Promise<boolean> {
  return audited({ store, now }, actor, { action: 'token.delete', targetId: id }, async (stamp) => {
    stamp.projectId = (await store.tokens.get(id))?.projectId ?? null
    const deleted = await store.tokens.delete(id, stamp)
    if (!deleted) await recordNoChange({ store, now }, stamp)
    return deleted
  })
}

/** Undefined: nothing was said of it. Null: never. */
function expiryOf(
  { expiresAt, durationMinutes }: { expiresAt?: number | null; durationMinutes?: number | null },
  now: number,
): number | null | undefined {
  return durationMinutes == null ? expiresAt : now + durationMinutes * MINUTE_MS
}
