/** A model as OpenAI lists it; whatever else its provider says of it stays. */
export type Model = { id: string } & Record<string, unknown>

export type ModelPage = {
  models: Model[]
  /** Where the next page begins; null: this is the last one. */
  next: string | null
}

/** How a provider is asked for its models, below its base URL, and how its answer is read. */
export type ModelListing = {
  path(cursor: string | null): string
  authHeaders?(key: string): Record<string, string>
  headers?: Record<string, string>
  /** Null for what is no such list. Entries that are no models are left out. */
  read(body: unknown): ModelPage | null
}

/** `{"object":"list","data":[…]}`; Together answers with the bare list, Ollama without a model with `"data":null`. */
export const openAiModels: ModelListing = {
  path: () => '/models',
  read(body) {
    const data = isRecord(body) ? (body.data ?? (body.object === 'list' ? [] : null)) : body
    return Array.isArray(data) ? { models: data.filter(hasId), next: null } : null
  },
}

/** Its largest page. Source: platform.claude.com/docs/en/api/models-list. */
const ANTHROPIC_PAGE = 1_000

export const anthropicModels: ModelListing = {
  path: (cursor) =>
    `/models?limit=${ANTHROPIC_PAGE}${cursor === null ? '' : `&after_id=${encodeURIComponent(cursor)}`}`,
  read(body) {
    if (!isRecord(body) || !Array.isArray(body.data)) return null
    const models = body.data.filter(hasId).map(({ id, ...rest }) => {
      const created = Math.floor(Date.parse(String(rest.created_at)) / 1000)
      return { id, object: 'model', ...(!Number.isNaN(created) && { created }), owned_by: 'anthropic', ...rest }
    })
    const { has_more: hasMore, last_id: last } = body
    return { models, next: hasMore === true && typeof last === 'string' ? last : null }
  },
}

/** Its largest page. Source: ai.google.dev/api/models. It tells no time. */
const GEMINI_PAGE = 1_000

export const geminiModels: ModelListing = {
  path: (cursor) =>
    `/models?pageSize=${GEMINI_PAGE}${cursor === null ? '' : `&pageToken=${encodeURIComponent(cursor)}`}`,
  read(body) {
    if (!isRecord(body) || !Array.isArray(body.models)) return null
    const models = body.models.flatMap((one: unknown): Model[] => {
      if (!isRecord(one) || typeof one.name !== 'string') return []
      const { name, ...rest } = one
      return [{ id: one.name.replace(/^models\//, ''), object: 'model', owned_by: 'google', ...rest }]
    })
    const next = body.nextPageToken
    return { models: models.filter(hasId), next: typeof next === 'string' && next !== '' ? next : null }
  },
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasId = (model: unknown): model is Model => isRecord(model) && typeof model.id === 'string' && model.id !== ''
