import type { ModelEntry } from './merge-models.ts'

type Json = Record<string, unknown>

/** How a client wants models told: as OpenAI, Anthropic or Google lists them. */
export type ModelShape = {
  one(entry: ModelEntry): Json
  /** `query`: what the client said of pages. */
  list(entries: readonly ModelEntry[], query: URLSearchParams): Json
}

/** The provider's own object, with whatever is missing in it. */
const openAi: ModelShape = {
  one: ({ id, provider, card }) => ({
    ...card,
    id,
    object: card.object ?? 'model',
    owned_by: card.owned_by ?? provider.name,
    provider: provider.name,
  }),
  list: (entries) => ({ object: 'list', data: entries.map(openAi.one) }),
}

/** Source: platform.claude.com/docs/en/api/models-list. All at once, unless the client says how many it wants. */
const anthropic: ModelShape = {
  one({ id, card }) {
    const { object, owned_by, created, ...own } = card
    if (own.type === 'model' && typeof own.display_name === 'string') return { ...own, id }
    return { type: 'model', id, display_name: nameOf(card) ?? id, created_at: timeOf(created) }
  },
  list(entries, query) {
    const { page, hasMore } = pageOf(entries, query)
    return {
      data: page.map(anthropic.one),
      has_more: hasMore,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    }
  },
}

/** Source: ai.google.dev/api/models. What a model of another provider can do is not said, since nobody knows. */
const gemini: ModelShape = {
  one({ id, card }) {
    const { id: _id, object, owned_by, created, ...own } = card
    const name = `models/${id}`
    return Array.isArray(own.supportedGenerationMethods) ? { name, ...own } : { name, displayName: nameOf(card) ?? id }
  },
  list: (entries) => ({ models: entries.map(gemini.one) }),
}

export const MODEL_SHAPES = { openai: openAi, anthropic, gemini }

/** Google's list of models. */
export const presentGeminiModels = (entries: readonly ModelEntry[]): Json => gemini.list(entries, NO_QUERY)
const NO_QUERY = new URLSearchParams()

/** For people: `display_name` of Anthropic and Together, `displayName` of Google, `name` of OpenRouter. */
const nameOf = ({ display_name, displayName, name }: Json): string | null =>
  ([display_name, displayName, name].find((one) => typeof one === 'string' && one !== '') as string | undefined) ?? null

/** The epoch where it is not known, as Anthropic does it itself. */
const timeOf = (created: unknown): string =>
  new Date(typeof created === 'number' && created > 0 && created < 1e11 ? created * 1000 : 0)
    .toISOString()
    .replace('.000Z', 'Z')

const MOST = 1_000

function pageOf(
  entries: readonly ModelEntry[],
  query: URLSearchParams,
): { page: readonly ModelEntry[]; hasMore: boolean } {
  const [after, before] = [query.get('after_id'), query.get('before_id')]
  const indexOf = (wanted: string) => entries.findIndex(({ id }) => id === wanted)
  const asked = Number(query.get('limit'))
  const limit = Number.isSafeInteger(asked) && asked >= 1 ? Math.min(asked, MOST) : entries.length
  if (before !== null) {
    const end = Math.max(0, indexOf(before))
    const start = Math.max(0, end - limit)
    return { page: entries.slice(start, end), hasMore: start > 0 }
  }
  // A model that has gone ends the walk, rather than to begin it again.
  const at = after === null ? 0 : indexOf(after) + 1
  const start = after !== null && at === 0 ? entries.length : at
  return { page: entries.slice(start, start + limit), hasMore: start + limit < entries.length }
}
