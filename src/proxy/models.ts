import type { AppContext } from '../context.ts'
import type { Caller } from '../domain/token-index.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Json } from '../formats/dialect.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { answerJson } from './answer-json.ts'
import { isModelAllowed } from './authenticate.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { hasKey, listingKey, locate, type Named, splitPrefix } from './locate.ts'
import { type ModelEntry, mergeModels, type ProviderModels, prefixedEntries, routeEntries } from './merge-models.ts'
import type { OnAttempt } from './model-lists.ts'
import { choiceOf, spellingsOf, type Target } from './plan.ts'
import { MODEL_SHAPES } from './present-models.ts'

/**
 * `GET /v1/models` and `GET /v1/models/{id}`: what all providers with a key for this caller have, without what he may not use. A
 * provider that does not tell is left out and named in `x-llm-proxy-unavailable`. `shape`: as the client wants it told; without one
 * Anthropic's, where he sends Anthropic's version header, else OpenAI's. False: nothing was answered, since no list has the model and
 * the provider of `target` may know it all the same (an alias, or one that is new), and tells it as the client wants it told.
 */
export function modelsHandler(
  ctx: AppContext,
): (exchange: HttpExchange, target: Target, shape?: keyof typeof MODEL_SHAPES) => Promise<boolean> {
  return async (exchange, target, shape = shapeFor(exchange)) => {
    const id = /^\/[^/]+\/models\/(.+)$/.exec(exchange.path.api)?.[1] ?? null
    const named = id === null ? null : splitPrefix(ctx.providers, id)
    const { routes } = await ctx.routing.current()
    const routed = routeEntries(choiceOf(ctx), exchange.caller!, routes)
    const found = await collect(ctx, exchange, named?.isExact ? named.provider.name : null)
    const present = MODEL_SHAPES[shape]
    const answer = (value: Json) =>
      answerJson(ctx, exchange, value, { answered: true, more: Object.entries(unavailable(found)).flat() })
    if (id === null) {
      answer(present.list(allOf(ctx, exchange, found, routed), new URLSearchParams(exchange.path.query)))
      return true
    }
    const entry = routed.find((one) => one.id === id) ?? entryOf(ctx, exchange, found, id, named)
    if (entry) {
      exchange.provider = entry.provider.name
      answer(present.one({ ...entry, id }))
      return true
    }
    if (named === null && shape === 'openai' && mayKnow(ctx, exchange.caller!, target, id)) {
      exchange.target = target
      exchange.provider = target.provider.name
      return false
    }
    throw notFound(found, id, named)
  }
}

/** A request for it would go there, its answer has OpenAI's shape, and the caller may have the model. */
const mayKnow = (ctx: AppContext, caller: Caller, { provider }: Target, id: string): boolean =>
  provider.speaks[0]?.dialect === 'openai-chat' &&
  locate(choiceOf(ctx), caller, id)?.provider === provider &&
  isModelAllowed(caller, spellingsOf(ctx.providers, id, provider, id))

/** The client's own way of asking tells its dialect. */
export const shapeFor = ({ req }: Pick<HttpExchange, 'req'>): 'openai' | 'anthropic' =>
  req.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic'

/** `failures`: by provider, in the order in which they were asked. */
type Found = { lists: ProviderModels[]; failures: Map<string, GatewayError> }

/** Asks all providers that this caller has a key for at once, or one of them. */
async function collect(ctx: AppContext, exchange: HttpExchange, only: string | null): Promise<Found> {
  const caller = exchange.caller!
  const isDefault = ({ name }: ConfiguredProvider) => Number(name === ctx.config.defaultProvider)
  const providers = ctx.providers
    .list()
    .filter((provider) => hasKey(caller, provider) && (only === null || provider.name === only))
    .sort((a, b) => isDefault(b) - isDefault(a))
  const answers = await Promise.all(providers.map((provider) => load(ctx, exchange, provider)))
  if (exchange.clientGone) throw new GatewayError('client_closed')
  if (providers.length > 1) {
    exchange.target = null
    exchange.provider = null
  }
  const found: Found = { lists: [], failures: new Map() }
  for (const answer of answers) {
    if ('error' in answer) found.failures.set(answer.provider.name, answer.error)
    else found.lists.push(answer)
  }
  return found
}

type Failed = { provider: ConfiguredProvider; error: GatewayError }

async function load(
  ctx: AppContext,
  exchange: HttpExchange,
  provider: ConfiguredProvider,
): Promise<ProviderModels | Failed> {
  const key = listingKey(exchange.caller!, provider)!
  const onAttempt: OnAttempt = (answer, failure) =>
    note(ctx, exchange, { provider, model: null, key, keyId: 'shared' }, answer, failure)
  return ctx.modelLists.load(provider, key, onAttempt).then(
    (models) => ({ provider, models }),
    (error) => ({ provider, error: toGatewayError(error) }),
  )
}

/** Routes first, which stand before models of their names. Throws when there is nothing and somebody did not tell. */
function allOf(ctx: AppContext, { caller }: HttpExchange, found: Found, routed: ModelEntry[]): ModelEntry[] {
  const { lists, failures } = found
  if (lists.length === 0 && failures.size > 0 && routed.length === 0) throw worstOf([...failures.values()])
  const names = new Set(routed.map(({ id }) => id))
  return [...routed, ...mergeModels(choiceOf(ctx), caller!, lists).filter(({ id }) => !names.has(id))]
}

/** A key that is refused is for the operator to mend, anything else may pass by itself. */
const worstOf = (failures: GatewayError[]): GatewayError =>
  failures.find(({ code }) => code !== 'upstream_auth_failed') ?? failures[0]!

/** What the provider that it names failed with comes first. */
function notFound(found: Found, id: string, named: Named | null): GatewayError {
  const failure = named && found.failures.get(named.provider.name)
  if (failure) return failure
  return new GatewayError('model_not_found', {
    message: `The model \`${id}\` does not exist, or you may not use it.`,
    param: 'model',
    headers: unavailable(found),
  })
}

function entryOf(
  ctx: AppContext,
  { caller }: HttpExchange,
  { lists }: Found,
  id: string,
  named: Named | null,
): ModelEntry | null {
  const choice = choiceOf(ctx)
  const spelled = named && `${named.provider.name}:${named.name}`
  const entries = named?.isExact
    ? lists.flatMap((list) => prefixedEntries(choice, caller!, list))
    : mergeModels(choice, caller!, lists)
  return entries.find((entry) => entry.id === id) ?? entries.find((entry) => entry.id === spelled) ?? null
}

const unavailable = ({ failures }: Found): Record<string, string> =>
  failures.size === 0 ? {} : { 'x-llm-proxy-unavailable': [...failures.keys()].join(',') }
