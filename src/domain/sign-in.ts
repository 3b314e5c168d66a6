import { GatewayError } from '../errors.ts'
import type { AdminUser } from '../store/store.ts'
import { type Client, openSession, type SessionLimits } from './admin-sessions.ts'
import { type Actor, adminActor } from './audit.ts'
import type { RecordDenied } from './denials.ts'
import type { Parts } from './parts.ts'
import { DUMMY_HASH, type VerifyPassword, verifyPassword } from './passwords.ts'
import type { Throttle } from './throttle.ts'
import { takeCode } from './totp.ts'

type SignInParts = Pick<Parts, 'store' | 'sealer' | 'now'> & {
  sessionLimits: SessionLimits
  throttle: Throttle
  recordDenied: RecordDenied
  /** False: nobody signs in with a password. */
  passwordSignIn: boolean
  verify?: VerifyPassword
}

export type SignInOutcome =
  | { outcome: 'signed_in'; secret: string; user: AdminUser }
  /** The password was right; the second factor is asked for. */
  | { outcome: 'code_required' }
  | { outcome: 'refused' }
  | { outcome: 'wait'; retryAfterMs: number }

/** `code`: of the second factor, or a recovery code. */
export type SignInInput = { name: string; password: string; code?: string | undefined }

export type SignIn = (input: SignInInput, client: Client) => Promise<SignInOutcome>

/**
 * Signs people in with name and password. Whoever cannot hears the same after the same time, whether there is no such user, none
 * with a password, one who is not active, or the password is wrong: a hash is verified in each case. Throws `overloaded`,
 * `storage_unavailable`.
 */
export function createSignIn(parts: SignInParts): SignIn {
  const { store, throttle, recordDenied, passwordSignIn, verify = verifyPassword } = parts

  return async ({ name, password, code }, client) => {
    if (!passwordSignIn) return { outcome: 'refused' }
    const begun = throttle.begin({ person: name, address: client.ip })
    if (!('attempt' in begun)) return { outcome: 'wait', retryAfterMs: begun.waitMs }
    const { attempt } = begun

    const refuse = async (user: AdminUser | null, reason: string): Promise<SignInOutcome> => {
      const nobody: Actor = { name: 'anonymous', ...client }
      // What was typed for a name that is none may be a password.
      const subject = { action: 'admin.sign_in', targetId: user?.id ?? null }
      await recordDenied(nobody, subject, reason, user ? { name: user.name } : {})
      return { outcome: 'refused' }
    }

    try {
      const user = await store.adminUsers.findByName(name)
      const isRight = await verify(user?.passwordHash ?? DUMMY_HASH, password)
      if (!isRight || !user?.isActive || user.passwordHash === null)
        return await refuse(user, user && !user.isActive ? 'inactive' : 'wrong_password')
      if (user.totpSealed !== null) {
        if (code === undefined || code.trim() === '') {
          // Neither a failure nor forgiveness: else codes could be guessed for ever between two of these.
          attempt.undo()
          return { outcome: 'code_required' }
        }
        if (!(await takeCode(parts, adminActor(user, client), user, code))) return await refuse(user, 'wrong_code')
      }
      const { secret } = await openSession(parts, user, 'password', client)
      attempt.succeed()
      return { outcome: 'signed_in', secret, user }
    } catch (error) {
      // Changed or gone while the password was looked at.
      if (error instanceof GatewayError && error.code === 'not_found') return { outcome: 'refused' }
      // Nothing was learnt.
      attempt.undo()
      throw error
    }
  }
}
