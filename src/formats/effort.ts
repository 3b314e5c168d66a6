import type { Dialect } from './dialect.ts'
import type { HubEffort, HubReasoning } from './hub.ts'
import { effortOf, type ModelFacts, nearestEffort } from './model-facts.ts'

/** What the client asks for, also where it names a number of tokens. */
export const askedEffort = (reasoning: HubReasoning | null): HubEffort | null =>
  reasoning?.effort ?? (reasoning?.budgetTokens == null ? null : effortOf(reasoning.budgetTokens))

type Lose = Parameters<Dialect['buildRequest']>[2]

/** What a model that is told an effort, and no number of tokens, is told; null: nothing. */
export function effortFor(reasoning: HubReasoning | null, facts: ModelFacts, lose: Lose): HubEffort | null {
  const asked = askedEffort(reasoning)
  if (asked === null || (asked === 'none' && facts.takesThinking)) return null
  if (facts.efforts) return nearestEffort(asked, facts.efforts)
  if (facts.reasons !== null) return asked
  // A model of which nothing is known may well refuse it, and one that does not reason need not be told so.
  if (asked !== 'none' && !facts.takesThinking) lose('reasoning')
  return null
}

/** Models that reason take no sampling while they do. */
export function maySample(facts: ModelFacts, effort: HubEffort | null): boolean {
  if (facts.takesSampling) return true
  const canRest = facts.efforts?.includes('none') ?? false
  return canRest && (effort === null ? !facts.reasonsUnasked : effort === 'none')
}
