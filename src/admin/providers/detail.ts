import { openKey, SHARED_KEY_ID } from '../../domain/provider-operations.ts'
import { GatewayError } from '../../errors.ts'
import { type ConfiguredProvider, NO_KEY } from '../../providers/index.ts'
import { settingOf } from '../../providers/setting-names.ts'
import type { KeyBench, LaneState } from '../../routing/live.ts'
import type { LedgerRow, ProviderKey, UsageReportRow, UsageSums } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'
import { periodOf, slotsOf } from '../periods.ts'
import { type Doing, healthOf } from '../provider-health.ts'
import { type ModelTable, readModels } from './models.ts'
import { type KeySource, keySourceOf, lastDay } from './rows.ts'

/** A key that the provider can be asked with. `id`: of a project's key, or `shared`. */
export type KeyRow = {
  id: string
  label: string
  project: { id: string; name: string } | null
  last4: string
  weight: number | null
  bench: KeyBench | null
}

export type Lanes = { provider: string; doing: Doing; lanes: (LaneState & { key: string })[]; hidden: number }

export type ProviderDetail = Lanes & {
  baseUrl: string
  keySource: KeySource
  keySetting: string
  keys: KeyRow[]
  models: ModelTable
  day: UsageSums
  slots: string[]
  bySlot: Map<string, UsageReportRow>
  errors: LedgerRow[]
  limits: { maxConcurrent: number; maxQueued: number; queueTimeoutMs: number } | null
}

const MAX_LANES = 200
const MAX_ERRORS = 10
const DAY_MS = 86_400_000

/** Throws `not_found`. */
export function requireProvider({ ctx, params }: Visit): ConfiguredProvider {
  const provider = ctx.providers.get(params.name!)
  if (provider !== null) return provider
  throw new GatewayError('not_found', { message: 'There is no such provider, or nobody has said where it is.' })
}

/** What is measured at this moment. */
export async function readLanes(visit: Visit): Promise<Lanes> {
  const { name } = requireProvider(visit)
  return lanesOf(visit, name, await visit.reads.keysOfProvider(name))
}

function lanesOf({ ctx }: Visit, name: string, keys: readonly ProviderKey[]): Lanes {
  const lanes = ctx.live.snapshot().filter(({ provider }) => provider === name)
  const resting = ctx.live.benches().filter(({ provider }) => provider === name)
  const labels = new Map(keys.map((key) => [key.id, labelOf(key)]))
  // What fails comes first, then what is busy.
  const trouble = ({ breaker, benchedUntil }: LaneState) => Number(breaker !== 'closed') + Number(benchedUntil !== null)
  const sorted = lanes.sort((a, b) => trouble(b) - trouble(a) || b.inFlight - a.inFlight)
  return {
    provider: name,
    doing: healthOf(lanes, resting.length),
    lanes: sorted.slice(0, MAX_LANES).map((lane) => ({ ...lane, key: labels.get(lane.keyId) ?? lane.keyId })),
    hidden: Math.max(0, lanes.length - MAX_LANES),
  }
}

const labelOf = ({ last4, id }: Pick<ProviderKey, 'last4' | 'id'>) => (last4 === '' ? id : `…${last4}`)

export async function readProvider(visit: Visit): Promise<ProviderDetail> {
  const { ctx, reads, query, now } = visit
  const provider = requireProvider(visit)
  const { name } = provider
  const week = periodOf('7d', now)
  const [stored, day, bySlot, errors] = await Promise.all([
    reads.keysOfProvider(name),
    reads.usage({ groupBy: [], filter: { provider: name, from: lastDay(now) } }),
    reads.usage({ groupBy: ['day'], filter: { provider: name, from: week.from, to: week.to } }),
    reads.requests({ provider: name, failed: true, from: now - 7 * DAY_MS }, { limit: MAX_ERRORS }),
  ])
  return {
    ...lanesOf(visit, name, stored),
    baseUrl: provider.baseUrl,
    keySource: keySourceOf(provider, stored.length),
    keySetting: settingOf(name, 'api_key'),
    keys: await keyRows(visit, provider, stored),
    models: readModels(ctx, provider, listingKey(visit, provider, stored), { search: query.text('q'), now }),
    day: day.totals,
    slots: slotsOf(week),
    bySlot: new Map(bySlot.rows.map((row) => [row.keys[0]!, row])),
    errors: errors.data,
    limits: Object.hasOwn(ctx.config.providers, name) ? (ctx.config.providers[name]!.limits ?? null) : null,
  }
}

async function keyRows(visit: Visit, provider: ConfiguredProvider, stored: ProviderKey[]): Promise<KeyRow[]> {
  const { ctx, reads } = visit
  const benches = new Map(ctx.live.benches().map((bench) => [`${bench.provider}\n${bench.keyId}`, bench]))
  const benchOf = (id: string) => benches.get(`${provider.name}\n${id}`) ?? null
  const names = new Map(stored.length === 0 ? [] : (await reads.projects()).map(({ id, name }) => [id, name]))
  const shared: KeyRow[] =
    provider.sharedKey === null
      ? []
      : [
          {
            id: SHARED_KEY_ID,
            label: provider.sharedKey === NO_KEY ? 'without a key' : "the operator's",
            project: null,
            last4: '',
            weight: null,
            bench: benchOf(SHARED_KEY_ID),
          },
        ]
  const owned = stored.map((key) => ({
    id: key.id,
    label: labelOf(key),
    project: { id: key.projectId, name: names.get(key.projectId) ?? key.projectId },
    last4: key.last4,
    weight: key.weight,
    bench: benchOf(key.id),
  }))
  return [...shared, ...owned]
}

/** The key whose list of models is shown: the operator's, else the first of a project that opens. */
export function listingKey({ parts }: Visit, { sharedKey }: ConfiguredProvider, stored: ProviderKey[]): string | null {
  if (sharedKey !== null || stored.length === 0) return sharedKey
  try {
    return openKey(parts.sealer, stored[0]!)
  } catch {
    // The key itself is shown as it is; without its list the page still tells all the rest.
    return null
  }
}
