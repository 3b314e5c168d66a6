import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { AuditEntry, Project, Store, StoreError, Token, TokenFilter } from '../../src/store/store.ts'
import { describeAdmins } from './contract-admins.ts'
import { describeBodies } from './contract-bodies.ts'
import { describeObjects } from './contract-objects.ts'
import { describePins } from './contract-pins.ts'
import { describeReading } from './contract-reading.ts'
import { describeRecords } from './contract-records.ts'
import { describeRoutes } from './contract-routes.ts'
import { describeUsage } from './contract-usage.ts'
import { aBatch, aProject, aRow, aStamp, aToken, NOON } from './samples.ts'

export type StoreUnderTest = {
  store: Store
  /** Opens the same database again, as another process would. */
  another(): Promise<Store>
  /** Closes the store and takes its database away. */
  remove(): Promise<void>
}

/** What every storage engine promises. `open` gives an empty database. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`a store on ${name}`, () => {
    const given = prepare(open)
    describeObjects(given)
    describeRoutes(given)
    describeReading(given)
    describeRecords(given)
    describeUsage(given)
    describeBodies(given)
    describePins(given)
    describeAdmins(given)
    describeClosing(given)
  })
}

/** The store of the running test, and short ways to put things into it and to look at it. */
export type Given = ReturnType<typeof prepare>

function prepare(open: () => Promise<StoreUnderTest>) {
  let under: StoreUnderTest
  beforeEach(async () => {
    under = await open()
  })
  afterEach(() => under.remove())

  return {
    get store() {
      return under.store
    },
    another: () => under.another(),

    async project(fields?: Partial<Project>): Promise<Project> {
      const created = aProject(fields)
      await under.store.projects.create(created, [], aStamp('project.create'))
      return created
    },

    async token(projectId: string, fields?: Partial<Token>): Promise<Token> {
      const created = aToken(projectId, fields)
      await under.store.tokens.create(created, aStamp('token.create'))
      return created
    },

    async audited(action: string): Promise<AuditEntry[]> {
      return (await under.store.audit.list({ action }, { limit: 100 })).data
    },

    async tokenIds(filter: Omit<TokenFilter, 'now'>): Promise<string[]> {
      const { data } = await under.store.tokens.list({ now: NOON, ...filter }, { limit: 100 })
      return data.map(({ id }) => id)
    },
  }
}

function describeClosing(given: Given): void {
  it('still has everything after it was closed and opened again', async () => {
    const created = await given.project()
    const row = aRow()
    await given.store.ledger.append(aBatch({ rows: [row] }))
    const revision = given.store.revision()
    await given.store.close()
    const again = await given.another()
    expect(await again.projects.get(created.id)).toEqual(created)
    expect(await again.ledger.get(row.requestId)).toEqual(row)
    expect(again.revision()).toBe(revision)
    await again.close()
  })

  it('fails cleanly once it is closed', async () => {
    await given.store.close()
    await expectError(given.store.projects.list({ limit: 1 }), 'unavailable')
    await expectError(given.store.status(), 'unavailable')
    await given.store.close()
  })
}

/** The promise fails with a `StoreError` of that kind. */
export async function expectError(promise: Promise<unknown>, kind: StoreError['kind'], message = /./): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'StoreError', kind, message: expect.stringMatching(message) })
}
