import type { HubMessage, HubPart } from '../hub.ts'
import { readText, refuse } from '../read.ts'
import { readMessage, readMessages } from './fields.ts'
import { parsePart } from './parse-parts.ts'

/** The tool calls of a conversation, whose ids are missing more often than not: results belong to them by name and order. */
export type Calls = {
  /** The id of a call, which is `given` or made from where it stands. */
  open(given: string | null, name: string, at: string): string
  /** The id of the call that a result belongs to; null when there is none. */
  answer(given: string | null, name: string): string | null
  /** The model speaks anew: what it called before has been answered, or never will be. */
  startTurn(): void
}

export function parseContents(contents: unknown, unknown: string[]): HubMessage[] {
  const calls = createCalls()
  const messages: HubMessage[] = []
  readMessages(contents, 'contents').forEach((content, index) => {
    const at = `contents[${index}]`
    const role = roleOf(readText(content.role, `${at}.role`), at)
    const last = messages.at(-1)
    if (role === 'assistant' && last?.role !== 'assistant') calls.startTurn()
    const parts = readMessages(content.parts, `${at}.parts`).flatMap((part, place) =>
      parsePart(part, `${at}.parts[${place}]`, calls, unknown),
    )
    // Those who kept a streamed answer send back a content for each of its events.
    if (role === 'assistant' && last?.role === 'assistant') joinTo(last.parts, parts)
    else messages.push({ role, parts: role === 'assistant' ? joinTo([], parts) : parts })
  })
  return messages
}

export function parseSystem(instruction: unknown): HubMessage[] {
  const content = readMessage(instruction, 'systemInstruction')
  const parts = readMessages(content?.parts, 'systemInstruction.parts').flatMap(({ text }, index): HubPart[] => {
    const said = readText(text, `systemInstruction.parts[${index}].text`)
    if (said === null) return refuse(`systemInstruction.parts[${index}]`, 'must be a text')
    return said === '' ? [] : [{ type: 'text', text: said }]
  })
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

function roleOf(role: string | null, at: string): 'user' | 'assistant' {
  if (role === 'model') return 'assistant'
  if (role === null || role === '' || role === 'user' || role === 'function') return 'user'
  return refuse(`${at}.role`, 'must be one of user, model')
}

/** Pieces of one text, or of one thought up to its seal, as one. */
function joinTo(whole: HubPart[], parts: HubPart[]): HubPart[] {
  for (const part of parts) {
    const last = whole.at(-1)
    if (part.type === 'text' && last?.type === 'text')
      whole[whole.length - 1] = { ...last, text: last.text + part.text }
    else if (part.type === 'reasoning' && last?.type === 'reasoning' && isOpen(last) && part.redacted === undefined)
      whole[whole.length - 1] = { ...part, text: last.text + part.text }
    else whole.push(part)
  }
  return whole
}

const isOpen = ({ signature, redacted }: HubPart & { type: 'reasoning' }) =>
  signature === undefined && redacted === undefined

function createCalls(): Calls {
  let byId = new Map<string, Queue>()
  let byName = new Map<string, Queue>()
  return {
    open(given, name, at) {
      // `contents[1].parts[0].functionCall`: where it stands does not change while the conversation grows.
      const id = given || `call_${at.match(/\d+/g)!.join('_')}`
      const call = { id, isAnswered: false }
      enqueue(byId, id, call)
      enqueue(byName, name, call)
      return id
    },
    answer(given, name) {
      const call = (given === null ? null : firstUnanswered(byId, given)) ?? firstUnanswered(byName, name)
      if (call === null) return null
      call.isAnswered = true
      return call.id
    },
    startTurn() {
      byId = new Map()
      byName = new Map()
    },
  }
}

type Call = { id: string; isAnswered: boolean }
/** Calls in their order; all before `next` are answered. */
type Queue = { calls: Call[]; next: number }

function enqueue(queues: Map<string, Queue>, key: string, call: Call): void {
  const queue = queues.get(key)
  if (queue) queue.calls.push(call)
  else queues.set(key, { calls: [call], next: 0 })
}

function firstUnanswered(queues: Map<string, Queue>, key: string): Call | null {
  const queue = queues.get(key)
  if (!queue) return null
  while (queue.calls[queue.next]?.isAnswered) queue.next++
  return queue.calls[queue.next] ?? null
}
