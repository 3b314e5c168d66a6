import { GatewayError } from '../errors.ts'
import { newId } from '../ids.ts'
import {
  type Budget,
  type Metadata,
  type Project,
  type ProjectPatch,
  type ProviderKey,
  type RateLimit,
  StoreError,
} from '../store/store.ts'
import { type Actor, audited, recordNoChange } from './audit.ts'
import { requireProject } from './find.ts'
import type { Parts } from './parts.ts'
import { sealKey } from './provider-keys.ts'
import { createProjectInput, mergeRateLimit, updateProjectInput } from './schemas.ts'
import { parseInput } from './validate.ts'

/** Creates a project with its provider keys from the wire's fields. Throws `validation_failed`, `conflict` (the name is taken). */
export async function createProject(
  parts: Parts,
  actor: Actor,
  input: unknown,
): Promise<{ project: Project; keys: ProviderKey[] }> {
  return audited(parts, actor, { action: 'project.create' }, async (stamp) => {
    const { apiKey, providerKeys, ...fields } = parseInput(createProjectInput(parts.providerNames), input)
    const project = newProject(fields, stamp.at)
    const given = apiKey ? [{ provider: parts.defaultProvider, key: apiKey }] : (providerKeys ?? [])
    const keys = given.map((key) => sealKey(parts.sealer, project.id, key, stamp.at))
    await parts.store.projects
      .create(project, keys, { ...stamp, targetId: project.id, projectId: project.id })
      .catch(explainTakenName)
    return { project, keys }
  })
}

type ProjectFields = { name: string } & Partial<{
  isActive: boolean
  allowedModels: string[] | null
  rateLimit: Partial<RateLimit> | null
  budgets: Budget[] | null
  metadata: Metadata | null
}>

/** A project that is not stored yet. */
export const newProject = (fields: ProjectFields, at: number): Project => ({
  id: newId('proj'),
  name: fields.name,
  isActive: fields.isActive ?? true,
  allowedModels: fields.allowedModels ?? null,
  rateLimit: mergeRateLimit(null, fields.rateLimit ?? null),
  budgets: fields.budgets ?? null,
  metadata: fields.metadata ?? {},
  createdAt: at,
  updatedAt: at,
})

/** Changes the given fields. Throws `not_found`, `validation_failed`, `conflict`. */
export async function updateProject(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  id: string,
  input: unknown,
): Promise<Project> {
  return audited({ store, now }, actor, { action: 'project.update', targetId: id, projectId: id }, async (stamp) => {
    const before = await requireProject(store, id)
    const { rateLimit, metadata, ...patch } = parseInput(updateProjectInput(), input)
    const changes: ProjectPatch = {
      ...patch,
      ...(rateLimit !== undefined && { rateLimit: mergeRateLimit(before.rateLimit, rateLimit) }),
      ...(metadata !== undefined && { metadata: metadata ?? {} }),
    }
    const after = await store.projects.update(id, changes, stamp.at, stamp).catch(explainTakenName)
    return after ?? requireProject(store, id)
  })
}

/** Deletes the project with its tokens and provider keys; the ledger keeps its rows. False when it was gone already. */
export async function deleteProject(
  { store, now }: Pick<Parts, 'store' | 'now'>,
  actor: Actor,
  id: string,
): Promise<boolean> {
  return audited({ store, now }, actor, { action: 'project.delete', targetId: id, projectId: id }, async (stamp) => {
    const deleted = await store.projects.delete(id, stamp)
    if (!deleted) await recordNoChange({ store, now }, stamp)
    return deleted
  })
}

function explainTakenName(error: unknown): never {
  if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error
  throw new GatewayError('conflict', {
    message: 'There is already a project with this name.',
    param: 'name',
    details: { fields: [{ field: 'name', reason: 'is taken by another project' }] },
    cause: error,
  })
}
