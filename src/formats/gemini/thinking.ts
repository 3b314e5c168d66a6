import type { Dialect, Json } from '../dialect.ts'
import { askedEffort } from '../effort.ts'
import type { HubReasoning, HubRequest } from '../hub.ts'
import { BUDGETS, type ModelFacts, nearestEffort } from '../model-facts.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/** By a budget of tokens or by a level, as the model has it. Thoughts are told unless the client does not want them. */
export function buildThinking({ reasoning }: HubRequest, facts: ModelFacts, lose: Lose): Json | null {
  if (reasoning === null) return null
  const isOff = reasoning.effort === 'none' || reasoning.budgetTokens === 0
  if (facts.reasons === null) {
    if (!isOff && (reasoning.effort !== null || reasoning.budgetTokens !== null)) lose('reasoning')
    return null
  }
  if (isOff) return leastThinking(facts, lose)
  const told = { includeThoughts: reasoning.shown !== false }
  return facts.reasons === 'budget'
    ? { ...told, ...budgetOf(reasoning, facts) }
    : { ...told, ...levelOf(reasoning, facts) }
}

/** Some cannot be told not to think: as little as they take, and it is said that it was more than asked for. */
function leastThinking({ reasons, budget, efforts }: ModelFacts, lose: Lose): Json {
  if (reasons === 'budget' && budget.none) return { thinkingBudget: 0 }
  lose('reasoning')
  return reasons === 'budget'
    ? { thinkingBudget: budget.least }
    : { thinkingLevel: (efforts?.[0] ?? 'low').toUpperCase() }
}

function budgetOf({ effort, budgetTokens }: HubReasoning, { budget }: ModelFacts): Json {
  const wanted = budgetTokens ?? (effort && BUDGETS[effort])
  if (wanted === null) return {}
  return { thinkingBudget: Math.min(budget.most, Math.max(budget.least, wanted)) }
}

function levelOf(reasoning: HubReasoning, { efforts }: ModelFacts): Json {
  const wanted = askedEffort(reasoning)
  if (wanted === null) return {}
  return { thinkingLevel: (efforts ? nearestEffort(wanted, efforts) : wanted).toUpperCase() }
}
