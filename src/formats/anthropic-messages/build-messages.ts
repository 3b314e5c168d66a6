import type { Dialect, Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubReasoningPart } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { argumentsOf } from '../read.ts'
import { isOwnSeal } from '../seals.ts'
import { buildDocument, buildImage } from './build-sources.ts'
import { writeCache } from './cache.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]
type Turn = { role: 'user' | 'assistant'; content: Json[] }

const isInstruction = ({ role }: HubMessage) => role === 'system' || role === 'developer'

/** Without anybody who says anything instructions are what is said. */
const areAlone = (messages: HubMessage[]) => messages.every(isInstruction)

/** All instructions, wherever they stood, as one; a plain text where nothing is to be cached up to a part of it. */
export function buildSystem(messages: HubMessage[], told: string | null, lose: Lose): string | Json[] | null {
  const parts: HubPart[] = areAlone(messages) ? [] : messages.filter(isInstruction).flatMap((message) => message.parts)
  const blocks = [...parts, ...(told === null ? [] : [{ type: 'text' as const, text: told }])].flatMap((part) => {
    if (part.type !== 'text') lose(`part:${part.type}`)
    else if (part.text.trim() !== '') return [{ text: part.text, cache: part.cache }]
    return []
  })
  if (blocks.length === 0) return null
  if (blocks.every(({ cache }) => cache === undefined)) return blocks.map(({ text }) => text).join('\n')
  return blocks.map(({ text, cache }) => ({ type: 'text', text, ...writeCache(cache) }))
}

/** Turns of user and assistant by turns, beginning with the user; results of tools stand first in theirs. */
export function buildMessages(messages: HubMessage[], facts: ModelFacts, lose: Lose): Json[] {
  const isAlone = areAlone(messages)
  const turns: Turn[] = []
  for (const message of messages) {
    if (message.name !== undefined) lose('part:messages.name')
    if (isInstruction(message) && !isAlone) continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = message.parts.flatMap((part) => buildBlock(part, role, lose))
    if (content.length === 0) continue
    const last = turns.at(-1)
    if (last?.role !== role) turns.push({ role, content })
    // One by one: very many would overflow the stack as arguments of a call.
    else for (const block of content) last.content.push(block)
  }
  for (const { content } of turns)
    if (content.some(isResult)) content.sort((a, b) => Number(isResult(b)) - Number(isResult(a)))
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', content: [{ type: 'text', text: '…' }] })
  endWithUser(turns, facts, lose)
  return turns
}

const isResult = ({ type }: Json) => type === 'tool_result'

/** An answer that the client has begun: newer models do not go on with it, older ones want it without blanks at its end. */
function endWithUser(turns: Turn[], { takesPrefill }: ModelFacts, lose: Lose): void {
  const last = turns.at(-1)
  if (last?.role !== 'assistant') return
  const block = last.content.at(-1)!
  if (!takesPrefill) {
    lose('part:prefill')
    turns.push({ role: 'user', content: [{ type: 'text', text: 'Continue.' }] })
  } else if (block.type === 'text') block.text = String(block.text).trimEnd()
}

function buildBlock(part: HubPart, role: Turn['role'], lose: Lose): Json[] {
  const cache = writeCache(part.cache)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text, ...cache }]
    case 'reasoning':
      return role === 'assistant' ? buildThought(part) : []
    case 'tool_call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: argumentsOf(part.arguments), ...cache }]
    case 'tool_result':
      return [
        {
          type: 'tool_result',
          tool_use_id: part.id,
          content: part.parts.flatMap((inner) => buildBlock(inner, 'user', lose)),
          ...(part.isError === true && { is_error: true }),
          ...cache,
        },
      ]
    case 'image':
      return role === 'assistant' ? loseShown(part, lose) : buildImage(part.source, undefined, cache, lose)
    case 'file':
      return role === 'assistant' ? loseShown(part, lose) : buildDocument(part.source, part.name, cache, lose)
    default:
      lose(`part:${part.type}`)
      return []
  }
}

/** What another model drew: only a user shows anything here. */
function loseShown({ type }: HubPart, lose: Lose): Json[] {
  lose(`part:${type}`)
  return []
}

/** A thought without a seal, or with another provider's, is not taken back, and need not be there. */
function buildThought(part: HubReasoningPart): Json[] {
  if (!isOwnSeal(part, 'anthropic-messages')) return []
  const { text, signature, redacted } = part
  if (redacted !== undefined) return [{ type: 'redacted_thinking', data: redacted }]
  return signature === undefined ? [] : [{ type: 'thinking', thinking: text, signature }]
}
