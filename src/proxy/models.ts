import type { AppContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import { answerJson } from './answer-json.ts'
import { note } from './dispatch.ts'
import type { HttpExchange } from './exchange.ts'
import { hasKey, listingKey, splitPrefix } from './locate.ts'
import { type ModelEntry, mergeModels, type ProviderModels } from './merge-models.ts'
import { choiceOf, type Target } from './plan.ts'
import { MODEL_SHAPES, type ModelShape } from './present-models.ts'

/**
 * `GET /v1/models` and `GET /v1/models/{id}`: what all providers with a key for this caller have, without what he may not use. A
 * provider that does not tell is left out and named in `x-llm-proxy-unavailable`. `shape`: as the client wants it told; without one
 * Anthropic's, where he sends Anthropic's version header, else OpenAI's.
 */
export function modelsHandler(
  ctx: AppContext,
): (exchange: HttpExchange, target: Target, shape?: keyof typeof MODEL_SHAPES) => Promise<void> {
  return async (exchange, _target, shape = shapeFor(exchange)) => {
    const id = /^\/[^/]+\/models\/(.+)$/.exec(exchange.path.endpoint)?.[1] ?? null
    const found = await collect(ctx, exchange, id)
    const more = found.failures.size === 0 ? [] : [UNAVAILABLE, [...found.failures.keys()].join(',')]
    const present = MODEL_SHAPES[shape]
    const value = id === null ? listOf(found, exchange, present) : present.one(entryOf(ctx, exchange, found, id))
    answerJson(ctx, exchange, value, { answered: true, more })
  }
}

const UNAVAILABLE = 'x-llm-proxy-unavailable'

/** The client's own way of asking tells its dialect. */
export const shapeFor = ({ req }: Pick<HttpExchange, 'req'>): 'openai' | 'anthropic' =>
  req.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic'

type Found = { entries: ModelEntry[]; asked: number; failures: Map<string, GatewayError> }

/** Asks all at once. With `id`, no more than its provider, where it names one. */
async function collect(ctx: AppContext, exchange: HttpExchange, id: string | null): Promise<Found> {
  const choice = choiceOf(ctx)
  const caller = exchange.caller!
  const named = id === null ? null : splitPrefix(ctx.providers, id)
  const isDefault = ({ name }: ConfiguredProvider) => Number(name === choice.defaultProvider)
  const providers = ctx.providers
    .list()
    .filter((provider) => hasKey(caller, provider))
    .filter((provider) => !named?.isExact || provider.name === named.provider.name)
    .sort((a, b) => isDefault(b) - isDefault(a))
  const failures = new Map<string, GatewayError>()
  const lists = await Promise.all(
    providers.map(async (provider): Promise<ProviderModels> => {
      try {
        return { provider, models: await load(ctx, exchange, provider, listingKey(caller, provider)!) }
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        failures.set(provider.name, error)
        return { provider, models: [] }
      }
    }),
  )
  if (exchange.clientGone) throw new GatewayError('client_closed')
  if (providers.length > 1) {
    exchange.target = null
    exchange.provider = null
  }
  // Those that failed, in the order in which they were asked.
  const inOrder = providers.flatMap(({ name }) => (failures.has(name) ? [[name, failures.get(name)!] as const] : []))
  return { entries: mergeModels(choice, caller, lists), asked: providers.length, failures: new Map(inOrder) }
}

function load(ctx: AppContext, exchange: HttpExchange, provider: ConfiguredProvider, key: string) {
  return ctx.modelLists.load(provider, key, (answer, failure) =>
    note(ctx, exchange, { provider, model: null, key }, answer, failure),
  )
}

/** Throws when nobody told anything. */
function listOf({ entries, asked, failures }: Found, { path }: HttpExchange, shape: ModelShape): object {
  if (asked > 0 && failures.size === asked) throw worstOf([...failures.values()])
  return shape.list(entries, new URLSearchParams(path.query))
}

/** A key that is refused is for the operator to mend, anything else may pass by itself. */
const worstOf = (failures: GatewayError[]): GatewayError =>
  failures.find(({ code }) => code !== 'upstream_auth_failed') ?? failures[0]!

function entryOf(
  { providers }: AppContext,
  exchange: HttpExchange,
  { entries, failures }: Found,
  id: string,
): ModelEntry {
  const named = splitPrefix(providers, id)
  const spelled = named && `${named.provider.name}:${named.name}`
  const entry = entries.find((one) => one.id === id) ?? entries.find((one) => one.id === spelled)
  if (entry) {
    exchange.provider = entry.provider.name
    return { ...entry, id }
  }
  const failure = named && failures.get(named.provider.name)
  if (failure) throw failure
  throw new GatewayError('model_not_found', {
    message: `The model \`${id}\` does not exist, or you may not use it.`,
    param: 'model',
    headers: failures.size === 0 ? {} : { [UNAVAILABLE]: [...failures.keys()].join(',') },
  })
}
