import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { aBatch, aKey, aProject, aRow, aStamp, NOON } from './samples.ts'

/** The ledger and the audit log. */
export function describeRecords(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const { project, token, audited } = given

  describe('ledger', () => {
    it('gives a row back exactly as it was written, with money beyond 53 bits', async () => {
      const full = aRow({ costNanoUsd: 9_007_199_254_740_993n })
      const empty = aRow({
        tokenId: null,
        projectId: null,
        model: null,
        provider: null,
        servedModel: null,
        attempts: [],
        status: 401,
        stream: false,
        firstTokenMs: null,
        costNanoUsd: null,
        error: 'invalid_api_key',
        changes: [],
      })
      await store.ledger.append(aBatch({ rows: [full, empty] }))
      expect(await store.ledger.get(full.requestId)).toEqual(full)
      expect(await store.ledger.get(empty.requestId)).toEqual(empty)
      expect(await store.ledger.get('req_none')).toBeNull()
    })

    it('counts takes only up to max_requests, in their order', async () => {
      const { id } = await project()
      const limited = await token(id, { maxRequests: 3, requestCount: 1 })
      const free = await token(id)
      const takes = [limited.id, free.id, limited.id, limited.id, 'tok_none']
      expect(await store.ledger.append(aBatch({ takes, at: NOON + 7 }))).toEqual([true, true, true, false, false])
      expect(await store.tokens.get(limited.id)).toMatchObject({ requestCount: 3, lastUsedAt: NOON + 7 })
      expect(await store.tokens.get(free.id)).toMatchObject({ requestCount: 1, lastUsedAt: NOON + 7 })
    })

    it('never takes more than max_requests through two processes together', async () => {
      const { id } = await project()
      const limited = await token(id, { maxRequests: 5 })
      const other = await given.another()
      const taken: boolean[] = []
      for (let i = 0; i < 4; i++) {
        const batch = aBatch({ takes: [limited.id] })
        taken.push(...(await store.ledger.append(batch)), ...(await other.ledger.append(batch)))
      }
      expect(taken.filter(Boolean)).toHaveLength(5)
      expect((await store.tokens.get(limited.id))?.requestCount).toBe(5)
      await other.close()
    })

    it('takes nothing for a token that is revoked or switched off', async () => {
      const { id } = await project()
      const revoked = await token(id, { revokedAt: NOON })
      const off = await token(id, { isActive: false })
      expect(await store.ledger.append(aBatch({ takes: [revoked.id, off.id] }))).toEqual([false, false])
      expect(await store.tokens.get(revoked.id)).toEqual(revoked)
    })

    it('adds counts and the time of last use, and skips tokens that are gone', async () => {
      const { id } = await project()
      const used = await token(id, { requestCount: 4 })
      const counts = new Map([
        [used.id, 3],
        ['tok_gone', 1],
      ])
      expect(await store.ledger.append(aBatch({ counts, at: NOON + 9 }))).toEqual([])
      expect(await store.tokens.get(used.id)).toEqual({ ...used, requestCount: 7, lastUsedAt: NOON + 9 })
    })

    it('writes nothing of a batch when one row of it is refused', async () => {
      const { id } = await project()
      const limited = await token(id, { maxRequests: 5 })
      const fresh = aRow()
      const broken = aRow({ method: null as never })
      const batch = aBatch({ rows: [fresh, broken], takes: [limited.id], counts: new Map([[limited.id, 1]]) })
      await expectError((async () => store.ledger.append(batch))(), 'invalid')
      expect(await store.ledger.get(fresh.requestId)).toBeNull()
      expect(await store.tokens.get(limited.id)).toEqual(limited)
      await store.ledger.append(aBatch({ rows: [fresh] }))
      expect(await store.ledger.get(fresh.requestId)).toEqual(fresh)
    })

    it('finds requests by project, token, model, status and time, newest first', async () => {
      const rows = [
        aRow({ at: NOON, tokenId: 'tok_a', projectId: 'proj_a', model: 'm1', status: 200 }),
        aRow({ at: NOON + 1, tokenId: 'tok_b', projectId: 'proj_a', model: 'm2', status: 500 }),
        aRow({ at: NOON + 2, tokenId: 'tok_c', projectId: 'proj_c', model: 'm1', status: 200 }),
      ]
      await store.ledger.append(aBatch({ rows }))
      const found = async (filter: Parameters<Store['ledger']['list']>[0]) =>
        (await store.ledger.list(filter, { limit: 10 })).data.map((row) =>
          rows.findIndex((r) => r.requestId === row.requestId),
        )
      expect(await found({})).toEqual([2, 1, 0])
      expect(await found({ projectId: 'proj_a' })).toEqual([1, 0])
      expect(await found({ tokenId: 'tok_b' })).toEqual([1])
      expect(await found({ model: 'm1' })).toEqual([2, 0])
      expect(await found({ status: 500 })).toEqual([1])
      expect(await found({ from: NOON + 1, to: NOON + 2 })).toEqual([1])
      expect(await found({ failed: true })).toEqual([1])
      expect(await found({ projectId: 'proj_a', model: 'm1', from: NOON })).toEqual([0])
    })
  })

  describe('audit', () => {
    it('tells what a project was before and after', async () => {
      const before = await project()
      const stamp = aStamp('project.update', { targetId: before.id, projectId: before.id })
      const after = await store.projects.update(before.id, { name: 'renamed' }, NOON + 1, stamp)
      expect(await audited('project.update')).toEqual([{ ...stamp, before, after }])
    })

    it('never holds the hash of a token or a sealed provider key', async () => {
      const owner = aProject()
      await store.projects.create(owner, [aKey(owner.id, { sealed: 'planted' })], aStamp())
      const key = aKey(owner.id, { sealed: 'planted' })
      await store.providerKeys.create(key, aStamp())
      await store.providerKeys.delete(owner.id, key.id, aStamp())
      const one = await token(owner.id, { hash: 'planted' })
      await store.tokens.update(one.id, { name: 'x' }, NOON, aStamp())
      await store.tokens.revoke(one.id, NOON, aStamp())
      await store.tokens.delete(one.id, aStamp())
      await store.projects.delete(owner.id, aStamp())
      await store.audit.append({ ...aStamp(), before: { hash: 'planted' }, after: { sealed: 'planted' } })

      const { data } = await store.audit.list({}, { limit: 100 })
      expect(data).toHaveLength(9)
      expect(JSON.stringify(data)).not.toContain('planted')
      expect(JSON.stringify(data)).toContain('"last4":"wxyz"')
    })

    it('finds entries by every filter, newest first', async () => {
      const denied = {
        ...aStamp('manage.access', { at: NOON + 1, outcome: 'denied', reason: 'unauthorized' }),
        before: null,
        after: null,
      }
      const cli = {
        ...aStamp('token.create', { actor: 'cli', targetId: 'tok_1', projectId: 'proj_1' }),
        before: null,
        after: { a: 1 },
      }
      await store.audit.append(denied)
      await store.audit.append(cli)
      const list = async (filter: Parameters<Store['audit']['list']>[0]) =>
        (await store.audit.list(filter, { limit: 10 })).data
      expect(await list({})).toEqual([denied, cli])
      expect(await list({ action: 'token.create' })).toEqual([cli])
      expect(await list({ actor: 'cli' })).toEqual([cli])
      expect(await list({ targetId: 'tok_1' })).toEqual([cli])
      expect(await list({ projectId: 'proj_1' })).toEqual([cli])
      expect(await list({ outcome: 'denied' })).toEqual([denied])
      expect(await list({ from: NOON + 1 })).toEqual([denied])
      expect(await list({ to: NOON + 1 })).toEqual([cli])
      expect(await list({ actor: 'cli', outcome: 'denied' })).toEqual([])
    })
  })
}
