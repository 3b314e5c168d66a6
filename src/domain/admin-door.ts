import type { AdminConfig } from '../config/config.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Store } from '../store/store.ts'
import type { SessionLimits } from './admin-sessions.ts'
import { createDenials, type RecordDenied } from './denials.ts'
import type { Sealer } from './secrets.ts'
import { createSetup, type Setup, type SetupCodeFile } from './setup.ts'
import { createSignIn, type SignIn } from './sign-in.ts'
import { createThrottle, type Throttle } from './throttle.ts'

/** The ways into the admin console, and what they share. */
export type AdminDoor = {
  signIn: SignIn
  setup: Setup
  sessionLimits: SessionLimits
  throttle: Throttle
  /** For who is not let in: so many rows of the audit log a minute. */
  recordDenied: RecordDenied
  close(): Promise<void>
}

type Parts = {
  config: AdminConfig
  store: Store
  sealer: Sealer
  metrics: Pick<Metrics, 'auditSuppressed'>
  log: Pick<Logger, 'error'>
  now(): number
  file: SetupCodeFile
  /** Between two looks at what has expired. */
  everyMs?: number
}

const SWEEP_MS = 5 * 60_000

export function createAdminDoor({ config, file, sealer, everyMs = SWEEP_MS, ...parts }: Parts): AdminDoor {
  const { store, log, now } = parts
  const { idleMs, totalMs, passwordSignIn } = config
  const sessionLimits = { idleMs, totalMs }
  const throttle = createThrottle({ now })
  const recordDenied = createDenials(parts)
  const shared = { store, now, sessionLimits, throttle, recordDenied, passwordSignIn }

  const sweep = async () => {
    await store.adminSessions
      .deleteExpired(now(), now() - idleMs)
      .catch((cause) => log.error('sessions that have expired could not be deleted; tried again later', { cause }))
  }
  let sweeping = sweep()
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep)
  }, everyMs).unref()

  return {
    signIn: createSignIn({ ...shared, sealer }),
    setup: createSetup({ ...shared, file }),
    sessionLimits,
    throttle,
    recordDenied,
    async close() {
      clearInterval(timer)
      await sweeping
    },
  }
}
