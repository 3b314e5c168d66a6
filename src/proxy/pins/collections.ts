/** Where objects of a kind live in a provider's API. `days`: the provider forgets them after fewer than so many; null: never. */
export type Collection = { path: string; days: number | null; list: 'data' | 'name' }

/** What a path says of an object. `objectId` null: of the collection as a whole. `rest`: what stands behind the id. */
export type Place = { collection: Collection; objectId: string | null; rest: string }

/** OpenAI keeps threads for 60 days after their last use, Anthropic batches for 29, Google files for two. */
const STORED_DAYS = 90
/** OpenAI keeps responses and stored chats for 30. There are as many of them as requests. */
const ANSWER_DAYS = 31

/**
 * Collections whose objects belong to the account that made them. Sources: the OpenAI API specification 2.3.0, Anthropic's API
 * reference (files, message batches), Google's Gemini API reference (whose objects are called `<collection>/<id>`).
 */
const GEMINI_BATCHES = gemini('/v1beta/batches', STORED_DAYS)
const COLLECTIONS = [
  openAi('/v1/files'),
  openAi('/v1/batches'),
  openAi('/v1/assistants'),
  openAi('/v1/threads', STORED_DAYS),
  openAi('/v1/vector_stores'),
  openAi('/v1/responses', ANSWER_DAYS),
  openAi('/v1/conversations'),
  openAi('/v1/fine_tuning/jobs'),
  openAi('/v1/uploads', STORED_DAYS),
  openAi('/v1/evals'),
  openAi('/v1/containers', STORED_DAYS),
  openAi('/v1/videos', STORED_DAYS),
  openAi('/v1/chat/completions', ANSWER_DAYS),
  openAi('/v1/messages/batches', STORED_DAYS),
  gemini('/v1beta/cachedContents'),
  gemini('/v1beta/files', STORED_DAYS),
  GEMINI_BATCHES,
]

function openAi(path: string, days: number | null = null): Collection {
  return { path, days, list: 'data' }
}

function gemini(path: string, days: number | null = null): Collection {
  return { path, days, list: 'name' }
}

/** By the first segment behind the version: nearly every path is decided by one look. */
const byFirst = new Map<string, Collection[]>()
for (const collection of COLLECTIONS) {
  const first = firstSegments(collection.path)
  byFirst.set(first, [...(byFirst.get(first) ?? []), collection])
}

/** Calls of a model that make a batch. */
const BATCH_CALL = /^\/v1beta\/models\/[^/]+:(?:batchGenerateContent|asyncBatchEmbedContent)$/

/** Words that stand where an id would. */
const ACTIONS = new Set([
  '/v1/threads/runs',
  '/v1/responses/compact',
  '/v1/responses/input_tokens',
  '/v1/videos/edits',
  '/v1/videos/extensions',
  '/v1/videos/characters',
])

/** No id is so long; what is longer is looked up nowhere. */
export const MAX_ID_LENGTH = 256

/** `api`: a path without a mount. Null: nothing that belongs to an account. */
export function placeOf(api: string): Place | null {
  if (BATCH_CALL.test(api)) return { collection: GEMINI_BATCHES, objectId: null, rest: '' }
  const collection = byFirst.get(firstSegments(api))?.find(({ path }) => api === path || api.startsWith(`${path}/`))
  if (collection === undefined) return null
  const below = api.slice(collection.path.length + 1)
  if (below === '') return { collection, objectId: null, rest: '' }
  const [id = '', ...rest] = below.split('/')
  if (ACTIONS.has(`${collection.path}/${id}`)) return { collection, objectId: null, rest: below }
  // `/v1beta/batches/b1:cancel`
  const bare = collection.list === 'name' ? id.replace(/:[A-Za-z]+$/, '') : id
  if (bare.length > MAX_ID_LENGTH) return { collection, objectId: null, rest: below }
  return { collection, objectId: objectIdOf(collection, bare), rest: rest.join('/') + id.slice(bare.length) }
}

const objectIdOf = ({ list, path }: Collection, id: string) =>
  list === 'name' ? `${path.slice(path.lastIndexOf('/') + 1)}/${id}` : id

/** `/v1/files` of `/v1/files/file-1/content`. */
function firstSegments(path: string): string {
  const end = path.indexOf('/', path.indexOf('/', 1) + 1)
  return end === -1 ? path : path.slice(0, end)
}
