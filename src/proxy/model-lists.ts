import { LRUCache } from 'lru-cache'
import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { Model, ModelPage } from '../providers/model-listing.ts'
import type { Answer, UpstreamFailure } from './forward.ts'
import { readText } from './read-text.ts'

const FRESH_MS = 5 * 60_000
/** So long a provider that gave no list is left alone by those who need not have it. */
const REST_MS = 30_000
/** So long a provider has for its whole list. */
const PATIENCE_MS = 4_000
const MAX_LIST_BYTES = 8 * 1024 * 1024
const MAX_KEPT_BYTES = 64 * 1024 * 1024
const MAX_PAGES = 10

/** Told of every try at a list. */
export type OnAttempt = (answer: Answer, failure: UpstreamFailure | null) => void

export type ModelLists = {
  /**
   * The provider's models for this key, five minutes old at the most. Throws `upstream_auth_failed`, `upstream_unreachable`.
   * `onAttempt` is told of the tries that this call makes: a list on its way already is waited for.
   */
  load(provider: ConfiguredProvider, key: string, onAttempt?: OnAttempt): Promise<readonly Model[]>
  /** The provider's models as it lists them now. Throws what `load` throws. */
  refresh(provider: ConfiguredProvider, key: string): Promise<readonly Model[]>
  /** The list as it was known last, null before it is known. Asks nobody. */
  known(provider: ConfiguredProvider, key: string): readonly Model[] | null
  /** The names in the list as it was known last, null before it is known. What is missing or old is asked for, and not waited for. */
  names(provider: ConfiguredProvider, key: string): ReadonlySet<string> | null
}

type List = { models: readonly Model[]; names: ReadonlySet<string>; bytes: number; freshUntil: number }
type Parts = Pick<AppContext, 'http' | 'metrics' | 'log'>

/** The providers' own lists of models, each kept for the key that it was asked for with. */
export function createModelLists({ http, metrics, log }: Parts): ModelLists {
  const kept = new LRUCache<string, List>({
    max: 2_000,
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes + 1,
  })
  const underWay = new Map<string, Promise<List>>()
  const resting = new LRUCache<string, true>({ max: 2_000, ttl: REST_MS })

  /** What needs no question: the operator has said it, or there is nothing to ask for. */
  function ofConfiguration({ ownModels, modelListing }: ConfiguredProvider): List | null {
    if (ownModels === null && modelListing !== null) return null
    return toList(ownModels ?? [], 0, Number.POSITIVE_INFINITY)
  }

  function fetch(id: string, provider: ConfiguredProvider, key: string, onAttempt: OnAttempt): Promise<List> {
    const started = underWay.get(id)
    if (started) return started
    const list = fetchList({ http, metrics }, provider, key, onAttempt)
      .then((found) => {
        kept.set(id, found)
        resting.delete(id)
        return found
      })
      .catch((error) => {
        resting.set(id, true)
        throw error
      })
      .finally(() => underWay.delete(id))
    underWay.set(id, list)
    return list
  }

  const tellMetrics =
    ({ name }: ConfiguredProvider): OnAttempt =>
    ({ status }, failure) =>
      metrics.attemptEnded(name, failure === null && status < 400 ? 'answered' : 'failed')

  function fetchInBackground(id: string, provider: ConfiguredProvider, key: string): void {
    if (underWay.has(id) || resting.has(id)) return
    fetch(id, provider, key, tellMetrics(provider)).catch((error: GatewayError) =>
      log.debug('the models of a provider are not known', { provider: provider.name, cause: error.cause ?? error }),
    )
  }

  function find(id: string, provider: ConfiguredProvider): List | null {
    const list = kept.get(id) ?? ofConfiguration(provider)
    if (list?.freshUntil === Number.POSITIVE_INFINITY) kept.set(id, list)
    return list
  }

  return {
    async load(provider, key, onAttempt = () => {}) {
      const id = `${provider.name} ${key}`
      const list = find(id, provider)
      if (list !== null && performance.now() < list.freshUntil) return list.models
      return (await fetch(id, provider, key, onAttempt)).models
    },
    async refresh(provider, key) {
      const ofOperator = ofConfiguration(provider)
      if (ofOperator !== null) return ofOperator.models
      const onAttempt = tellMetrics(provider)
      return (await fetch(`${provider.name} ${key}`, provider, key, onAttempt)).models
    },
    known: (provider, key) => find(`${provider.name} ${key}`, provider)?.models ?? null,
    names(provider, key) {
      const id = `${provider.name} ${key}`
      const list = find(id, provider)
      if (list === null || performance.now() >= list.freshUntil) fetchInBackground(id, provider, key)
      // Who has no list and of whom nothing was said may have anything.
      return provider.modelListing === null && provider.ownModels === null ? null : (list?.names ?? null)
    },
  }
}

const toList = (models: readonly Model[], bytes: number, freshUntil: number): List => ({
  models,
  names: new Set(models.map(({ id }) => id)),
  bytes,
  freshUntil,
})

type Asking = Pick<Parts, 'http' | 'metrics'>

async function fetchList(
  parts: Asking,
  provider: ConfiguredProvider,
  key: string,
  onAttempt: OnAttempt,
): Promise<List> {
  const deadline = performance.now() + PATIENCE_MS
  const models: Model[] = []
  let bytes = 0
  let cursor: string | null = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const { found, size } = await fetchPage(
      parts,
      { provider, key, cursor, deadline, room: MAX_LIST_BYTES - bytes },
      onAttempt,
    )
    models.push(...found.models)
    bytes += size
    cursor = found.next
    if (cursor === null) break
  }
  return toList(models, bytes, performance.now() + FRESH_MS)
}

type Question = { provider: ConfiguredProvider; key: string; cursor: string | null; deadline: number; room: number }

async function fetchPage(
  { http, metrics }: Asking,
  { provider, key, cursor, deadline, room }: Question,
  onAttempt: OnAttempt,
): Promise<{ found: ModelPage; size: number }> {
  const listing = provider.modelListing!
  const auth = listing.authHeaders ?? provider.authHeaders
  const answer = http.start(
    {
      origin: provider.origin,
      path: `${provider.basePath}${listing.path(cursor)}`,
      method: 'GET',
      headers: Object.entries({
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...listing.headers,
        ...auth(key),
      }).flat(),
      body: null,
    },
    deadline,
  )
  metrics.attemptStarted(provider.name)
  answer.limit(room, deadline)
  const none = await answer.ready.then(
    () => null,
    (failure: UpstreamFailure) => failure,
  )
  const text = none === null ? await readText(answer, room) : ''
  const failure = none ?? answer.failure
  onAttempt(answer, failure)
  const found = failure === null && answer.status === 200 ? read(provider, text) : null
  if (found !== null) return { found, size: text.length }
  // Masked before it is cut: half a key would no longer be known for one.
  const said = text.replaceAll(key, '[redacted]').slice(0, 2_000)
  const cause = failure ?? new Error(`${provider.name} answered ${answer.status} to GET ${listing.path(null)}: ${said}`)
  const isRefused = failure === null && (answer.status === 401 || answer.status === 403)
  throw isRefused
    ? new GatewayError('upstream_auth_failed', { headers: { 'x-should-retry': 'false' }, cause })
    : new GatewayError('upstream_unreachable', {
        message: `The provider \`${provider.name}\` did not give its list of models.`,
        cause,
      })
}

function read({ modelListing }: ConfiguredProvider, text: string): ModelPage | null {
  try {
    return modelListing!.read(JSON.parse(text))
  } catch {
    return null
  }
}
