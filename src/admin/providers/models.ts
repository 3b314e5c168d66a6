import type { AppContext } from '../../context.ts'
import type { ConfiguredProvider } from '../../providers/index.ts'
import { presentPrice } from '../../usage/prices/present.ts'

/** Prices are US dollars for a million tokens; null: none is known. */
export type ModelRow = { id: string; input: string | null; output: string | null; source: string | null }
export type ModelTable = {
  rows: ModelRow[]
  /** How many fit the search. */
  found: number
  /** How many there are; null: the list is not known. */
  total: number | null
  search: string
}

export const MAX_MODELS = 200

/**
 * The provider's own list as it was known last for this key, with prices. One that is old is asked for behind the scenes, where the key
 * is the operator's: nobody's key is used because somebody looks.
 */
export function readModels(
  { modelLists, prices }: Pick<AppContext, 'modelLists' | 'prices'>,
  provider: ConfiguredProvider,
  key: string | null,
  { search, now, most = MAX_MODELS }: { search: string; now: number; most?: number },
): ModelTable {
  if (key === null) return { rows: [], found: 0, total: null, search }
  if (key === provider.sharedKey) modelLists.names(provider, key)
  const models = modelLists.known(provider, key)
  const ids = [...new Set(models?.map(({ id }) => id))].sort()
  const wanted = search.toLowerCase()
  const fitting = ids.filter((id) => id.toLowerCase().includes(wanted))
  return {
    rows: fitting.slice(0, most).map((id) => toRow(prices, provider.name, id, now)),
    found: fitting.length,
    total: models === null ? null : ids.length,
    search,
  }
}

function toRow(prices: AppContext['prices'], provider: string, id: string, now: number): ModelRow {
  const entry = prices.show(provider, id, now)
  if (entry === null) return { id, input: null, output: null, source: null }
  const { input, output, source } = presentPrice(entry)
  return { id, input, output, source }
}
