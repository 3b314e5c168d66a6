import type { AuditStamp, Page, PageOf } from './store.ts'

export type AdminRole = 'owner' | 'admin' | 'viewer'

/** Somebody who may sign in to the admin console. */
export type AdminUser = {
  id: string
  /** What one signs in with, often an e-mail address; unique without regard to case. */
  name: string
  role: AdminRole
  /** A viewer who sees this project alone, and nothing once it is deleted; null: all. Only viewers have one. */
  projectId: string | null
  /** Argon2id in PHC format; null: single sign-on alone. */
  passwordHash: string | null
  /** `<issuer> <sub>` of OpenID Connect, unique; null: never signed in so. */
  subject: string | null
  /** See domain/secrets.ts; null: no second factor. */
  totpSealed: string | null
  /** The last time step that was used, so that no code works twice. */
  totpLastStep: number | null
  /** SHA-256 of unused recovery codes. */
  recoveryHashes: string[]
  isActive: boolean
  lastSignInAt: number | null
  createdAt: number
  updatedAt: number
}

export type AdminSession = {
  id: string
  /** SHA-256 of the secret in the cookie, hex. */
  tokenHash: string
  userId: string
  method: 'password' | 'oidc'
  createdAt: number
  lastSeenAt: number
  expiresAt: number
  ip: string | null
  userAgent: string | null
}

export type AdminUserPatch = Partial<Omit<AdminUser, 'id' | 'lastSignInAt' | 'createdAt' | 'updatedAt'>>

/** Audit rows tell of passwords and second factors only whether there are any. */
export interface AdminUserStore {
  list(page: Page): Promise<PageOf<AdminUser>>
  get(id: string): Promise<AdminUser | null>
  /** Without regard to case. */
  findByName(name: string): Promise<AdminUser | null>
  findBySubject(subject: string): Promise<AdminUser | null>
  count(): Promise<number>
  /** Throws `conflict` when the name or the subject is taken. */
  create(user: AdminUser, stamp: AuditStamp): Promise<void>
  /** As `create`, but only as the very first; false when there is any user already (no audit row then). */
  createFirst(user: AdminUser, stamp: AuditStamp): Promise<boolean>
  /**
   * The user after the change, null when there is none. A change of password, role or project, and being made inactive, ends the
   * user's sessions but `keepSessionId`. Throws `conflict` when the new name or subject is taken, or when no active owner
   * would be left.
   */
  update(
    id: string,
    patch: AdminUserPatch,
    at: number,
    stamp: AuditStamp,
    keepSessionId?: string | null,
  ): Promise<AdminUser | null>
  /** With its sessions. False when there was none (no audit row then). Throws `conflict` when no active owner would be left. */
  delete(id: string, stamp: AuditStamp): Promise<boolean>
  /** Notes that the code of this time step is used; false when it, or that of a later step, has been already. */
  useTotpStep(id: string, step: number): Promise<boolean>
  /** Takes the recovery code away; false when it is not (any more) among the user's. */
  useRecoveryHash(id: string, hash: string, at: number, stamp: AuditStamp): Promise<boolean>
}

export interface AdminSessionStore {
  /**
   * Also the user's last sign-in. Throws `not_found` when the user is gone or not active (any more), or has another password by
   * now than the one that was proved (`passwordHash`).
   */
  create(session: AdminSession, stamp?: AuditStamp | null, proved?: { passwordHash: string }): Promise<void>
  findByHash(hash: string): Promise<{ session: AdminSession; user: AdminUser } | null>
  /** Seen at that moment; `expiresAt` replaces the end. */
  touch(id: string, at: number, expiresAt?: number): Promise<void>
  list(filter: { userId?: string | undefined }, page: Page): Promise<PageOf<AdminSession>>
  /** False when there was none (no audit row then). */
  delete(id: string, stamp: AuditStamp): Promise<boolean>
  /** All of the user's but one; how many. */
  deleteByUser(userId: string, exceptId: string | null, stamp: AuditStamp): Promise<number>
  /** Those that have expired at `now`, or were not seen since `idleBefore`; how many. */
  deleteExpired(now: number, idleBefore: number): Promise<number>
}
