import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Page, PageOf, Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { aBatch, aKey, aProject, aRoute, aRow, aStamp, aToken, NOON } from './samples.ts'

/** Pages, and the revision that tells a reader whether to read again. */
export function describeReading(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const { project, token } = given

  describe('pages', () => {
    it('lists the newest first, with the same millisecond in the reverse order of creation', async () => {
      const ids: string[] = []
      for (const createdAt of [NOON + 1, NOON, NOON, NOON]) ids.push((await project({ createdAt })).id)
      const [newest, first, second, third] = ids
      const { data, hasMore } = await store.projects.list({ limit: 10 })
      expect(data.map(({ id }) => id)).toEqual([newest, third, second, first])
      expect(hasMore).toBe(false)
    })

    it('loses and doubles nothing between pages, however many share a millisecond', async () => {
      const owner = await project()
      const created = new Set<string>()
      for (let i = 0; i < 23; i++) {
        created.add((await token(owner.id, { createdAt: NOON + Math.floor(i / 9) })).id)
      }
      const rows = Array.from({ length: 23 }, (_, i) => aRow({ at: NOON - (i % 3) }))
      await store.ledger.append(aBatch({ rows }))

      const tokens = await allPages((page) => store.tokens.list({ now: NOON }, page))
      expect(tokens).toHaveLength(23)
      expect(new Set(tokens.map(({ id }) => id))).toEqual(created)
      const requests = await allPages((page) => store.ledger.list({}, page))
      expect(requests).toHaveLength(23)
      expect(new Set(requests.map(({ requestId }) => requestId)).size).toBe(23)
    })

    it('continues where the last page ended although newer ones were created meanwhile', async () => {
      const old = [await project(), await project({ createdAt: NOON + 1 }), await project({ createdAt: NOON + 2 })]
      const first = await store.projects.list({ limit: 2 })
      await project({ createdAt: NOON + 3 })
      const second = await store.projects.list({ limit: 2, after: first.data[1]?.id })
      expect(first.hasMore).toBe(true)
      expect(second).toEqual({ data: [old[0]], hasMore: false })
    })

    it('gives an empty page after an unknown id', async () => {
      await project()
      await store.ledger.append(aBatch({ rows: [aRow()] }))
      const empty = { data: [], hasMore: false }
      const page = { limit: 5, after: 'nothing' }
      expect(await store.projects.list(page)).toEqual(empty)
      expect(await store.tokens.list({ now: NOON }, page)).toEqual(empty)
      expect(await store.ledger.list({}, page)).toEqual(empty)
      expect(await store.audit.list({}, page)).toEqual(empty)
    })
  })

  describe('revision', () => {
    it('changes with every change of a project, a provider key, a token or a route', async () => {
      const owner = aProject()
      const key = aKey(owner.id)
      const one = aToken(owner.id)
      const route = aRoute()
      await expectRevisions(store, [
        () => store.projects.create(owner, [], aStamp()),
        () => store.projects.update(owner.id, { isActive: false }, NOON, aStamp()),
        () => store.providerKeys.create(key, aStamp()),
        () => store.providerKeys.resealAll((sealed) => `${sealed}!`, aStamp()),
        () => store.providerKeys.delete(owner.id, key.id, aStamp()),
        () => store.tokens.create(one, aStamp()),
        () => store.tokens.update(one.id, { maxRequests: 3 }, NOON, aStamp()),
        () => store.tokens.revoke(one.id, NOON, aStamp()),
        () => store.tokens.delete(one.id, aStamp()),
        () => store.tokens.create(aToken(owner.id), aStamp()),
        () => store.tokens.revokeByProject(owner.id, NOON, aStamp()),
        () => store.projects.delete(owner.id, aStamp()),
        () => store.routes.create(route, aStamp()),
        () => store.routes.update(route.id, { maxRetries: 1 }, NOON, aStamp()),
        () => store.routes.delete(route.id, aStamp()),
      ])
    })

    it('stays the same for ledger rows, request counts and audit rows', async () => {
      const { id } = await project()
      const limited = await token(id, { maxRequests: 5 })
      const before = store.revision()
      const counts = new Map([[limited.id, 2]])
      await store.ledger.append(aBatch({ rows: [aRow()], takes: [limited.id], counts }))
      await store.audit.append({ ...aStamp(), before: null, after: null })
      expect(store.revision()).toBe(before)
    })

    it('stays the same when a change fails', async () => {
      const taken = await project()
      const before = store.revision()
      await expectError(store.projects.create(aProject({ name: taken.name }), [], aStamp()), 'conflict')
      expect(store.revision()).toBe(before)
    })

    it('changes at once when another process revokes a token', async () => {
      const { id } = await project()
      const shared = await token(id)
      const before = store.revision()
      const other = await given.another()
      await other.tokens.revoke(shared.id, NOON, aStamp())
      const after = store.revision()
      expect(after).not.toBe(before)
      expect((await store.tokens.get(shared.id))?.revokedAt).toBe(NOON)
      expect(other.revision()).toBe(after)
      await other.close()
    })
  })
}

async function expectRevisions(store: Store, steps: (() => Promise<unknown>)[]): Promise<void> {
  const seen = [store.revision()]
  for (const step of steps) {
    await step()
    seen.push(store.revision())
  }
  expect(new Set(seen).size).toBe(seen.length)
}

async function allPages<T>(list: (page: Page) => Promise<PageOf<T>>): Promise<T[]> {
  const rows: T[] = []
  for (let page: Page = { limit: 4 }; ; ) {
    const { data, hasMore } = await list(page)
    rows.push(...data)
    const last = data.at(-1) as { id?: string; requestId?: string } | undefined
    if (!hasMore || !last) return rows
    page = { limit: 4, after: last.id ?? last.requestId }
  }
}
