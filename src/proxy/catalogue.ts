import type { ConfiguredProvider } from '../providers/index.ts'
import type { Prices } from '../usage/prices/prices.ts'
import type { ModelLists } from './model-lists.ts'

/** Who has which model, as far as is known at this moment. Nothing in it waits. */
export type Catalogue = {
  /** Whether the provider's own list has the model, for who asks with this key. Null: the list is not known (yet). */
  lists(provider: ConfiguredProvider, key: string, model: string): boolean | null
  /** Whether the list of prices has the model for the provider. Null: it has no list for this provider. */
  prices(provider: ConfiguredProvider, model: string): boolean | null
}

export const createCatalogue = (lists: Pick<ModelLists, 'names'>, prices: Pick<Prices, 'isListed'>): Catalogue => ({
  lists: (provider, key, model) => lists.names(provider, key)?.has(model) ?? null,
  prices: ({ name }, model) => prices.isListed(name, model),
})
