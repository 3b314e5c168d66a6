import { z } from 'zod'
import type { Parts } from '../domain/parts.ts'
import { presentProviderKey } from '../domain/present.ts'
import { addProviderKey, deleteProviderKey, replaceProviderKey, updateProviderKey } from '../domain/provider-keys.ts'
import { providerKeyInput, replaceProviderKeyInput, updateProviderKeyInput } from '../domain/schemas.ts'
import { type Route, route } from './route.ts'
import { isoTime } from './shapes.ts'

export const providerKeyShape = z
  .object({
    id: z.string(),
    project_id: z.string(),
    provider: z.string(),
    last4: z.string().describe('Its last four characters; empty for a key so short that they would tell too much.'),
    weight: z.number(),
    created_at: isoTime,
  })
  .meta({ id: 'ProviderKey' })

export function providerKeyRoutes(parts: Parts): Route[] {
  return [
    route({
      method: 'post',
      path: '/projects/{id}/provider-keys',
      name: 'addProviderKey',
      tag: 'Provider keys',
      summary: 'Add a provider key to a project',
      description: 'The key is sealed and never shown again.',
      action: 'provider_key.create',
      body: providerKeyInput(parts.providerNames),
      status: 201,
      answer: providerKeyShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed'],
      handle: async ({ params, body, actor }) =>
        presentProviderKey(await addProviderKey(parts, actor, params.id, body)),
    }),
    route({
      method: 'patch',
      path: '/projects/{id}/provider-keys/{key_id}',
      name: 'updateProviderKey',
      tag: 'Provider keys',
      summary: 'Change the weight of a provider key',
      action: 'provider_key.update',
      body: updateProviderKeyInput(),
      status: 200,
      answer: providerKeyShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed'],
      handle: async ({ params, body, actor }) =>
        presentProviderKey(await updateProviderKey(parts, actor, params.id, params.key_id, body)),
    }),
    route({
      method: 'post',
      path: '/projects/{id}/provider-keys/{key_id}/replace',
      name: 'replaceProviderKey',
      tag: 'Provider keys',
      summary: 'Put a new provider key in the place of an old one',
      description: 'In one step, so that no request finds neither. The new one has an id of its own.',
      action: 'provider_key.replace',
      body: replaceProviderKeyInput(),
      status: 200,
      answer: providerKeyShape,
      errors: ['invalid_json', 'request_too_large', 'not_found', 'validation_failed'],
      handle: async ({ params, body, actor }) =>
        presentProviderKey(await replaceProviderKey(parts, actor, params.id, params.key_id, body)),
    }),
    route({
      method: 'delete',
      path: '/projects/{id}/provider-keys/{key_id}',
      name: 'deleteProviderKey',
      tag: 'Provider keys',
      summary: 'Delete a provider key',
      description: 'Deleting what is gone already is no error.',
      action: 'provider_key.delete',
      status: 204,
      errors: [],
      async handle({ params, actor }) {
        await deleteProviderKey(parts, actor, params.id, params.key_id)
      },
    }),
  ]
}
