import type { Caller } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider, Providers } from '../providers/index.ts'
import { authorizeModel } from './authenticate.ts'

/** Where a request may go: which provider, by which name of the model, with whose key. */
export type Target = { provider: ConfiguredProvider; model: string | null; key: string }

export type Choice = { providers: Providers; defaultProvider: string; pick(weights: number[]): number }

/**
 * The target for `model` as this caller names it: `gpt-4o`, `openai:gpt-4o`, `openai/gpt-4o`, or null where the request names none.
 * Pure but for `pick`, which chooses among several keys. Throws `model_not_allowed`, `model_not_found`, `no_healthy_upstream`.
 */
export function plan(choice: Choice, caller: Caller, model: string | null): Target {
  const { provider, name } = locate(choice, caller, model)
  if (model !== null && name !== null) {
    // A bare name that looks like another provider's is that only where the caller wrote it so himself.
    const bare = splitPrefix(choice.providers, name) === null ? [name] : []
    authorizeModel(caller, [model, ...bare, `${provider.name}:${name}`, `${provider.name}/${name}`])
  }
  return { provider, model: name, key: pickKey(choice, caller, provider)! }
}

/** The provider that a model's name points to, and the name that this provider knows it by. */
function locate(choice: Choice, caller: Caller, model: string | null) {
  const { providers } = choice
  if (model !== null) {
    const named = splitPrefix(providers, model)
    if (named && hasKey(caller, named.provider)) return named
    // `anthropic/claude` is also how OpenRouter spells its models: with no key for `anthropic` it means that. A colon means one thing.
    const aggregator = named && providers.list().find((provider) => provider.isAggregator && hasKey(caller, provider))
    if (aggregator && !named.byColon) return { provider: aggregator, name: model }
    const usual = named?.byColon ? null : usualProvider(choice, caller)
    if (usual && (usual.name !== 'demo' || model === 'demo')) return { provider: usual, name: model }
    throw notFound(caller, model, named?.provider ?? null)
  }
  const usual = usualProvider(choice, caller)
  if (usual) return { provider: usual, name: null }
  throw new GatewayError('no_healthy_upstream', { message: NO_KEY })
}

/** The provider is the one that the path names, and the model is what its API calls it. Throws as `plan` does. */
export function planMounted(choice: Choice, caller: Caller, mount: string, model: string | null): Target {
  const provider = choice.providers.get(mount)
  const key = provider && pickKey(choice, caller, provider)
  if (!provider || key === null) throw notFound(caller, model ?? mount, provider)
  if (model !== null) authorizeModel(caller, [model, `${provider.name}:${model}`, `${provider.name}/${model}`])
  return { provider, model, key }
}

function splitPrefix(providers: Providers, model: string) {
  const at = model.search(/[:/]/)
  const provider = at > 0 ? providers.get(model.slice(0, at)) : model === 'demo' ? providers.get('demo') : null
  if (!provider) return null
  const name = at > 0 ? model.slice(at + 1) : model
  return name === '' ? null : { provider, name, byColon: model[at] === ':' }
}

/** The default provider when there is a key for it, else the first one with a key. */
function usualProvider({ providers, defaultProvider }: Choice, caller: Caller): ConfiguredProvider | null {
  const preferred = providers.get(defaultProvider)
  if (preferred && hasKey(caller, preferred)) return preferred
  return providers.list().find((provider) => hasKey(caller, provider)) ?? null
}

const hasKey = (caller: Caller, provider: ConfiguredProvider) =>
  provider.sharedKey !== null || caller.keys.some((key) => key.provider === provider.name)

/** The project's own keys first, by weight; else the operator's. */
function pickKey({ pick }: Choice, caller: Caller, provider: ConfiguredProvider): string | null {
  const own = caller.keys.filter((key) => key.provider === provider.name)
  if (own.length === 0) return provider.sharedKey
  return own.length === 1 ? own[0]!.secret : own[pick(own.map(({ weight }) => weight))]!.secret
}

const NO_KEY =
  'No provider key is configured. Set one (OPENAI_API_KEY …) and restart, or add one to the project with POST /manage/projects/{id}/provider-keys.'

function notFound(caller: Caller, model: string, provider: ConfiguredProvider | null): GatewayError {
  const what = provider ? `no key for the provider \`${provider.name}\` is configured` : 'no provider key is configured'
  return new GatewayError('model_not_found', {
    message: `The model \`${model}\` cannot be served: ${what} for project \`${caller.project.name}\`.`,
    param: 'model',
  })
}

/** An index, by chance, in proportion to the weights. */
export function pickWeighted(weights: number[], random: () => number = Math.random): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = random() * total
  const index = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  return index === -1 ? 0 : index
}
