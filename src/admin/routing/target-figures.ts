import { compileGlob } from '../../domain/globs.ts'
import { familyName } from '../../formats/model-facts.ts'
import type { LaneState } from '../../routing/live.ts'
import { type Doing, healthOf } from '../provider-health.ts'

/** How a target of a route does, over all keys. `restsUntil`: its keys rest, all of them, the first until then. */
export type TargetFigures = Doing & { restsUntil: number | null; retryAt: number | null }

type Target = { provider: string; model: string | null }

/** Looks targets up among the lanes of this moment. */
export function indexLanes(lanes: readonly LaneState[]): (pattern: string, target: Target) => TargetFigures {
  const byProvider = Map.groupBy(lanes, ({ provider }) => provider)
  const byModel = Map.groupBy(lanes, ({ provider, model }) => `${provider}\n${familyName(model)}`)
  return (pattern, { provider, model }) => {
    const asked = model ?? pattern
    const isOpen = model === null && pattern.includes('*')
    const fits = isOpen ? compileGlob(pattern) : null
    const own = fits
      ? (byProvider.get(provider) ?? []).filter((lane) => fits(lane.model))
      : (byModel.get(`${provider}\n${familyName(asked)}`) ?? [])
    const resting = own.flatMap(({ benchedUntil }) => benchedUntil ?? [])
    const retries = own.flatMap(({ retryAt }) => retryAt ?? [])
    return {
      ...healthOf(own, resting.length),
      restsUntil: own.length > 0 && resting.length === own.length ? Math.min(...resting) : null,
      retryAt: retries.length === 0 ? null : Math.min(...retries),
    }
  }
}
