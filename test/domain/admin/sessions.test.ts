import { describe, expect, it } from '@jest/globals'
import { setupCodeFile } from '../../../src/config/secrets.ts'
import { createAdminDoor } from '../../../src/domain/admin-door.ts'
import {
  closeSession,
  findSession,
  openSession,
  revokeOtherSessions,
  revokeSession,
} from '../../../src/domain/admin-sessions.ts'
import { updateAdminUser } from '../../../src/domain/admin-users.ts'
import { adminActor } from '../../../src/domain/audit.ts'
import { hashToken } from '../../../src/domain/secrets.ts'
import { aStamp } from '../../store/samples.ts'
import { actor, NOON } from '../given.ts'
import { client, givenDoor } from './given.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

async function given(settings: Parameters<typeof givenDoor>[0] = {}) {
  const all = await givenDoor(settings)
  const user = await all.user()
  const open = async () => (await openSession(all.parts, user, 'password', client)).secret
  const secret = await open()
  return {
    ...all,
    user,
    secret,
    open,
    find: (one = secret) => findSession(all.parts, one),
    sessions: async () => (await all.store.adminSessions.list({}, { limit: 100 })).data,
  }
}

describe('a session', () => {
  it('is found by its secret, of which the store has the hash alone', async () => {
    const { find, user, secret, sessions } = await given()
    const found = await find()
    expect(found?.user.id).toBe(user.id)
    expect(found?.session).toMatchObject({
      method: 'password',
      expiresAt: NOON + DAY_MS,
      ip: client.ip,
      userAgent: 'jest',
    })
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(JSON.stringify(await sessions())).not.toContain(secret)
    expect((await sessions())[0]!.tokenHash).toBe(hashToken(secret))
    for (const wrong of ['', 'x', `${secret}x`, secret.slice(1), (await sessions())[0]!.tokenHash])
      expect(await find(wrong)).toBeNull()
  })

  it('ends two hours after it was last seen', async () => {
    const { find, clock } = await given()
    for (let i = 0; i < 5; i++) {
      clock.pass(2 * HOUR_MS - 1)
      expect(await find()).not.toBeNull()
    }
    clock.pass(2 * HOUR_MS)
    expect(await find()).toBeNull()
  })

  it('ends a day after it began, however busy', async () => {
    const { find, clock } = await given()
    for (let i = 0; i < 23; i++) {
      clock.pass(HOUR_MS)
      expect(await find()).not.toBeNull()
    }
    clock.pass(HOUR_MS)
    expect(await find()).toBeNull()
  })

  it('ends sooner when the gateway was started again with less time', async () => {
    const { parts, secret, clock } = await given()
    clock.pass(HOUR_MS)
    expect(await findSession({ ...parts, sessionLimits: { idleMs: DAY_MS, totalMs: HOUR_MS } }, secret)).toBeNull()
  })

  it('writes down that it was seen once a minute, and often enough for a short idle time', async () => {
    const { find, clock, sessions } = await given()
    const seenAt = async () => (await sessions())[0]!.lastSeenAt - NOON
    clock.pass(MINUTE_MS - 1)
    await find()
    expect(await seenAt()).toBe(0)
    clock.pass(1)
    await find()
    expect(await seenAt()).toBe(MINUTE_MS)
    const short = await given({ idleMs: MINUTE_MS })
    for (let i = 0; i < 10; i++) {
      short.clock.pass(40_000)
      expect(await short.find()).not.toBeNull()
    }
  })

  it('is not lost by a clock that is put back, and lasts no longer for it than a new one', async () => {
    const { find, clock } = await given()
    clock.at(NOON - 365 * DAY_MS)
    expect((await find())?.session).toMatchObject({ expiresAt: NOON - 364 * DAY_MS })
    for (let i = 0; i < 23; i++) {
      clock.pass(HOUR_MS)
      expect(await find()).not.toBeNull()
    }
    clock.pass(HOUR_MS)
    expect(await find()).toBeNull()
  })

  it('ends when its user is made inactive', async () => {
    const { find, user, parts } = await given()
    await parts.store.adminUsers.create({ ...user, id: 'usr_2', name: 'second' }, aStamp())
    await updateAdminUser(parts, actor, user.id, { is_active: false })
    expect(await find()).toBeNull()
  })

  it('is closed by signing out, which the audit log tells', async () => {
    const { find, parts, user, audited } = await given()
    const { session } = (await find())!
    expect(await closeSession(parts, adminActor(user, client), session)).toBe(true)
    expect(await find()).toBeNull()
    expect(await closeSession(parts, adminActor(user, client), session)).toBe(false)
    expect(await audited('admin.sign_out')).toMatchObject([
      { actor: 'admin:ann@example.com', targetId: user.id },
      { actor: 'admin:ann@example.com' },
    ])
  })

  it('can be revoked, and all others of a user at once', async () => {
    const { find, parts, user, open, sessions, audited } = await given()
    const [second, third] = [await open(), await open()]
    const { session } = (await find(second))!
    expect(await revokeSession(parts, actor, session.id)).toBe(true)
    expect(await revokeSession(parts, actor, session.id)).toBe(false)
    const kept = (await find(third))!.session.id
    expect(await revokeOtherSessions(parts, actor, user.id, kept)).toBe(1)
    expect(await revokeOtherSessions(parts, actor, user.id, kept)).toBe(0)
    expect((await sessions()).map(({ id }) => id)).toEqual([kept])
    expect(await find()).toBeNull()
    expect((await audited('admin_session.revoke')).map(({ targetId }) => targetId)).toEqual([session.id, session.id])
    expect(await audited('admin_session.revoke_others')).toHaveLength(2)
  })

  it('is cleared out of the database some time after its end', async () => {
    const { clock, store, sessions, dataDir, parts } = await given()
    clock.pass(2 * HOUR_MS)
    const door = createAdminDoor({
      config: { enabled: true, publicUrl: null, passwordSignIn: true, oidc: null, ...parts.sessionLimits },
      store,
      sealer: parts.sealer,
      now: clock.now,
      metrics: { auditSuppressed() {} },
      log: { error() {} },
      file: setupCodeFile(dataDir),
    })
    await door.close()
    expect(await sessions()).toEqual([])
  })
})
