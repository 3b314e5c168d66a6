import type { AdminSession, AdminUser } from '../store/store.ts'
import { isoTime } from './present.ts'

/** An admin user as people see it: of what is secret only that it is there. */
export const presentAdminUser = (user: AdminUser) => ({
  id: user.id,
  name: user.name,
  role: user.role,
  project_id: user.projectId,
  is_active: user.isActive,
  has_password: user.passwordHash !== null,
  single_sign_on: user.subject !== null,
  second_factor: user.totpSealed !== null,
  recovery_codes: user.recoveryHashes.length,
  last_sign_in_at: user.lastSignInAt === null ? null : isoTime(user.lastSignInAt),
  created_at: isoTime(user.createdAt),
  updated_at: isoTime(user.updatedAt),
})

export const presentAdminSession = (session: AdminSession) => ({
  id: session.id,
  user_id: session.userId,
  method: session.method,
  ip: session.ip,
  user_agent: session.userAgent,
  created_at: isoTime(session.createdAt),
  last_seen_at: isoTime(session.lastSeenAt),
  expires_at: isoTime(session.expiresAt),
})
