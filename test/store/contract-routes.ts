import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Store } from '../../src/store/store.ts'
import { expectError, type Given } from './contract.ts'
import { aRoute, aStamp, NOON } from './samples.ts'

export function describeRoutes(given: Given): void {
  let store: Store
  beforeEach(() => {
    store = given.store
  })
  const { audited } = given
  const bare = { timeouts: null, maxRetries: null, recovery: null, routesAroundRefusals: false }

  describe('routes', () => {
    it('gives routes back exactly as they were created, oldest first', async () => {
      const all = [aRoute({ pattern: 'z*' }), aRoute({ pattern: 'a', ...bare }), aRoute()]
      for (const route of all) await store.routes.create(route, aStamp('route.create'))
      expect(await store.routes.list()).toEqual(all)
      for (const route of all) expect(await store.routes.get(route.id)).toEqual(route)
      const rows = await audited('route.create')
      expect(rows.map(({ before, after }) => [before, after])).toEqual(all.toReversed().map((route) => [null, route]))
    })

    it('gives null for a route that does not exist, and writes no audit row', async () => {
      expect(await store.routes.list()).toEqual([])
      expect(await store.routes.get('rte_none')).toBeNull()
      expect(await store.routes.update('rte_none', { pattern: 'x' }, NOON, aStamp('route.none'))).toBeNull()
      expect(await store.routes.delete('rte_none', aStamp('route.none'))).toBe(false)
      expect(await audited('route.none')).toEqual([])
    })

    it('changes only the fields of a patch', async () => {
      const route = aRoute()
      await store.routes.create(route, aStamp())
      const patch = { strategy: 'fallback', targets: [route.targets[1]!], ...bare }
      const after = await store.routes.update(route.id, patch, NOON + 5, aStamp('route.update'))
      expect(after).toEqual({ ...route, ...patch, updatedAt: NOON + 5 })
      expect(await store.routes.get(route.id)).toEqual(after)
      expect(await audited('route.update')).toMatchObject([{ before: route, after }])
    })

    it('refuses a pattern that is taken, and then nothing has changed', async () => {
      const [one, two] = [aRoute({ pattern: 'gpt-*' }), aRoute()]
      for (const route of [one, two]) await store.routes.create(route, aStamp())
      await expectError(store.routes.create(aRoute({ pattern: 'gpt-*' }), aStamp('route.taken')), 'conflict')
      await expectError(store.routes.update(two.id, { pattern: 'gpt-*' }, NOON, aStamp('route.taken')), 'conflict')
      expect(await store.routes.list()).toEqual([one, two])
      expect(await audited('route.taken')).toEqual([])
    })

    it('deletes a route', async () => {
      const [gone, kept] = [aRoute(), aRoute()]
      for (const route of [gone, kept]) await store.routes.create(route, aStamp())
      expect(await store.routes.delete(gone.id, aStamp('route.delete'))).toBe(true)
      expect(await store.routes.list()).toEqual([kept])
      expect(await audited('route.delete')).toMatchObject([{ before: gone, after: null }])
    })

    it('shows a change to other processes', async () => {
      const other = await given.another()
      const [before, route] = [other.revision(), aRoute()]
      await store.routes.create(route, aStamp())
      expect(other.revision()).not.toBe(before)
      expect(await other.routes.list()).toEqual([route])
      await other.close()
    })
  })
}
