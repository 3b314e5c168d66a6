import { newId } from '../ids.ts'
import type { Project, Store } from '../store/store.ts'

export const DEFAULT_PROJECT = 'default'

/** The project `default`, made when it is not there: tokens for a first try and static keys belong to it. */
export async function ensureDefaultProject(store: Store, now: number): Promise<Project> {
  const found = await store.projects.findByName(DEFAULT_PROJECT)
  if (found) return found
  const project: Project = {
    id: newId('proj'),
    name: DEFAULT_PROJECT,
    isActive: true,
    allowedModels: null,
    rateLimit: null,
    metadata: {},
    createdAt: now,
    updatedAt: now,
  }
  const stamp = {
    id: newId('aud'),
    at: now,
    actor: 'system',
    ip: null,
    userAgent: null,
    action: 'project.create',
    targetId: project.id,
    projectId: project.id,
    outcome: 'success' as const,
    reason: null,
  }
  try {
    await store.projects.create(project, [], stamp)
    return project
  } catch (error) {
    // Another process may have made it just now.
    const theirs = await store.projects.findByName(DEFAULT_PROJECT)
    if (theirs) return theirs
    throw error
  }
}
