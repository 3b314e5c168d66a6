import type { AppContext } from '../../context.ts'
import { NO_KEY } from '../../providers/index.ts'
import { type Doing, healthOf } from '../provider-health.ts'

export type Card = Doing & { name: string }

/** Of each provider that can be asked: how it does, by what this process knows of its keys and models. */
export function providerCards({ providers, live }: Pick<AppContext, 'providers' | 'live'>): Card[] {
  const lanes = Map.groupBy(live.snapshot(), ({ provider }) => provider)
  const benches = Map.groupBy(live.benches(), ({ provider }) => provider)
  return providers
    .list()
    .filter(({ name, sharedKey }) => (sharedKey !== null && sharedKey !== NO_KEY) || lanes.has(name))
    .map(({ name }) => ({ name, ...healthOf(lanes.get(name) ?? [], benches.get(name)?.length ?? 0) }))
}
