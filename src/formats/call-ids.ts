import { createHash } from 'node:crypto'
import type { HubMessage } from './hub.ts'
import type { ModelFacts } from './model-facts.ts'

/**
 * The messages with ids of tool calls that the model takes. The same id always becomes the same one, so that a call and its result
 * still belong together, and one that is good already (its own) stays.
 */
export function withCallIds(messages: HubMessage[], { callIds }: Pick<ModelFacts, 'callIds'>): HubMessage[] {
  if (callIds === 'any') return messages
  const toId = callIds === 'word' ? toWord : toNine
  return messages.map((message) => ({
    ...message,
    parts: message.parts.map((part) =>
      part.type === 'tool_call' || part.type === 'tool_result' ? { ...part, id: toId(part.id) } : part,
    ),
  }))
}

/** The hash keeps two ids apart that differ in what is replaced. */
const toWord = (id: string) =>
  /^[\w-]+$/.test(id) ? id : `${id.replace(/[^\w-]/g, '_').slice(0, 48)}_${digest(id).slice(0, 12)}`

const toNine = (id: string) => (/^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(id).slice(0, 9))

const digest = (id: string) => createHash('sha256').update(id).digest('hex')
