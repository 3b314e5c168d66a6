import { GatewayError } from '../errors.ts'
import { registerSecret } from '../redact.ts'
import type { AdminUser, Store } from '../store/store.ts'
import { type Client, openSession, type SessionLimits } from './admin-sessions.ts'
import { createFirstAdmin } from './admin-users.ts'
import type { RecordDenied } from './denials.ts'
import { beginAttempt } from './prove.ts'
import { equalSecrets } from './secrets.ts'
import type { Throttle } from './throttle.ts'

/** Where the code is kept, so that an operator can read it. */
export type SetupCodeFile = {
  path: string
  /** The code in the file, made when there is none. */
  ensure(): string
  remove(): void
}

type SetupParts = {
  store: Store
  now(): number
  sessionLimits: SessionLimits
  throttle: Throttle
  recordDenied: RecordDenied
  /** False: nobody could sign in again whom the set-up has made. */
  passwordSignIn: boolean
  file: SetupCodeFile
}

export type Setup = {
  /** What lets the first user in; null once there is one. Throws when the file cannot be used. */
  code(): Promise<string | null>
  /**
   * Creates the first owner (`{ name, password }`), signed in. Throws `not_found` (there is nothing to set up), `unauthorized` (another
   * code), `rate_limit_exceeded`, `validation_failed`, `conflict` (somebody was faster).
   */
  complete(code: string, input: unknown, client: Client): Promise<{ user: AdminUser; secret: string }>
  codeFile: string
}

/** The way in for the first admin user: a code that only who can read the data folder or the terminal knows. */
export function createSetup({ file, throttle, recordDenied, passwordSignIn, ...parts }: SetupParts): Setup {
  const { store, now } = parts

  const code = async () => {
    if (!passwordSignIn) return null
    if ((await store.adminUsers.count()) > 0) {
      file.remove()
      return null
    }
    const value = file.ensure()
    registerSecret(value)
    return value
  }

  return {
    code,
    codeFile: file.path,

    async complete(given, input, client) {
      const attempt = beginAttempt(throttle, undefined, client.ip)
      try {
        const expected = await code()
        if (expected === null)
          throw new GatewayError('not_found', { message: 'There is an admin user already: sign in.' })
        if (!equalSecrets(given, expected)) throw new GatewayError('unauthorized', { message: WRONG_CODE })
        const actor = { name: 'setup', ...client }
        const user = await createFirstAdmin({ store, now }, actor, input)
        file.remove()
        const { secret } = await openSession(parts, user, 'password', client)
        attempt.succeed()
        return { user, secret }
      } catch (error) {
        const wasGuess = error instanceof GatewayError && error.code === 'unauthorized'
        if (!wasGuess) attempt.undo()
        else await recordDenied({ name: 'anonymous', ...client }, { action: 'admin.setup' }, 'wrong_code', {})
        throw error
      }
    },
  }
}

const WRONG_CODE =
  'This is not the set-up code: the link stands where the gateway was started, or run "llm-proxy admin setup-link".'
