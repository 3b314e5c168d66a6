import type { Caller } from '../domain/token-index.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { Model } from '../providers/model-listing.ts'
import type { Route } from '../routing/types.ts'
import { isModelAllowed } from './authenticate.ts'
import { type Choice, hasKey, locate } from './locate.ts'
import { spellingsOf } from './plan.ts'

/** A model by a name that requests may say. */
export type ModelEntry = { id: string; provider: ConfiguredProvider; card: Model }

export type ProviderModels = { provider: ConfiguredProvider; models: readonly Model[] }

/**
 * All that this caller may ask for: every name as it stands, where a request for it goes to this provider, then every name with its
 * provider before it. In the order of the lists; no name twice.
 */
export function mergeModels(choice: Choice, caller: Caller, lists: readonly ProviderModels[]): ModelEntry[] {
  return [
    ...lists.flatMap((list) => bareEntries(choice, caller, list)),
    ...lists.flatMap((list) => prefixedEntries(choice, caller, list)),
  ]
}

/** The routes that clients ask for by a name, under the first provider that this caller has a key for. Patterns are no names. */
export const routeEntries = ({ providers }: Choice, caller: Caller, routes: readonly Route[]): ModelEntry[] =>
  routes.flatMap(({ pattern: id, targets }) => {
    if (id.includes('*') || !isModelAllowed(caller, [id])) return []
    const provider = targets
      .map((target) => providers.get(target.provider))
      .find((one) => one !== null && one !== undefined && hasKey(caller, one))
    return provider ? [{ id, provider, card: { id, owned_by: 'llm-proxy' } }] : []
  })

/** Each model of a provider as `provider:model`. */
export const prefixedEntries = (choice: Choice, caller: Caller, { provider, models }: ProviderModels): ModelEntry[] =>
  distinct(models).flatMap((card) => {
    const id = `${provider.name}:${card.id}`
    return mayAskFor(choice, caller, provider, id, card.id) ? [{ id, provider, card }] : []
  })

const bareEntries = (choice: Choice, caller: Caller, { provider, models }: ProviderModels): ModelEntry[] =>
  distinct(models).flatMap((card) => {
    const place = locate(choice, caller, card.id)
    const isMeant = place?.provider.name === provider.name && place.name === card.id
    return isMeant && mayAskFor(choice, caller, provider, card.id, card.id) ? [{ id: card.id, provider, card }] : []
  })

const distinct = (models: readonly Model[]) => [...new Map(models.map((model) => [model.id, model])).values()]

const mayAskFor = ({ providers }: Choice, caller: Caller, provider: ConfiguredProvider, asked: string, name: string) =>
  isModelAllowed(caller, spellingsOf(providers, asked, provider, name))
