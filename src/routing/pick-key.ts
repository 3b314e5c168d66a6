import type { Live } from './live.ts'
import { compare, load, lot } from './order.ts'
import type { KeyPolicy } from './types.ts'

/**
 * The order in which to try the keys of a provider: those that are fit by chance in proportion to their weight, or the least busy first; then
 * those that rest, the soonest to return first. Pure but for `random`.
 */
export function pickKey<K extends { id: string; provider: string; weight: number }>(
  live: Pick<Live, 'benchedUntil' | 'inFlight'>,
  { strategy }: KeyPolicy,
  keys: readonly K[],
  random: () => number = Math.random,
): K[] {
  if (keys.length < 2) return [...keys]
  return keys
    .map((key) => {
      const { provider, id, weight } = key
      const busy = strategy === 'least_busy' ? load(live.inFlight(provider, id), weight) : 0
      return { key, until: live.benchedUntil(provider, id) ?? 0, busy, lot: lot(weight, random) }
    })
    .sort((a, b) => a.until - b.until || compare(a.busy, b.busy) || compare(a.lot, b.lot))
    .map(({ key }) => key)
}
