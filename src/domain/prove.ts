import { GatewayError } from '../errors.ts'
import type { AdminUser } from '../store/store.ts'
import { DUMMY_HASH, type VerifyPassword, verifyPassword } from './passwords.ts'
import type { Attempt, Throttle } from './throttle.ts'
import { validationError } from './validate.ts'

export type ProofParts = { throttle: Throttle; verify?: VerifyPassword }

/** Who is signed in says the password once more. Throws `validation_failed` on `field`, `rate_limit_exceeded`. */
export async function provePassword(
  { throttle, verify = verifyPassword }: ProofParts,
  user: AdminUser,
  password: string,
  ip: string | null,
  field: string,
): Promise<void> {
  const isRight = () => verify(user.passwordHash ?? DUMMY_HASH, password)
  await prove(throttle, user, ip, field, 'is not your password', isRight)
}

/** Runs a check that could be used to guess. Throws `validation_failed` with `reason` on `field`, `rate_limit_exceeded`. */
export async function prove(
  throttle: Throttle,
  { id }: Pick<AdminUser, 'id'>,
  ip: string | null,
  field: string,
  reason: string,
  check: () => Promise<boolean>,
): Promise<void> {
  const attempt = beginAttempt(throttle, `proof of ${id}`, ip)
  const isRight = await check().catch((error) => {
    // Nothing was learnt.
    attempt.undo()
    throw error
  })
  if (!isRight) throw validationError([{ field, reason }])
  attempt.succeed()
}

/** Throws `rate_limit_exceeded`. */
export function beginAttempt(throttle: Throttle, person: string | undefined, ip: string | null): Attempt {
  const begun = throttle.begin({ address: ip, ...(person !== undefined && { person }) })
  if ('attempt' in begun) return begun.attempt
  const seconds = Math.ceil(begun.waitMs / 1000)
  throw new GatewayError('rate_limit_exceeded', {
    message: `Too many wrong tries: try again in ${seconds} seconds.`,
    headers: { 'retry-after': String(seconds) },
    details: { retry_after_seconds: seconds },
  })
}
