import { z } from 'zod'
import { requireProject } from '../domain/find.ts'
import type { Parts } from '../domain/parts.ts'
import { presentProject } from '../domain/present.ts'
import { createProject, deleteProject, updateProject } from '../domain/projects.ts'
import { createProjectInput, updateProjectInput } from '../domain/schemas.ts'
import type { Project } from '../store/store.ts'
import { providerKeyShape } from './provider-keys.ts'
import { type Route, route } from './route.ts'
import { budgets, isoTime, listOf, metadata, pageQuery, rateLimit } from './shapes.ts'
import { toList } from './to-list.ts'

const projectShape = z
  .object({
    id: z.string(),
    name: z.string(),
    is_active: z.boolean(),
    allowed_models: z.array(z.string()).nullable(),
    rate_limit: rateLimit.nullable(),
    budgets: budgets.nullable(),
    metadata,
    provider_keys: z.array(providerKeyShape),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: 'Project' })

export function projectRoutes(parts: Parts): Route[] {
  const { store } = parts
  const withKeys = async (project: Project) =>
    presentProject(project, await store.providerKeys.listByProject(project.id))

  return [
    route({
      method: 'get',
      path: '/projects',
      name: 'listProjects',
      tag: 'Projects',
      summary: 'All projects, newest first',
      query: z.strictObject(pageQuery),
      status: 200,
      answer: listOf(projectShape),
      errors: ['validation_failed'],
      async handle({ query }) {
        const { data, hasMore } = await store.projects.list(query)
        return toList({ data: await Promise.all(data.map(withKeys)), hasMore }, (project) => project)
      },
    }),
    route({
      method: 'post',
      path: '/projects',
      name: 'createProject',
      tag: 'Projects',
      summary: 'Create a project, with its provider keys',
      action: 'project.create',
      body: createProjectInput(parts.providerNames),
      status: 201,
      answer: projectShape,
      errors: ['invalid_json', 'request_too_large', 'validation_failed', 'conflict'],
      async handle({ body, actor }) {
        const { project, keys } = await createProject(parts, actor, body)
        return presentProject(project, keys)
      },
    }),
    route({
      method: 'get',
      path: '/projects/{id}',
      name: 'getProject',
      tag: 'Projects',
      summary: 'A project',
      status: 200,
      answer: projectShape,
      errors: ['not_found'],
      handle: async ({ params }) => withKeys(await requireProject(store, params.id)),
    }),
    route({
      method: 'patch',
      path: '/projects/{id}',
      name: 'updateProject',
      tag: 'Projects',
      summary: 'Change a project',
      description: 'What is left out stays, null clears. In force with the next request.',
      action: 'project.update',
      body: updateProjectInput(),
      status: 200,
      answer: projectShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed', 'conflict'],
      handle: async ({ params, body, actor }) => withKeys(await updateProject(parts, actor, params.id, body)),
    }),
    route({
      method: 'delete',
      path: '/projects/{id}',
      name: 'deleteProject',
      tag: 'Projects',
      summary: 'Delete a project with its tokens and provider keys',
      description: 'Its requests stay in the ledger. Deleting what is gone already is no error.',
      action: 'project.delete',
      status: 204,
      errors: [],
      async handle({ params, actor }) {
        await deleteProject(parts, actor, params.id)
      },
    }),
  ]
}
