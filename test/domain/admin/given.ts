import { join } from 'node:path'
import { afterEach } from '@jest/globals'
import { setupCodeFile } from '../../../src/config/secrets.ts'
import { createAdminDoor } from '../../../src/domain/admin-door.ts'
import { createAdminUser } from '../../../src/domain/admin-users.ts'
import { DUMMY_HASH } from '../../../src/domain/passwords.ts'
import { createSignIn, type SignInInput } from '../../../src/domain/sign-in.ts'
import type { AdminUser } from '../../../src/store/store.ts'
import { folder } from '../../store/temporary.ts'
import { actor, given as givenParts, NOON } from '../given.ts'

export const PASSWORD = 'a fine long password'
export const client = { ip: '203.0.113.7', userAgent: 'jest' }

const doors: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close()
})

type Settings = { idleMs?: number; totalMs?: number; passwordSignIn?: boolean }

/** The rules of the console on an empty database, at noon. Verifying is recorded; `slow` makes it as real as it can be. */
export async function givenDoor(settings: Settings = {}) {
  const base = await givenParts()
  const { store, parts, sealer } = base
  let time = NOON
  const now = () => time
  const dataDir = folder()
  let suppressed = 0
  const door = createAdminDoor({
    config: {
      enabled: true,
      idleMs: 2 * 3_600_000,
      totalMs: 24 * 3_600_000,
      publicUrl: null,
      passwordSignIn: true,
      oidc: null,
      ...settings,
    },
    store,
    sealer,
    now,
    file: setupCodeFile(dataDir),
    metrics: { auditSuppressed: () => void suppressed++ },
    log: {
      error: (message, fields) => {
        throw new Error(`${message} ${JSON.stringify(fields)}`)
      },
    },
  })
  doors.push(door)
  /** What was verified: by the hash. Only the password of a test's own users is right. */
  const verified: string[] = []
  const verify = async (hash: string, password: string) => {
    verified.push(hash)
    return hash !== DUMMY_HASH && password === PASSWORD
  }
  const all = { ...parts, now, sealer, passwordSignIn: true, ...door, ...settings, verify }
  const signIn = createSignIn(all)
  const clock = {
    /** Milliseconds later. */
    pass(ms: number) {
      time += ms
    },
    at(at: number) {
      time = at
    },
    now,
  }
  return {
    ...base,
    door,
    parts: all,
    clock,
    dataDir,
    codeFile: join(dataDir, 'admin-setup-code'),
    verified,
    suppressed: () => suppressed,
    signIn: (input: Partial<SignInInput> = {}, from: typeof client = client) =>
      signIn({ name: 'ann@example.com', password: PASSWORD, ...input }, from),
    /** The first is an owner. */
    user: (fields: object = {}): Promise<AdminUser> =>
      createAdminUser({ store, now }, actor, { name: 'ann@example.com', role: 'owner', password: PASSWORD, ...fields }),
  }
}
