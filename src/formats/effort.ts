import type { HubEffort, HubReasoning } from './hub.ts'
import { effortOf, type ModelFacts, nearestEffort } from './model-facts.ts'

/** What a model that is told an effort, and no number of tokens, is told; null: nothing. */
export function effortFor(reasoning: HubReasoning | null, { efforts }: Pick<ModelFacts, 'efforts'>): HubEffort | null {
  const effort = reasoning?.effort ?? (reasoning?.budgetTokens == null ? null : effortOf(reasoning.budgetTokens))
  if (effort === null) return null
  if (efforts) return nearestEffort(effort, efforts)
  // A model of which nothing is known may well refuse it; one that is not known to reason is not asked to stop.
  return effort === 'none' ? null : effort
}
