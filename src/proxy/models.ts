import type { AppContext } from '../context.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { answerJson } from './answer-json.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { hasKey, listingKey, type Named, splitPrefix } from './locate.ts'
import { type ModelEntry, mergeModels, type ProviderModels, prefixedEntries } from './merge-models.ts'
import type { OnAttempt } from './model-lists.ts'
import { choiceOf, type Target } from './plan.ts'
import { MODEL_SHAPES } from './present-models.ts'

/**
 * `GET /v1/models` and `GET /v1/models/{id}`: what all providers with a key for this caller have, without what he may not use. A
 * provider that does not tell is left out and named in `x-llm-proxy-unavailable`. `shape`: as the client wants it told; without one
 * Anthropic's, where he sends Anthropic's version header, else OpenAI's.
 */
export function modelsHandler(
  ctx: AppContext,
): (exchange: HttpExchange, target: Target, shape?: keyof typeof MODEL_SHAPES) => Promise<void> {
  return async (exchange, _target, shape = shapeFor(exchange)) => {
    const id = /^\/[^/]+\/models\/(.+)$/.exec(exchange.path.api)?.[1] ?? null
    const named = id === null ? null : splitPrefix(ctx.providers, id)
    const found = await collect(ctx, exchange, named?.isExact ? named.provider.name : null)
    const present = MODEL_SHAPES[shape]
    const value =
      id === null
        ? present.list(allOf(ctx, exchange, found), new URLSearchParams(exchange.path.query))
        : present.one(oneOf(ctx, exchange, found, id, named))
    answerJson(ctx, exchange, value, { answered: true, more: Object.entries(unavailable(found)).flat() })
  }
}

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
  const onAttempt: OnAttempt = (answer, failure) => note(ctx, exchange, { provider, model: null, key }, answer, failure)
  return ctx.modelLists.load(provider, key, onAttempt).then(
    (models) => ({ provider, models }),
    (error) => ({ provider, error: toGatewayError(error) }),
  )
}

/** Throws when nobody told anything. */
function allOf(ctx: AppContext, { caller }: HttpExchange, { lists, failures }: Found): ModelEntry[] {
  if (lists.length === 0 && failures.size > 0) throw worstOf([...failures.values()])
  return mergeModels(choiceOf(ctx), caller!, lists)
}

/** A key that is refused is for the operator to mend, anything else may pass by itself. */
const worstOf = (failures: GatewayError[]): GatewayError =>
  failures.find(({ code }) => code !== 'upstream_auth_failed') ?? failures[0]!

/** Throws `model_not_found`, or what the provider that it names failed with. */
function oneOf(ctx: AppContext, exchange: HttpExchange, found: Found, id: string, named: Named | null): ModelEntry {
  const entry = entryOf(ctx, exchange, found, id, named)
  if (entry) {
    exchange.provider = entry.provider.name
    return { ...entry, id }
  }
  const failure = named && found.failures.get(named.provider.name)
  if (failure) throw failure
  throw new GatewayError('model_not_found', {
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
