import type { AppContext } from '../context.ts'
import { SHARED_KEY_ID } from '../domain/provider-operations.ts'
import type { Caller, OpenKey } from '../domain/token-index.ts'
import { GatewayError } from '../errors.ts'
import type { ConfiguredProvider, Providers } from '../providers/index.ts'
import type { Timeouts } from '../routing/types.ts'
import { authorizeModel } from './authenticate.ts'
import { type Choice, locate, splitPrefix, usualProvider } from './locate.ts'

export type { Choice } from './locate.ts'

/** Where a request may go: which provider, by which name of the model, with whose key. */
export type Target = {
  provider: ConfiguredProvider
  model: string | null
  key: string
  /** Of the project's key, or `shared`. */
  keyId: string
  /** Where they are not the usual ones. */
  timeouts?: Timeouts
}

/** The choice that this gateway has. */
export const choiceOf = ({
  providers,
  config,
  catalogue,
}: Pick<AppContext, 'providers' | 'config' | 'catalogue'>): Choice => ({
  providers,
  defaultProvider: config.defaultProvider,
  pick: pickWeighted,
  catalogue,
})

/**
 * The target for `model` as this caller names it: `gpt-4o`, `openai:gpt-4o`, `openai/gpt-4o`, or null where the request names none.
 * Pure but for `pick`, which chooses among several keys, and for what the catalogue knows at this moment. Throws `model_not_allowed`,
 * `model_not_found`, `no_healthy_upstream`.
 */
export function plan(choice: Choice, caller: Caller, model: string | null): Target {
  if (model === null) {
    const provider = usualProvider(choice, caller)
    if (provider === null) throw new GatewayError('no_healthy_upstream', { message: NO_KEY })
    return { provider, model: null, ...pickKey(choice, caller, provider)! }
  }
  const place = locate(choice, caller, model)
  if (place === null) throw notFound(caller, model, splitPrefix(choice.providers, model)?.provider ?? null)
  const { provider, name } = place
  authorizeModel(caller, spellingsOf(choice.providers, model, provider, name))
  return { provider, model: name, ...pickKey(choice, caller, provider)! }
}

/** What an allow-list may say for a model that the caller calls `asked` and its provider `name`. */
export function spellingsOf(providers: Providers, asked: string, provider: ConfiguredProvider, name: string): string[] {
  // A bare name that looks like another provider's is that only where the caller wrote it so himself.
  const bare = splitPrefix(providers, name) === null ? [name] : []
  return [asked, ...bare, `${provider.name}:${name}`, `${provider.name}/${name}`]
}

/** The provider is the one that the path names, and the model is what its API calls it. Throws as `plan` does. */
export function planMounted(choice: Choice, caller: Caller, mount: string, model: string | null): Target {
  const provider = choice.providers.get(mount)
  const key = provider && pickKey(choice, caller, provider)
  if (!provider || !key) throw notFound(caller, model ?? mount, provider)
  if (model !== null) authorizeModel(caller, [model, `${provider.name}:${model}`, `${provider.name}/${model}`])
  return { provider, model, ...key }
}

/** One of them, by weight. */
function pickKey({ pick }: Choice, caller: Caller, provider: ConfiguredProvider): Pick<Target, 'key' | 'keyId'> | null {
  const keys = keysOf(caller, provider)
  const key = keys.length < 2 ? keys[0] : keys[pick(keys.map(({ weight }) => weight))]
  return key ? { key: key.secret, keyId: key.id } : null
}

/** All keys that this caller has for the provider: his project's own, else the operator's. */
export function keysOf(caller: Caller, provider: ConfiguredProvider): OpenKey[] {
  const own = caller.keys.filter((key) => key.provider === provider.name)
  if (own.length > 0 || provider.sharedKey === null) return own
  return [{ id: SHARED_KEY_ID, provider: provider.name, secret: provider.sharedKey, weight: 1 }]
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
