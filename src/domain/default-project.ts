import type { Project, Store } from '../store/store.ts'
import { audited, SYSTEM } from './audit.ts'
import { newProject } from './projects.ts'

export const DEFAULT_PROJECT = 'default'

/** The project `default`, made when it is not there: tokens for a first try and static keys belong to it. */
export async function ensureDefaultProject(store: Store, now: () => number): Promise<Project> {
  const found = await store.projects.findByName(DEFAULT_PROJECT)
  if (found) return found
  try {
    return await audited({ store, now }, SYSTEM, { action: 'project.create' }, async (stamp) => {
      const project = newProject({ name: DEFAULT_PROJECT }, stamp.at)
      await store.projects.create(project, [], { ...stamp, targetId: project.id, projectId: project.id })
      return project
    })
  } catch (error) {
    // Another process may have made it just now.
    const theirs = await store.projects.findByName(DEFAULT_PROJECT)
    if (theirs) return theirs
    throw error
  }
}
