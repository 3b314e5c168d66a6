import { randomBytes } from 'node:crypto'
import { newId } from '../ids.ts'
import type { AdminSession, AdminUser, AuditStamp, Store } from '../store/store.ts'
import { type Actor, adminActor, audited, cleanText, recordNoChange } from './audit.ts'
import { hashToken } from './secrets.ts'

/** Where a sign-in comes from. */
export type Client = { ip: string | null; userAgent: string | null }

/** A session ends when it was not seen for `idleMs`, and `totalMs` after its beginning at the latest. */
export type SessionLimits = { idleMs: number; totalMs: number }

type Parts = { store: Store; now(): number }
type SessionParts = Parts & { sessionLimits: SessionLimits }

/** How exactly it is known when a session was last seen; a shorter idle time is kept more exactly. */
const TOUCH_MS = 60_000

/**
 * A new session; `secret` is what the cookie holds, and exists nowhere else. Throws `not_found` when the user may not sign in (any
 * more), or has another password by now.
 */
export async function openSession(
  { store, now, sessionLimits }: SessionParts,
  user: AdminUser,
  method: AdminSession['method'],
  client: Client,
): Promise<{ secret: string; session: AdminSession }> {
  const subject = { action: 'admin.sign_in', targetId: user.id }
  return audited({ store, now }, adminActor(user, client), subject, async (stamp) => {
    const secret = randomBytes(32).toString('base64url')
    const session: AdminSession = {
      id: newId('ses'),
      tokenHash: hashToken(secret),
      userId: user.id,
      method,
      createdAt: stamp.at,
      lastSeenAt: stamp.at,
      expiresAt: stamp.at + sessionLimits.totalMs,
      ip: client.ip,
      userAgent: client.userAgent === null ? null : cleanText(client.userAgent),
    }
    const { passwordHash } = user
    const proved = method === 'password' && passwordHash !== null ? { passwordHash } : undefined
    await store.adminSessions.create(session, stamp, proved)
    return { secret, session }
  })
}

/**
 * The session of a cookie with its user; null when there is none, when it has ended, or its user may not sign in any more. A clock that
 * was put back ends none, and prolongs none beyond what one that begins now would have. `quiet`: nobody is there, a program looks.
 */
export async function findSession(
  { store, now, sessionLimits: { idleMs, totalMs } }: SessionParts,
  secret: string,
  { quiet = false } = {},
): Promise<{ session: AdminSession; user: AdminUser } | null> {
  if (!/^[\w-]{43}$/.test(secret)) return null
  const found = await store.adminSessions.findByHash(hashToken(secret))
  if (!found?.user.isActive) return null
  const { session, user } = found
  const at = now()
  // Of another clock, or of longer limits before.
  const expiresAt = Math.min(session.expiresAt, Math.min(session.createdAt, at) + totalMs)
  const unseenMs = at - session.lastSeenAt
  if (at >= expiresAt || unseenMs >= idleMs) return null
  if (quiet || (unseenMs >= 0 && unseenMs < Math.min(TOUCH_MS, idleMs / 4))) return found
  await store.adminSessions.touch(session.id, at, expiresAt)
  return { session: { ...session, lastSeenAt: at, expiresAt }, user }
}

/** Somebody signs out. False when the session was gone already. */
export async function closeSession(parts: Parts, actor: Actor, session: AdminSession): Promise<boolean> {
  const subject = { action: 'admin.sign_out', targetId: session.userId }
  return audited(parts, actor, subject, (stamp) => endSession(parts, session.id, stamp))
}

/** False when there is none of that id (any more). */
export async function revokeSession(parts: Parts, actor: Actor, id: string): Promise<boolean> {
  const subject = { action: 'admin_session.revoke', targetId: id }
  return audited(parts, actor, subject, (stamp) => endSession(parts, id, stamp))
}

async function endSession(parts: Parts, id: string, stamp: AuditStamp): Promise<boolean> {
  const ended = await parts.store.adminSessions.delete(id, stamp)
  if (!ended) await recordNoChange(parts, stamp)
  return ended
}

/** Ends all sessions of the user but one; how many. */
export async function revokeOtherSessions(
  parts: Parts,
  actor: Actor,
  userId: string,
  exceptId: string | null,
): Promise<number> {
  const subject = { action: 'admin_session.revoke_others', targetId: userId }
  return audited(parts, actor, subject, async (stamp) => {
    const ended = await parts.store.adminSessions.deleteByUser(userId, exceptId, stamp)
    if (ended === 0) await recordNoChange(parts, stamp, { sessionsEnded: 0 })
    return ended
  })
}
