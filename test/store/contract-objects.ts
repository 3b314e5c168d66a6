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

    it('lists and counts the keys for one provider over all projects, no more than are asked for', async () => {
      const [one, two] = [await project(), await project()]
      const keys = [aKey(one.id), aKey(two.id), aKey(one.id)]
      for (const key of [...keys, aKey(two.id, { provider: 'mistral' })]) await store.providerKeys.create(key, aStamp())
      const { provider } = keys[0]!
      expect(await store.providerKeys.listByProvider(provider, 10)).toEqual(keys)
      expect(await store.providerKeys.listByProvider(provider, 2)).toEqual(keys.slice(0, 2))
      expect(await store.providerKeys.listByProvider('groq', 10)).toEqual([])
      expect(Object.fromEntries(await store.providerKeys.countByProvider())).toEqual({ [provider]: 3, mistral: 1 })
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

    it('changes the weight of a key only under its own project', async () => {
      const owner = await project()
      const key = aKey(owner.id)
      await store.providerKeys.create(key, aStamp())
      expect(await store.providerKeys.update('proj_other', key.id, { weight: 3 }, aStamp('key.update'))).toBeNull()
      expect(await store.providerKeys.update(owner.id, key.id, { weight: 3 }, aStamp('key.update'))).toEqual({
        ...key,
        weight: 3,
      })
      expect(await store.providerKeys.listByProject(owner.id)).toEqual([{ ...key, weight: 3 }])
      const [entry, ...more] = await audited('key.update')
      expect(more).toEqual([])
      expect(JSON.stringify(entry)).not.toContain(key.sealed)
    })

    it('puts a key in the place of another in one step, or does nothing', async () => {
      const owner = await project()
      const other = await project()
      const old = aKey(owner.id)
      const next = aKey(owner.id, { sealed: 'sealed-next' })
      await store.providerKeys.create(old, aStamp())
      expect(await store.providerKeys.replace(old.id, aKey(other.id), aStamp('key.replace'))).toBe(false)
      expect(await store.providerKeys.listByProject(other.id)).toEqual([])
      expect(await store.providerKeys.replace(old.id, next, aStamp('key.replace'))).toBe(true)
      expect(await store.providerKeys.replace(old.id, aKey(owner.id), aStamp('key.replace'))).toBe(false)
      expect(await store.providerKeys.listByProject(owner.id)).toEqual([next])
      const trail = await audited('key.replace')
      expect(trail).toHaveLength(1)
      expect(JSON.stringify(trail)).not.toContain('sealed-next')
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

      expect(await tokenIds({ state: 'active' })).toEqual([expiring.id, good.id])
      expect(await tokenIds({ state: 'active', projectId: asleep.id })).toEqual([])
      expect(await tokenIds({ projectId: asleep.id })).toEqual([sleeping.id])
      expect(await tokenIds({})).toHaveLength(6)
    })

    it('has every token in exactly one state', async () => {
      const owner = await project()
      const asleep = await project({ isActive: false })
      const active = [await token(owner.id), await token(owner.id, { expiresAt: NOON + 1 })]
      const expired = [await token(owner.id, { expiresAt: NOON })]
      const off = [
        await token(owner.id, { isActive: false, expiresAt: NOON }),
        await token(asleep.id),
        await token(asleep.id, { expiresAt: NOON }),
      ]
      const revoked = [
        await token(owner.id, { revokedAt: NOON }),
        await token(asleep.id, { revokedAt: NOON, isActive: false, expiresAt: NOON }),
      ]
      const newestFirst = (tokens: { id: string }[]) => tokens.map(({ id }) => id).reverse()
      expect(await tokenIds({ state: 'active' })).toEqual(newestFirst(active))
      expect(await tokenIds({ state: 'expired' })).toEqual(newestFirst(expired))
      expect(await tokenIds({ state: 'off' })).toEqual(newestFirst(off))
      expect(await tokenIds({ state: 'revoked' })).toEqual(newestFirst(revoked))
      expect(await tokenIds({})).toHaveLength(8)
    })

    it('finds tokens by name, id and last four characters, in any case, and takes no text for a pattern', async () => {
      const { id } = await project()
      const billing = await token(id, { name: 'Billing bot', last4: 'aB1_' })
      const percent = await token(id, { name: '100% off_\\', last4: 'zzzz' })
      const nameless = await token(id, { name: null, last4: 'aB12' })
      expect(await tokenIds({ search: 'BILLING' })).toEqual([billing.id])
      expect(await tokenIds({ search: '%' })).toEqual([percent.id])
      expect(await tokenIds({ search: 'off_\\' })).toEqual([percent.id])
      expect(await tokenIds({ search: 'ab12' })).toEqual([nameless.id])
      expect(await tokenIds({ search: 'ab1_' })).toEqual([billing.id])
      expect(await tokenIds({ search: nameless.id.slice(4) })).toEqual([nameless.id])
      expect(await tokenIds({ search: "' or 1=1 --" })).toEqual([])
      expect(await tokenIds({ search: 'b', projectId: 'proj_none' })).toEqual([])
    })

    it('finds those that end before a moment, those with a budget, and those that are named', async () => {
      const { id } = await project()
      const endless = await token(id)
      const soon = await token(id, { expiresAt: NOON + 5 })
      const late = await token(id, { expiresAt: NOON + 10 })
      const budget = { period: 'day' as const, limitNanoUsd: 1, limitTokens: null, resetAt: null }
      const bounded = await token(id, { budgets: [budget] })
      expect(await tokenIds({ expiresBefore: NOON + 10 })).toEqual([soon.id])
      expect(await tokenIds({ hasBudgets: true })).toEqual([bounded.id])
      expect(await tokenIds({ hasBudgets: false })).toEqual([late.id, soon.id, endless.id])
      expect(await tokenIds({ ids: [endless.id, late.id, 'tok_none'] })).toEqual([late.id, endless.id])
      expect(await tokenIds({ ids: [] })).toEqual([])
    })

    it('counts the tokens of each project', async () => {
      const one = await project()
      const two = await project()
      const empty = await project()
      for (const { id } of [one, one, two]) await token(id)
      expect(await store.tokens.countByProject()).toEqual(
        new Map([
          [one.id, 2],
          [two.id, 1],
        ]),
      )
      expect(await store.tokens.countByProject(one.id)).toEqual(new Map([[one.id, 2]]))
      expect(await store.tokens.countByProject(empty.id)).toEqual(new Map())
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
      expect(await tokenIds({ state: 'active' })).toEqual([kept.id])
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
