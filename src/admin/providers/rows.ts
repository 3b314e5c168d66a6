import { demo } from '../../providers/demo.ts'
import { type ConfiguredProvider, NO_KEY, PROVIDER_NAMES } from '../../providers/index.ts'
import { settingOf } from '../../providers/setting-names.ts'
import type { KeyBench, LaneState } from '../../routing/live.ts'
import type { UsageReportRow } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'
import { type Doing, healthOf } from '../provider-health.ts'

/** Whose key requests go with; `built_in`: the demo's own. */
export type KeySource = 'operator' | 'not_needed' | 'built_in' | 'projects' | 'none'

export type ProviderRow = {
  name: string
  baseUrl: string
  keySource: KeySource
  /** Keys that projects have for it. */
  projectKeys: number
  /** In its list as it was known last; null: it is not known. */
  models: number | null
  doing: Doing
  resting: KeyBench[]
  /** What is left of the provider's own limits where it is least; null: it tells nothing. */
  remaining: { requests: number | null; tokens: number | null }
  /** Of the last 24 hours; null: there was none. */
  usage: UsageReportRow | null
}

export type ProviderList = { rows: ProviderRow[]; unused: { name: string; setting: string }[] }

const HOUR_MS = 3_600_000

/** Providers that have a key or did something; and, by name, those that wait for one. */
export async function readProviders({ ctx, reads, now }: Visit): Promise<ProviderList> {
  const [{ rows: usage }, projectKeys] = await Promise.all([
    reads.usage({ groupBy: ['provider'], filter: { from: lastDay(now) } }),
    reads.countKeysByProvider(),
  ])
  const lanes = Map.groupBy(ctx.live.snapshot(), ({ provider }) => provider)
  const benches = Map.groupBy(ctx.live.benches(), ({ provider }) => provider)
  const byProvider = new Map(usage.map((row) => [row.keys[0], row]))
  const all = ctx.providers.list()
  const rows = all.map((provider): ProviderRow => {
    const { name, sharedKey } = provider
    const [own, resting] = [lanes.get(name) ?? [], benches.get(name) ?? []]
    const keys = projectKeys.get(name) ?? 0
    return {
      name,
      baseUrl: provider.baseUrl,
      keySource: keySourceOf(provider, keys),
      projectKeys: keys,
      models: sharedKey === null ? null : (ctx.modelLists.known(provider, sharedKey)?.length ?? null),
      doing: healthOf(own, resting.length),
      resting,
      remaining: remainingOf(own),
      usage: byProvider.get(name) ?? null,
    }
  })
  const isInUse = ({ keySource, doing, usage }: ProviderRow) =>
    keySource !== 'none' || doing.health !== 'unused' || usage !== null
  const shown = rows.filter(isInUse)
  return { rows: shown, unused: waiting(all, new Set(shown.map(({ name }) => name))) }
}

/** From a full hour on, which the ledger has summed up already. */
export const lastDay = (now: number): number => Math.floor(now / HOUR_MS) * HOUR_MS - 23 * HOUR_MS

export function keySourceOf({ name, sharedKey }: ConfiguredProvider, projectKeys: number): KeySource {
  if (name === demo.name) return 'built_in'
  if (sharedKey === NO_KEY) return 'not_needed'
  if (sharedKey !== null) return 'operator'
  return projectKeys > 0 ? 'projects' : 'none'
}

export function remainingOf(lanes: readonly LaneState[]): ProviderRow['remaining'] {
  const least = (values: number[]) => (values.length === 0 ? null : Math.min(...values))
  return {
    requests: least(lanes.flatMap(({ remainingRequests }) => remainingRequests ?? [])),
    tokens: least(lanes.flatMap(({ remainingTokens }) => remainingTokens ?? [])),
  }
}

/** `setting`: what would make one usable. Those without a known address are not even in the list before they are given one. */
function waiting(all: readonly ConfiguredProvider[], inUse: ReadonlySet<string>): ProviderList['unused'] {
  const withAddress = new Set(all.map(({ name }) => name))
  const names = new Set([...withAddress, ...PROVIDER_NAMES])
  return [...names]
    .filter((name) => !inUse.has(name))
    .map((name) => ({ name, setting: settingOf(name, withAddress.has(name) ? 'api_key' : 'base_url') }))
}
