import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig } from './load.ts'
import { GROUPS, OPTION_NAMES, type OptionName, optionOf, yamlPathOf } from './schema.ts'
import { GENERATED } from './secrets.ts'

/** An option as people may see it. Of a secret nothing is told but whether it is set. */
export type Setting = {
  name: string
  /** Its name in YAML, null where YAML cannot say it. */
  yaml: string | null
  group: string
  /** Null: a secret, or nothing is set. */
  value: string | null
  isSet: boolean
  isSecret: boolean
  /** What holds where nothing is set. */
  defaultText: string | null
  unit: string | null
  origin: 'environment' | '.env' | 'file' | 'generated' | 'default'
  /** To the letter: `environment: PORT`, `llm-proxy.yaml: port`; empty for a default. */
  source: string
  description: string
  /** A reload takes a new value over. */
  live: boolean
  /** Another value than at the start: `in_force` already, or one that `waits` for the next start. */
  change: 'in_force' | 'waits' | null
}

type Loaded = Pick<LoadedConfig, 'values' | 'shown' | 'origins' | 'sources'>

/** What is in force: of options that a reload takes over what was read last, of all others what was read at the start. */
export function describeSettings(atStart: Loaded, readLast: Loaded): Setting[] {
  return OPTION_NAMES.map((name) => {
    const option = optionOf(name)
    const live = option.live === true
    const isChanged = !isDeepStrictEqual(atStart.values[name], readLast.values[name])
    return {
      ...describeValue(name, live ? readLast : atStart),
      name,
      yaml: yamlPathOf(name),
      group: GROUPS[option.group],
      defaultText: option.defaultText?.replaceAll('`', '') ?? null,
      unit: option.unit ?? null,
      description: option.description,
      isSecret: Boolean(option.secret),
      live,
      change: isChanged ? (live ? 'in_force' : 'waits') : null,
    }
  })
}

function describeValue(name: OptionName, { values, shown, origins, sources }: Loaded) {
  const { secret, unquotable, secretPath } = optionOf(name)
  const file = origins[name] === 'default' ? GENERATED[name] : undefined
  if (file !== undefined)
    return { value: null, isSet: true, origin: 'generated' as const, source: `file ${file} in DATA_DIR` }
  const isSet = shown[name] !== '(none)'
  const isHidden = Boolean(secret) || !isSet
  const value = isHidden ? null : unquotable ? toAddress(values[name], secretPath === true) : shown[name]
  return { value, isSet, origin: originOf(origins[name], sources[name]), source: sources[name] ?? '' }
}

function originOf(origin: LoadedConfig['origins'][OptionName], source: string | null): Setting['origin'] {
  if (origin === 'env') return source?.startsWith('.env:') ? '.env' : 'environment'
  return origin
}

/** Without a name, password or query that may be in it. */
function toAddress(value: unknown, isPathSecret: boolean): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (url === null) return '(set)'
  if (!isPathSecret) return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`
  return `${url.origin}${url.pathname === '/' ? '' : '/…'}`
}
