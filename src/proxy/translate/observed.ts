import type { HubAnswer } from '../../formats/hub.ts'
import type { Observed } from '../../usage/observer.ts'

/** What the ledger is told of a whole answer. */
export function observedOf(answer: HubAnswer): Observed {
  const text = () =>
    answer.candidates
      .flatMap(({ parts }) =>
        parts.map((part) => (part.type === 'tool_call' ? part.arguments : 'text' in part ? part.text : '')),
      )
      .join('')
  return { usage: answer.usage, servedModel: answer.model || null, tools: null, text }
}
