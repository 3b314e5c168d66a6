import type { Json } from '../dialect.ts'
import type { HubReasoningPart } from '../hub.ts'
import { records, text, textOrNull } from '../read.ts'
import { type CallSeal, readSeal } from './seals.ts'

/** Between the parts of a summary, as those who show it put them. */
export const PARAGRAPH = '\n\n'

/** An item that holds no thought, nor a seal of one, gives no part. `seal`: of a tool call, for which an item may stand as well. */
export function parseReasoning(item: Json): { part: HubReasoningPart | null; seal: CallSeal | null } {
  const id = textOrNull(item.id)
  const said = textOf(item.summary) || textOf(item.content)
  const { thought, call: seal } = readSeal(text(item.encrypted_content))
  if (said === '' && thought === null) return { part: null, seal }
  return { part: { type: 'reasoning', text: said, ...thought, ...(id !== null && { id }) }, seal }
}

/** Of a summary, or of thoughts that are shown as they are. */
const textOf = (parts: unknown) =>
  records(parts)
    .map((part) => text(part.text))
    .join(PARAGRAPH)
