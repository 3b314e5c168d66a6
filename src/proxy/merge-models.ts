import type { Caller } from '../domain/token-index.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { Model } from '../providers/model-listing.ts'
import { isModelAllowed } from './authenticate.ts'
import { type Choice, locate } from './locate.ts'
import { spellingsOf } from './plan.ts'

/** A model by a name that requests may say. */
export type ModelEntry = { id: string; provider: ConfiguredProvider; card: Model }

export type ProviderModels = { provider: ConfiguredProvider; models: readonly Model[] }

/**
 * All that this caller may ask for: every name as it stands, where a request for it goes to this provider, then every name with its
 * provider before it. In the order of the lists; no name twice.
 */
export function mergeModels(choice: Choice, caller: Caller, lists: readonly ProviderModels[]): ModelEntry[] {
  const bare: ModelEntry[] = []
  const prefixed: ModelEntry[] = []
  const seen = new Set<string>()
  for (const { provider, models } of lists) {
    const mayAskFor = (asked: string, name: string) =>
      isModelAllowed(caller, spellingsOf(choice.providers, asked, provider, name))
    for (const card of models) {
      const id = `${provider.name}:${card.id}`
      if (seen.has(id)) continue
      seen.add(id)
      if (mayAskFor(id, card.id)) prefixed.push({ id, provider, card })
      const place = locate(choice, caller, card.id)
      const isMeant = place?.provider.name === provider.name && place.name === card.id
      if (isMeant && mayAskFor(card.id, card.id)) bare.push({ id: card.id, provider, card })
    }
  }
  return [...bare, ...prefixed]
}
