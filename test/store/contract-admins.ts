import { beforeEach, describe, expect, it } from '@jest/globals'
import type { AdminSession, AdminUser, Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { anAdmin, aSession, aStamp, NOON } from './samples.ts'

const MINUTE_MS = 60_000
const SECRETS = { passwordHash: 'planted-password', totpSealed: 'planted-totp', recoveryHashes: ['planted-recovery'] }

export function describeAdmins(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const { audited } = given

  const user = async (fields: Partial<AdminUser> = {}) => {
    const created = anAdmin(fields)
    await store.adminUsers.create(created, aStamp('admin_user.create'))
    return created
  }
  const session = async (userId: string, fields: Partial<AdminSession> = {}) => {
    const created = aSession(userId, fields)
    await store.adminSessions.create(created, aStamp('admin.sign_in'))
    return created
  }
  const sessionIds = async (userId?: string) =>
    (await store.adminSessions.list({ userId }, { limit: 100 })).data.map(({ id }) => id)

  describe('admin users', () => {
    it('gives a user back exactly as it was created, by id, by name without regard to case, and by subject', async () => {
      const full = anAdmin({
        name: 'Ärzte@Example.com',
        role: 'viewer',
        projectId: 'proj_1',
        subject: 'https://idp.example.com 42',
        totpLastStep: 7,
        isActive: false,
        ...SECRETS,
      })
      await store.adminUsers.create(full, aStamp())
      expect(await store.adminUsers.get(full.id)).toEqual(full)
      expect(await store.adminUsers.findByName('äRZTE@example.COM')).toEqual(full)
      expect(await store.adminUsers.findBySubject('https://idp.example.com 42')).toEqual(full)
      expect(await store.adminUsers.get('usr_none')).toBeNull()
      expect(await store.adminUsers.findByName('nobody')).toBeNull()
      expect(await store.adminUsers.findBySubject('nobody')).toBeNull()
    })

    it('lists users page by page, newest first, and counts them', async () => {
      expect(await store.adminUsers.count()).toBe(0)
      const all = [await user(), await user(), await user()].reverse()
      expect(await store.adminUsers.count()).toBe(3)
      const first = await store.adminUsers.list({ limit: 2 })
      expect(first).toEqual({ data: all.slice(0, 2), hasMore: true })
      expect(await store.adminUsers.list({ limit: 2, after: all[1]!.id })).toEqual({ data: [all[2]], hasMore: false })
    })

    it('refuses a name that is taken in another case, and a subject that is taken', async () => {
      const [one, two] = [await user({ name: 'Ann', subject: 'a' }), await user()]
      await expectError(store.adminUsers.create(anAdmin({ name: 'aNN' }), aStamp('taken')), 'conflict')
      await expectError(store.adminUsers.create(anAdmin({ subject: 'a' }), aStamp('taken')), 'conflict')
      await expectError(store.adminUsers.update(two.id, { name: 'ANN' }, NOON, aStamp('taken')), 'conflict')
      expect(await store.adminUsers.get(two.id)).toEqual(two)
      expect(await audited('taken')).toEqual([])
      expect(await store.adminUsers.update(one.id, { name: 'ANN' }, NOON, aStamp())).toMatchObject({ name: 'ANN' })
    })

    it('lets exactly one be the first, however many try at once', async () => {
      const tries = Array.from({ length: 5 }, () => store.adminUsers.createFirst(anAdmin(), aStamp('admin.setup')))
      const other = await given.another()
      tries.push(other.adminUsers.createFirst(anAdmin(), aStamp('admin.setup')))
      expect((await Promise.all(tries)).filter((made) => made)).toHaveLength(1)
      expect(await store.adminUsers.count()).toBe(1)
      expect(await audited('admin.setup')).toHaveLength(1)
      await other.close()
    })

    it('changes only the fields of a patch', async () => {
      const created = await user()
      const patch = { name: 'renamed', ...SECRETS }
      const after = await store.adminUsers.update(created.id, patch, NOON + 5, aStamp())
      expect(after).toEqual({ ...created, ...patch, updatedAt: NOON + 5 })
      expect(await store.adminUsers.get(created.id)).toEqual(after)
      expect(await store.adminUsers.findByName('RENAMED')).toEqual(after)
      expect(await store.adminUsers.update('usr_none', patch, NOON, aStamp('none'))).toBeNull()
      expect(await store.adminUsers.delete('usr_none', aStamp('none'))).toBe(false)
      expect(await audited('none')).toEqual([])
    })

    it('keeps the last active owner, whoever takes the others away at the same time', async () => {
      const owners = [await user(), await user(), await user()]
      await user({ isActive: false })
      await user({ role: 'admin' })
      const other = await given.another()
      const [one, two, three] = owners.map(({ id }) => id) as [string, string, string]
      const results = await Promise.allSettled([
        store.adminUsers.update(one, { role: 'viewer' }, NOON, aStamp('owner.gone')),
        other.adminUsers.update(two, { isActive: false }, NOON, aStamp('owner.gone')),
        store.adminUsers.delete(three, aStamp('owner.gone')),
      ])
      const refused = results.filter(({ status }) => status === 'rejected')
      expect(refused).toMatchObject([{ reason: { name: 'StoreError', kind: 'conflict' } }])
      expect(await audited('owner.gone')).toHaveLength(2)
      const { data } = await store.adminUsers.list({ limit: 100 })
      const left = data.filter(({ role, isActive }) => role === 'owner' && isActive)
      expect(left).toHaveLength(1)
      for (const patch of [{ role: 'admin' as const }, { isActive: false }])
        await expectError(store.adminUsers.update(left[0]!.id, patch, NOON, aStamp()), 'conflict', /last active owner/)
      await expectError(store.adminUsers.delete(left[0]!.id, aStamp()), 'conflict', /last active owner/)
      expect(await store.adminUsers.get(left[0]!.id)).toEqual(left[0])
      // What is no right of an owner may change, and he may go once there is another.
      await store.adminUsers.update(left[0]!.id, { name: 'last' }, NOON, aStamp())
      await user()
      expect(await store.adminUsers.delete(left[0]!.id, aStamp())).toBe(true)
      await other.close()
    })

    it('leaves a viewer of one project with that project, though it was deleted: never with all', async () => {
      const project = await given.project()
      const viewer = await user({ role: 'viewer', projectId: project.id })
      await store.projects.delete(project.id, aStamp())
      expect(await store.adminUsers.get(viewer.id)).toEqual(viewer)
    })

    it('uses each time step of a second factor once, and none before it', async () => {
      const { id } = await user()
      const other = await given.another()
      const tries = [store, other, store].map(({ adminUsers }) => adminUsers.useTotpStep(id, 100))
      expect((await Promise.all(tries)).filter((used) => used)).toHaveLength(1)
      expect(await store.adminUsers.useTotpStep(id, 99)).toBe(false)
      expect(await store.adminUsers.useTotpStep(id, 101)).toBe(true)
      expect(await store.adminUsers.useTotpStep('usr_none', 1)).toBe(false)
      await other.close()
    })

    it('uses each recovery code once', async () => {
      const { id } = await user({ recoveryHashes: ['a', 'b', 'c'] })
      const other = await given.another()
      const use = ({ adminUsers }: Store, hash: string) =>
        adminUsers.useRecoveryHash(id, hash, NOON + 1, aStamp('admin.recovery'))
      const tries = [use(store, 'b'), use(other, 'b'), use(store, 'b')]
      expect((await Promise.all(tries)).filter((used) => used)).toHaveLength(1)
      expect(await use(store, 'x')).toBe(false)
      expect(await store.adminUsers.get(id)).toMatchObject({ recoveryHashes: ['a', 'c'], updatedAt: NOON + 1 })
      expect(await audited('admin.recovery')).toMatchObject([
        { before: { recoveryCodes: 3 }, after: { recoveryCodes: 2 } },
      ])
      await other.close()
    })

    it('writes no secret of a user or a session into the audit log, but that there is one', async () => {
      const { id } = await user(SECRETS)
      await user()
      const made = await session(id, { tokenHash: 'planted-token' })
      await store.adminUsers.update(
        id,
        { ...SECRETS, passwordHash: 'planted-other' },
        NOON,
        aStamp('admin_user.update'),
      )
      await session(id, { tokenHash: 'planted-token-2' })
      await store.adminUsers.useRecoveryHash(id, 'planted-recovery', NOON, aStamp())
      await store.adminSessions.delete(made.id, aStamp())
      await store.adminUsers.delete(id, aStamp())
      const rows = (await store.audit.list({}, { limit: 100 })).data
      expect(rows.length).toBeGreaterThan(5)
      expect(JSON.stringify(rows)).not.toContain('planted')
      expect(await audited('admin_user.update')).toMatchObject([
        { after: { hasPassword: true, secondFactor: true, recoveryCodes: 1, passwordChanged: true, sessionsEnded: 1 } },
      ])
    })

    it('reseals the second factors together with the provider keys', async () => {
      const { id } = await user({ totpSealed: 'sealed' })
      await user()
      expect(await store.providerKeys.resealAll((old) => `${old}!`, aStamp('reseal'))).toBe(1)
      expect(await store.adminUsers.get(id)).toMatchObject({ totpSealed: 'sealed!' })
      expect(await audited('reseal')).toHaveLength(1)
    })
  })

  describe('sessions of admin users', () => {
    it('finds a session with its user by hash, and notes the sign-in', async () => {
      const somebody = await user()
      const made = await session(somebody.id, { createdAt: NOON + 5 })
      const seen = { ...somebody, lastSignInAt: NOON + 5 }
      expect(await store.adminSessions.findByHash(made.tokenHash)).toEqual({ session: made, user: seen })
      expect(await store.adminSessions.findByHash('unknown')).toBeNull()
      expect(await audited('admin.sign_in')).toHaveLength(1)
    })

    it('opens none for a user who is gone, not active, or has another password by now', async () => {
      const somebody = await user()
      const asleep = await user({ isActive: false })
      const open = (userId: string, passwordHash?: string) =>
        store.adminSessions.create(
          aSession(userId),
          aStamp('refused'),
          passwordHash === undefined ? undefined : { passwordHash },
        )
      for (const id of ['usr_none', asleep.id]) await expectError(open(id), 'not_found')
      await expectError(open(somebody.id, 'the one before'), 'not_found')
      expect(await sessionIds()).toEqual([])
      expect(await audited('refused')).toEqual([])
      await open(somebody.id, somebody.passwordHash!)
      expect(await sessionIds()).toHaveLength(1)
    })

    it('notes when a session was seen, and puts its end forward', async () => {
      const { id } = await user()
      const made = await session(id)
      await store.adminSessions.touch(made.id, NOON + 1)
      const { session: seen } = (await store.adminSessions.findByHash(made.tokenHash))!
      expect(seen).toEqual({ ...made, lastSeenAt: NOON + 1 })
      await store.adminSessions.touch(made.id, NOON + 2, NOON + 3)
      expect(await store.adminSessions.findByHash(made.tokenHash)).toMatchObject({
        session: { lastSeenAt: NOON + 2, expiresAt: NOON + 3 },
      })
    })

    it('lists sessions page by page, newest first, also of one user', async () => {
      const [one, two] = [await user(), await user()]
      const made = [await session(one.id), await session(two.id), await session(one.id)].map(({ id }) => id).reverse()
      expect(await sessionIds()).toEqual(made)
      expect(await sessionIds(one.id)).toEqual([made[0], made[2]])
      const page = await store.adminSessions.list({}, { limit: 1, after: made[0]! })
      expect([page.data.map(({ id }) => id), page.hasMore]).toEqual([[made[1]], true])
    })

    it('ends one, or all of a user but one', async () => {
      const [one, two] = [await user(), await user()]
      const all = [await session(one.id), await session(one.id), await session(one.id)]
      const foreign = await session(two.id)
      expect(await store.adminSessions.delete(all[0]!.id, aStamp('ended'))).toBe(true)
      expect(await store.adminSessions.delete(all[0]!.id, aStamp('ended'))).toBe(false)
      expect(await store.adminSessions.deleteByUser(one.id, all[1]!.id, aStamp('ended'))).toBe(1)
      expect(await store.adminSessions.deleteByUser(one.id, all[1]!.id, aStamp('ended'))).toBe(0)
      expect((await sessionIds()).sort()).toEqual([all[1]!.id, foreign.id].sort())
      expect(await store.adminSessions.deleteByUser(one.id, null, aStamp('ended'))).toBe(1)
      expect(await sessionIds()).toEqual([foreign.id])
      expect(await audited('ended')).toHaveLength(3)
    })

    it.each<[string, Partial<AdminUser>, boolean]>([
      ['his password', { passwordHash: 'new' }, true],
      ['his role', { role: 'viewer' }, true],
      ['his project', { role: 'viewer', projectId: 'proj_1' }, true],
      ['being made inactive', { isActive: false }, true],
      ['his name', { name: 'another' }, false],
      ['his second factor', { totpSealed: 'x', recoveryHashes: ['y'] }, false],
    ])(
      "ends a user's sessions, but the one at work, with a change of %s: only if it matters",
      async (_what, patch, ends) => {
        await user()
        const { id } = await user()
        const [kept, other] = [await session(id), await session(id)]
        await store.adminUsers.update(id, patch, NOON, aStamp(), kept.id)
        expect((await sessionIds()).sort()).toEqual((ends ? [kept.id] : [kept.id, other.id]).sort())
        await store.adminUsers.update(id, { passwordHash: 'and again' }, NOON, aStamp())
        expect(await sessionIds()).toEqual([])
      },
    )

    it("ends a deleted user's sessions", async () => {
      const [one, two] = [await user(), await user()]
      await session(one.id)
      const foreign = await session(two.id)
      await store.adminUsers.delete(one.id, aStamp())
      expect(await sessionIds()).toEqual([foreign.id])
    })

    it('clears away what has expired, and what was not seen for long', async () => {
      const { id } = await user()
      await session(id, { expiresAt: NOON })
      await session(id, { lastSeenAt: NOON - MINUTE_MS })
      const kept = await session(id, { expiresAt: NOON + 1, lastSeenAt: NOON - MINUTE_MS + 1 })
      expect(await store.adminSessions.deleteExpired(NOON, NOON - MINUTE_MS)).toBe(2)
      expect(await sessionIds()).toEqual([kept.id])
    })
  })
}
