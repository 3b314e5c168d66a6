import type { Config, ProviderConfig } from '../config/config.ts'
import { factsOf, type ModelFacts } from '../formats/model-facts.ts'
import { customProvider } from './custom.ts'
import { demo } from './demo.ts'
import type { Model } from './model-listing.ts'
import type { Provider } from './provider.ts'
import { PROVIDER_NAMES, PROVIDERS } from './registry.ts'

export { PROVIDER_NAMES }

/** A provider as this gateway is configured to reach it. */
export type ConfiguredProvider = Provider & {
  baseUrl: string
  origin: string
  /** What replaces `/v1` of the caller's path: `/v1`, `/api/v1`, `` … */
  basePath: string
  /** The operator's own key, used by projects that have none; `NO_KEY` where none is needed. Null: none. */
  sharedKey: string | null
  /** The models that the operator says it has, in place of its own list. Null: its own list. */
  ownModels: Model[] | null
}

/**
 * In place of a key, for a provider that needs none: it is never sent. A text of its own, and not an empty one, because keys are also
 * looked for in answers, to be masked.
 */
export const NO_KEY = '(no provider key)'

export type Providers = {
  get(name: string): ConfiguredProvider | null
  list(): readonly ConfiguredProvider[]
}

/** `demoUrl`: where the built-in demo provider listens, null while it is off. Those of the configuration stand behind the built-in ones. */
export function createProviders(config: Pick<Config, 'providers'>, demoUrl: () => string | null): Providers {
  const known = new Map(PROVIDERS.map((provider) => [provider.name, provider]))
  const custom = Object.entries(config.providers).flatMap(([name, own]) =>
    known.has(name) || name === demo.name ? [] : (customProvider(name, own) ?? []),
  )
  const configured = new Map(
    [...PROVIDERS, ...custom].flatMap((provider) => {
      const found = configure(
        provider,
        Object.hasOwn(config.providers, provider.name) ? config.providers[provider.name]! : NOTHING,
      )
      return found === null ? [] : [[provider.name, found] as const]
    }),
  )
  const all = [...configured.values()]
  const withDemo = () => {
    const baseUrl = demoUrl()
    return baseUrl === null ? null : configure(demo, { apiKey: demo.name, baseUrl })
  }
  return {
    get: (name) => (name === demo.name ? withDemo() : (configured.get(name) ?? null)),
    list: () => {
      const demoProvider = withDemo()
      return demoProvider ? [...all, demoProvider] : all
    },
  }
}

/** Those that keys may be for: the built-in ones and those of the configuration. */
export const providerNamesOf = ({ providers }: Pick<Config, 'providers'>): string[] => [
  ...new Set([...PROVIDER_NAMES, ...Object.keys(providers)]),
]

/** Whether a provider can be used without a key of a project. */
export const hasSharedKey = (config: Pick<Config, 'providers'>): boolean =>
  createProviders(config, () => null)
    .list()
    .some(({ sharedKey }) => sharedKey !== null)

/** What is known of a model at this provider. */
export const factsAt = (provider: Pick<Provider, 'facts'>, model: string): ModelFacts =>
  provider.facts ? { ...factsOf(model), ...provider.facts } : factsOf(model)

const NOTHING: ProviderConfig = { apiKey: null, baseUrl: null }

/** Null: nobody says where it is. */
function configure(provider: Provider, own: ProviderConfig): ConfiguredProvider | null {
  const adapted = provider.adapt?.({ baseUrl: own.baseUrl, apiVersion: own.apiVersion ?? null }) ?? {}
  const baseUrl = adapted.baseUrl ?? own.baseUrl ?? provider.baseUrl
  if (baseUrl === null) return null
  const url = new URL(baseUrl)
  const withoutKey = provider.needsNoKey === true && own.baseUrl !== null ? NO_KEY : null
  return {
    ...withHeaders({ ...provider, ...adapted }, own.headers ?? {}),
    baseUrl,
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    sharedKey: own.apiKey ?? withoutKey,
    ownModels: own.models?.map((id) => ({ id })) ?? null,
  }
}

type Auth = (key: string) => Record<string, string>

/** Wherever the key goes, the operator's headers go too, and `NO_KEY` goes nowhere. */
function withHeaders(provider: Provider, headers: Record<string, string>): Provider {
  if (!provider.needsNoKey) return provider
  const wrap =
    (auth: Auth): Auth =>
    (key) =>
      key === NO_KEY ? headers : { ...headers, ...auth(key) }
  const wrapOwn = <T extends { authHeaders?: Auth }>(part: T): T =>
    part.authHeaders ? { ...part, authHeaders: wrap(part.authHeaders) } : part
  return {
    ...provider,
    authHeaders: wrap(provider.authHeaders),
    speaks: provider.speaks.map(wrapOwn),
    modelListing: provider.modelListing && wrapOwn(provider.modelListing),
    probe: wrapOwn(provider.probe),
  }
}
