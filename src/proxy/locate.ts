import type { Caller } from '../domain/token-index.ts'
import type { ConfiguredProvider, Providers } from '../providers/index.ts'
import type { Catalogue } from './catalogue.ts'

export type Choice = {
  providers: Providers
  defaultProvider: string
  pick(weights: number[]): number
  catalogue: Catalogue
}

/** A provider, and the name by which it knows the model. */
export type Place = { provider: ConfiguredProvider; name: string }

/**
 * Where a model is served, of the providers that this caller has a key for:
 *
 * 1. the provider that the name begins with (`openai:gpt-4o`, `openai/gpt-4o`),
 * 2. a provider that lists the name as it stands: the default one first, then in the order of the registry,
 * 3. a provider whose list of prices has it, in the same order,
 * 4. the default provider, or the first one with a key.
 *
 * A default provider of whom it is not known what it has is taken to have it. Null: nobody may serve it.
 */
export function locate(choice: Choice, caller: Caller, model: string): Place | null {
  const { providers } = choice
  const named = splitPrefix(providers, model)
  if (named === null) return bare(choice, caller, model)
  if (hasKey(caller, named.provider)) return onlyLooksLikeIt(choice, caller, named, model) ?? named
  // A colon means one thing.
  if (named.isExact) return null
  const lister = listedBy(choice, caller, model)
  if (lister !== null) return lister
  // `anthropic/claude` is also how OpenRouter spells its models: with no key for `anthropic` it means that.
  const aggregator = providers.list().find((provider) => provider.isAggregator && hasKey(caller, provider))
  return aggregator ? { provider: aggregator, name: model } : bare(choice, caller, model)
}

/** The default provider when there is a key for it, else the first one with a key. */
export function usualProvider({ providers, defaultProvider }: Choice, caller: Caller): ConfiguredProvider | null {
  const preferred = providers.get(defaultProvider)
  if (preferred && hasKey(caller, preferred)) return preferred
  return providers.list().find((provider) => hasKey(caller, provider)) ?? null
}

export const hasKey = (caller: Caller, provider: ConfiguredProvider): boolean =>
  provider.sharedKey !== null || caller.keys.some((key) => key.provider === provider.name)

/** The key whose list of models counts for this caller: his project's first, else the operator's. */
export const listingKey = (caller: Caller, { name, sharedKey }: ConfiguredProvider): string | null =>
  caller.keys.find(({ provider }) => provider === name)?.secret ?? sharedKey

/** `isExact`: the name can mean nothing else; one with a slash may be a model's own name at another provider. */
export type Named = Place & { isExact: boolean }

export function splitPrefix(providers: Providers, model: string): Named | null {
  const at = model.search(/[:/]/)
  const provider = at > 0 ? providers.get(model.slice(0, at)) : model === 'demo' ? providers.get('demo') : null
  if (!provider) return null
  const name = at > 0 ? model.slice(at + 1) : model
  return name === '' ? null : { provider, name, isExact: model[at] !== '/' }
}

/** `openai/gpt-oss-120b` is how Groq calls a model of its own: a name that OpenAI is known not to have, and another provider to have. */
function onlyLooksLikeIt(choice: Choice, caller: Caller, named: Named, model: string): Place | null {
  const { provider, name } = named
  if (named.isExact || usable(choice, caller).length < 2) return null
  return isListed(choice, caller, provider, name) === false ? listedBy(choice, caller, model) : null
}

/** A name that says nothing of its provider. */
function bare(choice: Choice, caller: Caller, model: string): Place | null {
  const usual = usualProvider(choice, caller)
  if (usual === null) return null
  const provider = knownToHave(choice, caller, usual, model) ?? usual
  return provider.name === 'demo' && model !== 'demo' ? null : { provider, name: model }
}

function knownToHave(
  choice: Choice,
  caller: Caller,
  usual: ConfiguredProvider,
  model: string,
): ConfiguredProvider | null {
  const { catalogue, defaultProvider } = choice
  const others = usable(choice, caller).filter((provider) => provider.name !== usual.name)
  if (others.length === 0) return usual
  const listed = isListed(choice, caller, usual, model)
  if (listed === true) return usual
  const isDefault = usual.name === defaultProvider
  const priced = catalogue.prices(usual, model)
  if (listed === null && isDefault && priced !== false) return usual
  return (
    others.find((provider) => isListed(choice, caller, provider, model)) ??
    (priced ? usual : others.find((provider) => catalogue.prices(provider, model))) ??
    null
  )
}

/** The provider that has the whole name in its own list. */
function listedBy(choice: Choice, caller: Caller, model: string): Place | null {
  const all = usable(choice, caller)
  // Nobody else could have it: no list has to tell.
  if (all.length === 1) return { provider: all[0]!, name: model }
  const first = all.find(({ name }) => name === choice.defaultProvider)
  const has = (provider: ConfiguredProvider) => isListed(choice, caller, provider, model) === true
  const provider = first && has(first) ? first : all.find(has)
  return provider ? { provider, name: model } : null
}

/** All providers with a key but the demo one, which answers to its own name alone. */
const usable = ({ providers }: Choice, caller: Caller) =>
  providers.list().filter((provider) => provider.name !== 'demo' && hasKey(caller, provider))

function isListed({ catalogue }: Choice, caller: Caller, provider: ConfiguredProvider, model: string): boolean | null {
  const key = listingKey(caller, provider)
  return key === null ? null : catalogue.lists(provider, key, model)
}
