import type { Strategy } from './types.ts'

/** How a target stands now. */
export type Standing = {
  /** When it is fit again, null when it is. */
  returnsAt: number | null
  inFlight: number
  firstEventMs: number | null
  errorRate: number | null
}

export type Ordering<T> = {
  standingOf(target: T): Standing
  /** Null: nobody knows. */
  priceOf(target: T): number | null
  /** Counts the requests of a route. */
  nextTurn(): number
  random(): number
}

/** So often the fastest gives way to any other, so that it comes out when another has become faster. */
const EXPLORED = 0.05

/** The targets that are fit, as the strategy has them, then the others, the soonest to return first. None is left out. */
export function orderTargets<T extends { weight: number }>(
  strategy: Strategy,
  targets: readonly T[],
  ordering: Ordering<T>,
): T[] {
  const all = targets.map((target) => ({ target, standing: ordering.standingOf(target) }))
  const fit = all.filter(({ standing }) => standing.returnsAt === null)
  const unfit = all.filter(({ standing }) => standing.returnsAt !== null)
  const ordered = fit.length < 2 && strategy !== 'round_robin' ? fit : ORDERS[strategy](fit, ordering)
  unfit.sort((a, b) => a.standing.returnsAt! - b.standing.returnsAt!)
  return [...ordered, ...unfit].map(({ target }) => target)
}

type Candidate<T> = { target: T; standing: Standing }
type Order = <T extends { weight: number }>(fit: Candidate<T>[], ordering: Ordering<T>) => Candidate<T>[]

const ORDERS: Record<Strategy, Order> = {
  fallback: (fit) => fit,
  weighted: (fit, { random }) => sortedBy(fit, ({ target }) => lot(target.weight, random)),
  round_robin(fit, { nextTurn }) {
    const first = nextTurn() % Math.max(1, fit.length)
    return [...fit.slice(first), ...fit.slice(0, first)]
  },
  least_latency(fit, { random }) {
    const sorted = sortedBy(fit, ({ standing }) => slowness(standing))
    if (random() >= EXPLORED) return sorted
    const [explored] = sorted.splice(1 + Math.floor(random() * (sorted.length - 1)), 1)
    return [explored!, ...sorted]
  },
  // Among equally busy ones, chance: else the first would be flooded whenever all are idle.
  least_busy: (fit, { random }) =>
    sortedBy(
      shuffled(fit, random),
      ({ target, standing }) => standing.inFlight / Math.max(target.weight, Number.MIN_VALUE),
    ),
  cheapest: (fit, { priceOf }) => sortedBy(fit, ({ target }) => priceOf(target) ?? Number.POSITIVE_INFINITY),
}

/** Sorted by these, by chance one after the other is drawn in proportion to its weight (Efraimidis and Spirakis, 2006). */
export const lot = (weight: number, random: () => number): number =>
  weight > 0 ? -Math.log(1 - random()) / weight : Number.POSITIVE_INFINITY

/** With one more. */
export const load = (inFlight: number, weight: number): number =>
  weight > 0 ? (inFlight + 1) / weight : Number.POSITIVE_INFINITY

/**
 * Milliseconds to a first event, with what it costs to try again after an error. One that nobody has tried comes first, once: while its
 * first answer is awaited, and after failures alone, it stands behind those that are known.
 */
function slowness({ firstEventMs, errorRate, inFlight }: Standing): number {
  if (firstEventMs === null) return errorRate === null && inFlight === 0 ? -1 : Number.MAX_VALUE
  return firstEventMs / Math.max(0.1, 1 - (errorRate ?? 0))
}

const shuffled = <T>(list: readonly T[], random: () => number) => sortedBy(list, random)

/** Each value is asked for once; equals stay in their order. */
function sortedBy<T>(list: readonly T[], rank: (item: T) => number): T[] {
  return list
    .map((item) => ({ item, value: rank(item) }))
    .sort((a, b) => compare(a.value, b.value))
    .map(({ item }) => item)
}

/** Also of infinities. */
export const compare = (a: number, b: number): number => (a === b ? 0 : a - b)
