import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createReads, MAX_PROJECTS, type Reads } from '../../src/admin/frame/reads.ts'
import { readNames } from '../../src/admin/names.ts'
import { listBudgets } from '../../src/domain/budget-states.ts'
import type { Page, Project } from '../../src/store/store.ts'

/** How often others had their turn while this went on. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  const others = (async () => {
    while (!isOver) {
      await setImmediate()
      turns++
    }
  })()
  await work()
  isOver = true
  await others
  return turns
}

/** So many rows, answered at once as the database does. */
const listOf = (many: number) => ({
  async list({ limit, after }: Page) {
    const from = after === undefined ? 0 : Number(after) + 1
    const to = Math.min(many, from + limit)
    const data = Array.from({ length: to - from }, (_, i) => ({ id: String(from + i), budgets: [] }))
    return { data: data as unknown as Project[], hasMore: to < many }
  },
})

describe('requests of clients go in between while a page reads', () => {
  it('thousands of projects', async () => {
    const store = { projects: listOf(MAX_PROJECTS) }
    const reads = createReads({ store, budgets: {}, now: Date.now } as never, null)
    let found: Project[] = []
    const turns = await turnsDuring(async () => {
      found = await reads.projects()
    })
    expect(found).toHaveLength(MAX_PROJECTS)
    expect(turns).toBeGreaterThan(8)
  })

  it('where thousands of budgets stand', async () => {
    const store = { projects: listOf(1000), tokens: { list: (_: unknown, page: Page) => listOf(1000).list(page) } }
    const budgets = { statesOfAll: async (entries: unknown[]) => entries }
    let found: unknown[] = []
    const turns = await turnsDuring(async () => {
      found = await listBudgets({ store, budgets, now: Date.now } as never, {})
    })
    expect(found).toHaveLength(2000)
    expect(turns).toBeGreaterThan(7)
  })

  it('the names of thousands of tokens and projects', async () => {
    const reads = {
      tokens: async ({ ids }: { ids: string[] }) => ({ data: ids.map((id) => ({ id })), hasMore: false }),
      project: async (id: string) => ({ id }),
    } as unknown as Reads
    const rows = Array.from({ length: 2000 }, (_, i) => ({ tokenId: `tok_${i}`, projectId: `proj_${i}` }))
    let names: Awaited<ReturnType<typeof readNames>> | undefined
    const turns = await turnsDuring(async () => {
      names = await readNames(reads, rows)
    })
    expect([names?.tokens.size, names?.projects.size]).toEqual([2000, 2000])
    expect(turns).toBeGreaterThan(40)
  })
})
