import { createHash } from 'node:crypto'
import type { HubMessage, HubRequest } from './hub.ts'
import type { ModelFacts } from './model-facts.ts'

/**
 * The messages with ids of tool calls that the model takes, each once in the conversation. A call and its result still belong
 * together; an id that is good already (its own) stays.
 */
export function withCallIds(messages: HubMessage[], { callIds }: Pick<ModelFacts, 'callIds'>): HubMessage[] {
  if (callIds === 'any' || !messages.some(({ parts }) => parts.some(isCall))) return messages
  const toId = WRITERS[callIds]
  const taken = new Set<string>()
  /** Ids of calls that still wait for their result, and of the last that has one, by what they were. */
  const open = new Map<string, { ids: string[]; next: number }>()
  const answered = new Map<string, string>()
  /** How many calls had that id. */
  const copies = new Map<string, number>()
  const name = (id: string): string => {
    for (let copy = (copies.get(id) ?? 0) + 1; ; copy++) {
      const one = toId(copy === 1 ? id : `${id}#${copy}`)
      if (taken.has(one)) continue
      taken.add(one)
      copies.set(id, copy)
      return one
    }
  }
  return messages.map((message) => {
    if (!message.parts.some((part) => isCall(part) || part.type === 'tool_result')) return message
    const parts = message.parts.map((part) => {
      if (isCall(part)) {
        const id = name(part.id)
        const waiting = open.get(part.id)
        if (waiting) waiting.ids.push(id)
        else open.set(part.id, { ids: [id], next: 0 })
        return { ...part, id }
      }
      if (part.type !== 'tool_result') return part
      const waiting = open.get(part.id)
      const id = waiting?.ids[waiting.next++] ?? answered.get(part.id) ?? toId(part.id)
      answered.set(part.id, id)
      return { ...part, id }
    })
    return { ...message, parts }
  })
}

/**
 * Ids for the calls of an answer, as the client may see them: some servers leave them out, or count them anew in each answer, and
 * clients find a result's call by its id alone.
 */
export function freshCallIds({ messages }: Pick<HubRequest, 'messages'>): (id: string) => string {
  let taken: Set<string> | null = null
  return (id) => {
    taken ??= new Set(messages.flatMap(({ parts }) => parts.flatMap((part) => (isCall(part) ? [part.id] : []))))
    let fresh = id === '' ? 'call_1' : id
    for (let copy = 2; taken.has(fresh); copy++) fresh = id === '' ? `call_${copy}` : `${id}_${copy}`
    taken.add(fresh)
    return fresh
  }
}

const isCall = (part: HubMessage['parts'][number]) => part.type === 'tool_call'

const WRITERS: Record<Exclude<ModelFacts['callIds'], 'any'>, (id: string) => string> = {
  short: (id) => (id.length <= 40 && id !== '' ? id : `call_${digest(id).slice(0, 32)}`),
  // The hash keeps two ids apart that differ in what is replaced.
  word: (id) => (/^[\w-]+$/.test(id) ? id : `${id.replace(/[^\w-]/g, '_').slice(0, 48)}_${digest(id).slice(0, 12)}`),
  nine: (id) => (/^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(id).slice(0, 9)),
}

const digest = (id: string) => createHash('sha256').update(id).digest('hex')
