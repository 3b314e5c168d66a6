import { afterAll, expect } from '@jest/globals'
import type { Actor } from '../../src/domain/audit.ts'
import type { Parts } from '../../src/domain/parts.ts'
import { createProject } from '../../src/domain/projects.ts'
import { createSealer } from '../../src/domain/secrets.ts'
import { createToken } from '../../src/domain/tokens.ts'
import { openStore } from '../../src/store/open.ts'
import type { AuditEntry, Project, Store, Token } from '../../src/store/store.ts'
import { folder } from '../store/temporary.ts'

/** 2026-11-21T12:00:00Z */
export const NOON = Date.UTC(2026, 10, 21, 12)
export const MINUTE_MS = 60_000

export const actor: Actor = { name: 'cli', ip: '10.0.0.9', userAgent: 'jest' }

const stores: Store[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
})

/** The rules on an empty database, at noon; `at` turns the clock. */
export async function given() {
  const store = await openStore({ dataDir: folder() })
  stores.push(store)
  let now = NOON
  const sealer = createSealer(Buffer.alloc(32, 1))
  const parts: Parts = {
    store,
    sealer,
    providerNames: ['openai', 'anthropic'],
    defaultProvider: 'openai',
    now: () => now,
  }
  return {
    store,
    sealer,
    parts,
    at(time: number) {
      now = time
    },
    project: async (fields: object = {}): Promise<Project> =>
      (await createProject(parts, actor, { name: `p${Math.random()}`, ...fields })).project,
    async token(fields: object = {}): Promise<Token> {
      const { project } = await createProject(parts, actor, { name: `p${Math.random()}` })
      return (await createToken(parts, actor, { project_id: project.id, ...fields })).token
    },
    /** The audit rows of an action, oldest first. */
    audited: async (action: string): Promise<AuditEntry[]> =>
      (await store.audit.list({ action }, { limit: 200 })).data.reverse(),
  }
}

/** Fails unless the promise is refused with these reasons, by field. */
export async function expectInvalid(promise: Promise<unknown>, reasons: Record<string, string>): Promise<void> {
  await expect(promise).rejects.toMatchObject({
    code: 'validation_failed',
    status: 422,
    details: { fields: Object.entries(reasons).map(([field, reason]) => ({ field, reason })) },
  })
}
