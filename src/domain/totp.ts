import { randomBytes } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import { registerSecret } from '../redact.ts'
import type { AdminUser } from '../store/store.ts'
import { NO_SECOND_FACTOR, requireAdminUser } from './admin-users.ts'
import { type Actor, audited, makeStamp } from './audit.ts'
import type { Parts } from './parts.ts'
import { DUMMY_HASH, verifyPassword } from './passwords.ts'
import { type ProofParts, prove } from './prove.ts'
import { hashToken } from './secrets.ts'
import { validationError } from './validate.ts'

type TotpParts = Pick<Parts, 'store' | 'sealer' | 'now'>

const ISSUER = 'LLM Proxy'
const PERIOD_S = 30
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** A step before and behind, as clocks differ. RFC 6238, 5.2. */
const WINDOW = 1

/** A new secret to be shown as a QR code of `uri`; nothing is kept until `confirmTotp`. */
export async function beginTotp({ name }: Pick<AdminUser, 'name'>): Promise<{ secret: string; uri: string }> {
  const { Secret } = await import('otpauth')
  const secret = new Secret({ size: SECRET_BYTES }).base32
  registerSecret(secret)
  return { secret, uri: (await otpOf(secret, name)).toString() }
}

/**
 * Turns the second factor on once a code shows that the secret has arrived; the recovery codes exist nowhere else. Throws
 * `validation_failed`, `conflict` (it is on already).
 */
export async function confirmTotp(
  { store, sealer, now }: TotpParts,
  actor: Actor,
  user: AdminUser,
  secret: string,
  code: string,
): Promise<{ recoveryCodes: string[] }> {
  const subject = { action: 'admin_user.second_factor_on', targetId: user.id }
  return audited({ store, now }, actor, subject, async (stamp) => {
    const before = await requireAdminUser(store, user.id)
    if (before.totpSealed !== null)
      throw new GatewayError('conflict', { message: 'The second factor is on already: turn it off before.' })
    // 20 bytes in base32, as `beginTotp` makes it.
    if (!/^[A-Z2-7]{32}$/.test(secret)) throw validationError([{ field: 'secret', reason: 'is not as it was given' }])
    registerSecret(secret)
    const step = await stepOf(secret, code, stamp.at)
    if (step === null) throw wrongCode()
    const recoveryCodes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
    const patch = {
      totpSealed: sealer.seal(secret),
      totpLastStep: step,
      recoveryHashes: recoveryCodes.map(hashRecoveryCode),
    }
    await store.adminUsers.update(user.id, patch, stamp.at, stamp)
    return { recoveryCodes }
  })
}

/** Turns the second factor off, for who knows the password or has a code. Throws `validation_failed`, `rate_limit_exceeded`. */
export async function endTotp(
  { store, sealer, now, throttle, verify = verifyPassword }: TotpParts & ProofParts,
  actor: Actor,
  user: AdminUser,
  passwordOrCode: string,
): Promise<void> {
  const subject = { action: 'admin_user.second_factor_off', targetId: user.id }
  await audited({ store, now }, actor, subject, async (stamp) => {
    const before = await requireAdminUser(store, user.id)
    const isRight = async () =>
      (looksLikeCode(passwordOrCode) && (await takeCode({ store, sealer, now }, actor, before, passwordOrCode))) ||
      verify(before.passwordHash ?? DUMMY_HASH, passwordOrCode)
    await prove(throttle, before, actor.ip, 'password', 'is neither your password nor an unused code', isRight)
    await store.adminUsers.update(user.id, NO_SECOND_FACTOR, stamp.at, stamp)
  })
}

/** Whether it is a code of the user's that was never used before; from now on it has been. */
export async function takeCode(
  { store, sealer, now }: TotpParts,
  actor: Actor,
  user: AdminUser,
  code: string,
): Promise<boolean> {
  if (user.totpSealed === null) return false
  if (!isTotpCode(code)) {
    const stamp = makeStamp({ now }, actor, { action: 'admin_user.use_recovery_code', targetId: user.id })
    return store.adminUsers.useRecoveryHash(user.id, hashRecoveryCode(code), stamp.at, stamp)
  }
  const secret = sealer.open(user.totpSealed)
  registerSecret(secret)
  const step = await stepOf(secret, code, now())
  return step !== null && store.adminUsers.useTotpStep(user.id, step)
}

const wrongCode = () => validationError([{ field: 'code', reason: 'is not right: take the one that is shown now' }])

const withoutSpaces = (code: string) => code.replace(/[\s-]/g, '')
const isTotpCode = (code: string) => /^\d{6}$/.test(withoutSpaces(code))
const looksLikeCode = (text: string) => isTotpCode(text) || /^[a-z2-7]{16}$/i.test(withoutSpaces(text))

/** The time step whose code it is; null when there is none near `at`. */
async function stepOf(secret: string, code: string, at: number): Promise<number | null> {
  if (!isTotpCode(code)) return null
  const totp = await otpOf(secret, '')
  const delta = totp.validate({ token: withoutSpaces(code), timestamp: at, window: WINDOW })
  return delta === null ? null : Math.floor(at / 1000 / PERIOD_S) + delta
}

async function otpOf(secret: string, label: string) {
  const { TOTP } = await import('otpauth')
  return new TOTP({ issuer: ISSUER, label, secret, period: PERIOD_S, digits: 6, algorithm: 'SHA1' })
}

/** 80 random bits: `abcd-efgh-2345-6723`. So many need no slow hash. */
function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(16), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
  const code = letters.replace(/.{4}(?=.)/g, '$&-')
  registerSecret(code)
  return code
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

const hashRecoveryCode = (code: string) => hashToken(withoutSpaces(code).toLowerCase())
