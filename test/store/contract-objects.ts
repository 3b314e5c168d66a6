import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { aBatch, aKey, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'

/** Projects, provider keys and tokens. */
export function describeObjects(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const { project, token, audited, tokenIds } = given

  describe('projects', () => {
    it('gives a project back exactly as it was created', async () => {
      const created = await project()
      const bare = await project({ allowedModels: null, rateLimit: null, isActive: false, metadata: {} })
      expect(await store.projects.get(created.id)).toEqual(created)
      expect(await store.projects.get(bare.id)).toEqual(bare)
      expect(await store.projects.findByName(created.name)).toEqual(created)
    })

    it('gives null for a project that does not exist', async () => {
      expect(await store.projects.get('proj_none')).toBeNull()
      expect(await store.projects.findByName('none')).toBeNull()
      expect(await store.projects.update('proj_none', { name: 'x' }, NOON, aStamp('project.update'))).toBeNull()
      expect(await audited('project.update')).toEqual([])
    })

    it('creates a project together with its provider keys', async () => {
      const created = aProject()
      const keys = [aKey(created.id), aKey(created.id, { provider: 'anthropic', weight: 0.5 })]
      await store.projects.create(created, keys, aStamp())
      expect(await store.providerKeys.listByProject(created.id)).toEqual(keys)
    })

    it('refuses a name that is taken and writes nothing of the second project', async () => {
      await project({ name: 'search' })
      const second = aProject({ name: 'search' })
      await expectError(store.projects.create(second, [aKey(second.id)], aStamp('project.second')), 'conflict')
      expect(await store.projects.get(second.id)).toBeNull()
      expect(await store.providerKeys.count()).toBe(0)
      expect(await audited('project.second')).toEqual([])
    })

    it('refuses to rename a project to a name that is taken', async () => {
      await project({ name: 'one' })
      const two = await project({ name: 'two' })
      await expectError(store.projects.update(two.id, { name: 'one' }, NOON + 1, aStamp('project.update')), 'conflict')
      expect(await store.projects.get(two.id)).toEqual(two)
      expect(await audited('project.update')).toEqual([])
    })

    it('changes only the fields of a patch and clears those set to null', async () => {
      const created = await project()
      const patch = { isActive: false, allowedModels: null, metadata: { a: 1 } }
      const after = await store.projects.update(created.id, patch, NOON + 5, aStamp())
      expect(after).toEqual({ ...created, ...patch, updatedAt: NOON + 5 })
      expect(await store.projects.get(created.id)).toEqual(after)
    })

    it('deletes the tokens and provider keys of a deleted project and keeps its ledger rows and audit trail', async () => {
      const { id } = await project()
      const other = await project()
      const lost = await token(id)
      const kept = await token(other.id)
      await store.providerKeys.create(aKey(id), aStamp())
      const row = aRow({ projectId: id, tokenId: lost.id })
      await store.ledger.append(aBatch({ rows: [row] }))

      expect(await store.projects.delete(id, aStamp('project.delete', { projectId: id }))).toBe(true)
      expect(await store.projects.get(id)).toBeNull()
      expect(await store.tokens.get(lost.id)).toBeNull()
      expect(await store.providerKeys.count()).toBe(0)
      expect(await store.tokens.get(kept.id)).toEqual(kept)
      expect(await store.ledger.get(row.requestId)).toEqual(row)
      expect(await audited('project.delete')).toHaveLength(1)
    })

    it('says false for a project that is already gone, without an audit row', async () => {
      expect(await store.projects.delete('proj_none', aStamp('project.delete'))).toBe(false)
      expect(await audited('project.delete')).toEqual([])
    })
  })

  describe('provider keys', () => {
    it('lists the keys of one project, oldest first', async () => {
      const owner = await project()
      const other = await project()
      const keys = [aKey(owner.id, { createdAt: NOON + 2 }), aKey(owner.id), aKey(owner.id)]
      for (const key of [...keys, aKey(other.id)]) await store.providerKeys.create(key, aStamp())
      expect(await store.providerKeys.listByProject(owner.id)).toEqual([keys[1], keys[2], keys[0]])
      expect(await store.providerKeys.count()).toBe(4)
    })

    it('refuses a key for a project that does not exist', async () => {
      await expectError(store.providerKeys.create(aKey('proj_none'), aStamp('key.create')), 'not_found')
      expect(await audited('key.create')).toEqual([])
    })

    it('deletes a key only under its own project', async () => {
      const owner = await project()
      const key = aKey(owner.id)
      await store.providerKeys.create(key, aStamp())
      expect(await store.providerKeys.delete('proj_other', key.id, aStamp('key.delete'))).toBe(false)
      expect(await store.providerKeys.delete(owner.id, key.id, aStamp('key.delete'))).toBe(true)
      expect(await store.providerKeys.delete(owner.id, key.id, aStamp('key.delete'))).toBe(false)
      expect(await audited('key.delete')).toHaveLength(1)
    })

    it('reseals every key, or none at all when one cannot be opened', async () => {
      const owner = await project()
      for (const sealed of ['a', 'b', 'c']) await store.providerKeys.create(aKey(owner.id, { sealed }), aStamp())
      const sealed = async () => (await store.providerKeys.listByProject(owner.id)).map((key) => key.sealed)

      const failure = new Error('wrong key')
      const reseal = (old: string) => {
        if (old === 'c') throw failure
        return `${old}${old}`
      }
      await expect(store.providerKeys.resealAll(reseal, aStamp('key.reseal'))).rejects.toBe(failure)
      expect(await sealed()).toEqual(['a', 'b', 'c'])
      expect(await audited('key.reseal')).toEqual([])

      expect(await store.providerKeys.resealAll((old) => `${old}!`, aStamp('key.reseal'))).toBe(3)
      expect(await sealed()).toEqual(['a!', 'b!', 'c!'])
      expect(await audited('key.reseal')).toHaveLength(1)
    })
  })

  describe('tokens', () => {
    it('gives a token back exactly as it was created', async () => {
      const { id } = await project()
      const full = await token(id, {
        name: 'ci',
        expiresAt: NOON + 1,
        maxRequests: 5,
        rateLimit: { requestsPerMinute: null, tokensPerMinute: 9, concurrentRequests: null },
        allowedModels: ['gpt-*'],
        metadata: { a: 'ü' },
      })
      const bare = await token(id, { allowedEndpoints: null, allowedIps: null })
      expect(await store.tokens.get(full.id)).toEqual(full)
      expect(await store.tokens.get(bare.id)).toEqual(bare)
      expect(await store.tokens.get('tok_none')).toBeNull()
    })

    it('names those of many tokens that there are, and nothing else of them', async () => {
      const { id: projectId } = await project()
      const [one, other] = [await token(projectId, { name: 'one "quoted"' }), await token(projectId)]
      await token(projectId)
      const names = await store.tokens.names([one.id, 'tok_none', other.id, one.id, "'; --"])
      expect(names.toSorted((a, b) => (a.id === one.id ? -1 : b.id === one.id ? 1 : 0))).toEqual(
        [one, other].map(({ id, name, last4 }) => ({ id, projectId, name, last4 })),
      )
      expect(await store.tokens.names([])).toEqual([])
    })

    it('finds by hash all that a request needs, also when token or project are no longer active', async () => {
      const owner = aProject({ isActive: false })
      const keys = [aKey(owner.id), aKey(owner.id)]
      await store.projects.create(owner, keys, aStamp())
      const revoked = await token(owner.id, { isActive: false, revokedAt: NOON })
      expect(await store.tokens.findByHash(revoked.hash)).toEqual({ token: revoked, project: owner, keys })
      expect(await store.tokens.findByHash('unknown')).toBeNull()
    })

    it('refuses a token for a project that does not exist', async () => {
      await expectError(store.tokens.create(aToken('proj_none'), aStamp('token.create')), 'not_found')
      expect(await audited('token.create')).toEqual([])
    })

    it('refuses a second token with the same hash', async () => {
      const { id } = await project()
      await token(id, { hash: 'same' })
      await expectError(store.tokens.create(aToken(id, { hash: 'same' }), aStamp()), 'conflict')
    })

    it('lists as active only what a caller could use now', async () => {
      const owner = await project()
      const asleep = await project({ isActive: false })
      const good = await token(owner.id)
      const expiring = await token(owner.id, { expiresAt: NOON + 1 })
      await token(owner.id, { expiresAt: NOON })
      await token(owner.id, { revokedAt: NOON })
      await token(owner.id, { isActive: false })
      const sleeping = await token(asleep.id)

      expect(await tokenIds({ activeOnly: true })).toEqual([expiring.id, good.id])
      expect(await tokenIds({ activeOnly: true, projectId: asleep.id })).toEqual([])
      expect(await tokenIds({ projectId: asleep.id })).toEqual([sleeping.id])
      expect(await tokenIds({})).toHaveLength(6)
    })

    it('changes only the fields of a patch', async () => {
      const { id } = await project()
      const created = await token(id, { maxRequests: 5 })
      const patch = { name: 'renamed', maxRequests: null, allowedIps: null }
      const after = await store.tokens.update(created.id, patch, NOON + 5, aStamp())
      expect(after).toEqual({ ...created, ...patch, updatedAt: NOON + 5 })
      expect(await store.tokens.get(created.id)).toEqual(after)
      expect(await store.tokens.update('tok_none', patch, NOON, aStamp())).toBeNull()
    })

    it('keeps the time of the first revocation', async () => {
      const { id } = await project()
      const created = await token(id)
      const first = await store.tokens.revoke(created.id, NOON + 1, aStamp('token.revoke'))
      expect(first).toEqual({ ...created, revokedAt: NOON + 1, updatedAt: NOON + 1 })
      expect(await store.tokens.revoke(created.id, NOON + 2, aStamp('token.revoke'))).toEqual(first)
      expect(await store.tokens.revoke('tok_none', NOON, aStamp('token.revoke'))).toBeNull()
      expect(await audited('token.revoke')).toHaveLength(1)
    })

    it('revokes every token of one project at once', async () => {
      const owner = await project()
      const other = await project()
      const early = await token(owner.id, { revokedAt: NOON - 1 })
      await token(owner.id)
      await token(owner.id)
      const kept = await token(other.id)
      expect(await store.tokens.revokeByProject(owner.id, NOON + 1, aStamp('token.revoke'))).toBe(2)
      expect(await store.tokens.revokeByProject(owner.id, NOON + 2, aStamp('token.revoke'))).toBe(0)
      expect(await tokenIds({ activeOnly: true })).toEqual([kept.id])
      expect((await store.tokens.get(early.id))?.revokedAt).toBe(NOON - 1)
    })

    it('deletes a token once', async () => {
      const { id } = await project()
      const created = await token(id)
      expect(await store.tokens.delete(created.id, aStamp('token.delete'))).toBe(true)
      expect(await store.tokens.delete(created.id, aStamp('token.delete'))).toBe(false)
      expect(await audited('token.delete')).toHaveLength(1)
    })
  })
}
