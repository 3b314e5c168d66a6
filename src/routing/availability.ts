import type { LaneState } from './live.ts'

export type Availability = { isAvailable: boolean; latencyMs: number | null }

/** Of the lanes of one model: whether any of them serves, and how fast the fastest that does gives its first event. */
export function availabilityOf(lanes: readonly LaneState[]): Availability {
  const serving = lanes.filter(
    ({ breaker, isFailing, benchedUntil }) => breaker !== 'open' && !isFailing && benchedUntil === null,
  )
  const known = (serving.length > 0 ? serving : lanes).flatMap(({ firstEventMs }) => firstEventMs ?? [])
  return {
    isAvailable: serving.length > 0,
    latencyMs: known.length === 0 ? null : Math.round(Math.min(...known)),
  }
}

/** Of every model that was asked for, by its name. One that only ever got refusals may not exist: callers choose the names. */
export function modelsAvailable(lanes: readonly LaneState[]): ({ model: string } & Availability)[] {
  const real = lanes.filter(
    ({ model, firstEventMs, isFailing }) => model !== '' && (firstEventMs !== null || isFailing),
  )
  return [...Map.groupBy(real, ({ model }) => model)]
    .map(([model, its]) => ({ model, ...availabilityOf(its) }))
    .sort((a, b) => (a.model < b.model ? -1 : 1))
}
