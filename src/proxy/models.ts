import { LRUCache } from 'lru-cache'
import type { AppContext } from '../context.ts'
import { matchesGlob } from '../domain/globs.ts'
import { hashToken } from '../domain/secrets.ts'
import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { answerJson } from './answer-json.ts'
import { dispatch, note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import type { Target } from './plan.ts'
import { readText } from './read-text.ts'
import { relay } from './relay.ts'

const FRESH_MS = 5 * 60_000
const MAX_LIST_BYTES = 4 * 1024 * 1024

type Model = { id: string } & Record<string, unknown>

/**
 * `GET /v1/models`: the provider's list, kept for five minutes for each key, without what this caller may not use. Whatever else
 * the provider says of a model stays.
 */
export function modelsHandler(ctx: AppContext): (exchange: HttpExchange, target: Target) => Promise<void> {
  const lists = new LRUCache<string, Model[]>({ max: 500, ttl: FRESH_MS })

  return async (exchange, target) => {
    const caller = exchange.caller!
    const cacheKey = `${target.provider.name} ${hashToken(target.key)}`
    let models: Model[] | null | undefined = lists.get(cacheKey)
    if (!models) {
      models = await fetchModels(exchange, target)
      if (models === null) return
      lists.set(cacheKey, models)
    }
    const data = models.filter(({ id }) => mayUse(caller, target.provider, id))
    answerJson(ctx, exchange, { object: 'list', data }, { answered: true })
  }

  /** Null: the provider answered with an error, which has been passed on. */
  async function fetchModels(exchange: HttpExchange, target: Target): Promise<Model[] | null> {
    const { provider } = target
    const answer = await dispatch(ctx, exchange, target, () => ({
      origin: provider.origin,
      path: `${provider.basePath}/models`,
      method: 'GET',
      headers: Object.entries({
        ...provider.authHeaders(target.key),
        accept: 'application/json',
        'accept-encoding': 'identity',
      }).flat(),
      body: null,
    }))
    if (answer.status !== 200 && answer.status !== 401) {
      relay(ctx, exchange, target, answer, { hideUsage: false, drains: false, translation: null })
      return null
    }
    const text = await readText(answer, MAX_LIST_BYTES)
    note(ctx, exchange, target, answer, answer.failure)
    const cause = new Error(
      `${provider.name} answered ${answer.status} to GET /models: ${text.replaceAll(target.key, '[redacted]').slice(0, 2_000)}`,
    )
    if (answer.status === 401)
      throw new GatewayError('upstream_auth_failed', { headers: { 'x-should-retry': 'false' }, cause })
    const models = answer.failure === null ? parseModels(text) : null
    if (models === null)
      throw new GatewayError('upstream_unreachable', {
        message: 'The provider did not give its list of models.',
        cause,
      })
    return models
  }
}

function parseModels(text: string): Model[] | null {
  try {
    const { data } = JSON.parse(text) as { data?: unknown }
    return Array.isArray(data) ? data.filter((model): model is Model => typeof model?.id === 'string') : null
  } catch {
    return null
  }
}

function mayUse({ token, project }: Caller, provider: ConfiguredProvider, id: string): boolean {
  return [token.allowedModels, project.allowedModels].every(
    (allowed) =>
      allowed === null ||
      [id, `${provider.name}:${id}`, `${provider.name}/${id}`].some((name) => matchesGlob(allowed, name)),
  )
}
