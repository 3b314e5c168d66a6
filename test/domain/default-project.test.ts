import { expect, it } from '@jest/globals'
import { DEFAULT_PROJECT, ensureDefaultProject } from '../../src/domain/default-project.ts'
import type { Store } from '../../src/store/store.ts'
import { given, NOON } from './given.ts'

it('the project default is made once, and said so in the audit log', async () => {
  const { store, audited } = await given()
  const made = await ensureDefaultProject(store, () => NOON)
  expect(made).toMatchObject({
    name: DEFAULT_PROJECT,
    isActive: true,
    allowedModels: null,
    rateLimit: null,
    createdAt: NOON,
  })
  expect(await ensureDefaultProject(store, () => NOON + 1)).toEqual(made)
  expect(await store.projects.get(made.id)).toEqual(made)
  expect(await audited('project.create')).toMatchObject([
    { targetId: made.id, projectId: made.id, actor: 'system', outcome: 'success' },
  ])
})

it('several starts at once end in one project', async () => {
  const { store } = await given()
  const made = await Promise.all(Array.from({ length: 8 }, () => ensureDefaultProject(store, () => NOON)))
  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
  expect((await store.projects.list({ limit: 10 })).data).toHaveLength(1)
})

it('that another process made it just now is no failure', async () => {
  const { store } = await given()
  const theirs = await ensureDefaultProject(store, () => NOON)
  let looks = 0
  const projects = {
    ...boundTo(store),
    findByName: async (name: string) => (looks++ === 0 ? null : store.projects.findByName(name)),
  }
  expect(
    await ensureDefaultProject({ ...store, projects, audit: store.audit } as unknown as Store, () => NOON),
  ).toEqual(theirs)
})

it('a database that cannot be written is told of', async () => {
  const { store } = await given()
  const projects = {
    ...boundTo(store),
    create: async (): Promise<void> => {
      throw new Error('disk is full')
    },
  }
  await expect(
    ensureDefaultProject({ ...store, projects, audit: store.audit } as unknown as Store, () => NOON),
  ).rejects.toThrow()
})

const boundTo = ({ projects }: Store) => ({
  create: projects.create.bind(projects),
  findByName: projects.findByName.bind(projects),
})
