import { isDeepStrictEqual } from 'node:util'
import type { ProviderConfig } from './config.ts'
import type { LoadedConfig } from './load.ts'
import { PROVIDER_NAMES } from './provider-options.ts'
import { OPTION_NAMES, optionOf } from './schema.ts'

type Compared = Pick<LoadedConfig, 'config' | 'values'>

/** What a reload takes over, by name: options, `routes`, `rules`. */
export function liveChanges(before: Compared, after: Compared): string[] {
  const lists = (['routes', 'rules'] as const).filter(
    (name) => !isDeepStrictEqual(before.config.routing[name], after.config.routing[name]),
  )
  return [...lists, ...changedOptions(before, after, true)]
}

/** What holds from the next start on, by name: options, and `providers.my-llm`. */
export function laterChanges(before: Compared, after: Compared): string[] {
  const own = new Set([before, after].flatMap(({ config }) => ownProviders(config)))
  const changed = [...own].filter(
    (name) => !isDeepStrictEqual(before.config.providers[name], after.config.providers[name]),
  )
  const lines = PROVIDER_NAMES.filter((name) =>
    hasOtherLine(before.config.providers[name], after.config.providers[name]),
  )
  const providers = [...lines, ...changed]
  const file = before.config.configFile === after.config.configFile ? [] : ['LLM_PROXY_CONFIG']
  const options = changedOptions(before, after, false)
  return [...new Set([...file, ...options, ...providers.map((name) => `providers.${name}`)])]
}

/** What the file alone says of a built-in provider. */
const hasOtherLine = (before?: ProviderConfig, after?: ProviderConfig): boolean =>
  before?.limits !== undefined &&
  after?.limits !== undefined &&
  !isDeepStrictEqual(after.limits, { ...before.limits, maxConcurrent: after.limits.maxConcurrent })

const changedOptions = (before: Compared, after: Compared, live: boolean): string[] =>
  OPTION_NAMES.filter(
    (name) => (optionOf(name).live === true) === live && !isDeepStrictEqual(before.values[name], after.values[name]),
  )

/** Those that are not built in. */
const ownProviders = ({ providers }: Compared['config']) =>
  Object.entries(providers).flatMap(([name, { kind }]) => (kind ? name : []))
