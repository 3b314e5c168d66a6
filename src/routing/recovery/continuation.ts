import type { Dialect, Json } from '../../formats/dialect.ts'
import type { HubRequest } from '../../formats/hub.ts'
import { scanFields } from '../../formats/json-fields.ts'
import type { ModelFacts } from '../../formats/model-facts.ts'

/** A request for the rest of an answer. */
export type Continuation = {
  body: Buffer
  /** What the model is told that it has answered so far: without the blanks at the end, with which some refuse it. */
  beginning: string
  /** The answer may begin with `beginning` once more. */
  repeats: boolean
}

/** So much a model does not say twice by chance. */
const LONG_ENOUGH = 20

/**
 * The request with what has been answered as the beginning of the answer; every other byte stays. Null: this model, or this request,
 * does not take one, and has to be answered anew. `body`: as the target is asked; `dialect`: the target's.
 */
export function continuationOf(body: Buffer, dialect: Dialect, said: string, facts: ModelFacts): Continuation | null {
  const beginning = said.trimEnd()
  const messages = scanFields(body).findLast(({ key }) => key === 'messages')
  const isKnown = dialect.name === 'openai-chat' || dialect.name === 'anthropic-messages'
  if (beginning === '' || facts.continues === null || !facts.takesPrefill || !isKnown || !messages) return null
  const request = dialect.parseRequest(JSON.parse(body.toString()) as Json, { model: null, stream: true })
  if (!mayBeContinued(request, facts)) return null
  const mark = facts.continues === 'prefix' ? { prefix: true } : {}
  const message = `,${JSON.stringify({ role: 'assistant', content: beginning, ...mark })}`
  const at = messages.valueEnd - 1
  return {
    body: Buffer.concat([body.subarray(0, at), Buffer.from(message), body.subarray(at)]),
    beginning,
    repeats: facts.continues === 'prefix' || beginning.length >= LONG_ENOUGH,
  }
}

/** A thought would have to come before the beginning, a schema and a forced call have beginnings of their own. */
function mayBeContinued(request: HubRequest, facts: ModelFacts): boolean {
  const { messages, reasoning, format, toolChoice, candidates } = request
  const reasons =
    reasoning === null ? facts.reasonsUnasked : reasoning.effort !== 'none' && reasoning.budgetTokens !== 0
  const isFree = toolChoice === null || toolChoice.type === 'auto' || toolChoice.type === 'none'
  const isPlain = format === null || format.type === 'text'
  return messages.at(-1)?.role === 'user' && !reasons && isFree && isPlain && (candidates ?? 1) === 1
}
