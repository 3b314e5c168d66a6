import type { Dialect, Json } from '../dialect.ts'
import { askedEffort } from '../effort.ts'
import type { HubMessage, HubRequest } from '../hub.ts'
import { BUDGETS, type ModelFacts, nearestEffort } from '../model-facts.ts'
import { isOwnSeal } from '../seals.ts'
import { isForced } from '../tool-choice.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]
export type Thinking = { config: Json | null; effort: string | null }

const NO_THINKING: Thinking = { config: null, effort: null }

export const isThinking = ({ config }: Thinking) => config !== null && config.type !== 'disabled'

export function buildThinking(request: HubRequest, facts: ModelFacts, maxTokens: number, lose: Lose): Thinking {
  const { reasoning } = request
  if (reasoning === null) return NO_THINKING
  const { budgetTokens, shown } = reasoning
  const effort = askedEffort(reasoning)
  if (effort === null && shown !== true) return NO_THINKING
  if (facts.reasons === null) {
    if (effort !== null && effort !== 'none') lose('reasoning')
    return NO_THINKING
  }
  if (facts.reasons === 'adaptive') {
    if (effort === 'none') return { config: { type: 'disabled' }, effort: null }
    return {
      config: { type: 'adaptive', display: shown === false ? 'omitted' : 'summarized' },
      effort: effort && facts.efforts && nearestEffort(effort, facts.efforts),
    }
  }
  if (effort === null || effort === 'none') return NO_THINKING
  const budget = Math.min(Math.max(budgetTokens ?? BUDGETS[effort], facts.budget.least), maxTokens - 1)
  if (budget < facts.budget.least || !leavesRoom(request)) {
    lose('reasoning')
    return NO_THINKING
  }
  return { config: { type: 'enabled', budget_tokens: budget }, effort: null }
}

/** Thinking begins an answer: it goes neither with a call that is forced, nor with an answer that is begun or lacks its thought. */
const leavesRoom = ({ toolChoice, messages }: HubRequest) =>
  !isForced(toolChoice) && messages.at(-1)?.role !== 'assistant' && !lacksItsThought(messages)

/** The conversation stands at the results of a turn whose thought, sealed, the client did not keep. */
function lacksItsThought(messages: HubMessage[]): boolean {
  const at = messages.findLastIndex(({ role }) => role === 'assistant')
  if (!messages.slice(at + 1).some(({ parts }) => parts.some(({ type }) => type === 'tool_result'))) return false
  return !messages[at]?.parts.some(
    (part) =>
      part.type === 'reasoning' &&
      (part.signature !== undefined || part.redacted !== undefined) &&
      isOwnSeal(part, 'anthropic-messages'),
  )
}
