import type { Dialect, Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubSource } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { argumentsOf } from '../read.ts'
import { writeCache } from './cache.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]
type Turn = { role: 'user' | 'assistant'; content: Json[] }

const isInstruction = ({ role }: HubMessage) => role === 'system' || role === 'developer'

/** All instructions, wherever they stood, as one; a plain text where nothing is to be cached up to a part of it. */
export function buildSystem(messages: HubMessage[], more: string | null): string | Json[] | null {
  // Without anybody who says anything they are what is said.
  const isAlone = messages.every(isInstruction)
  const parts: HubPart[] = isAlone ? [] : messages.filter(isInstruction).flatMap((message) => message.parts)
  const blocks = [...parts, ...(more === null ? [] : [{ type: 'text' as const, text: more }])].flatMap((part) =>
    part.type === 'text' && part.text.trim() !== '' ? { text: part.text, cache: part.cache } : [],
  )
  if (blocks.length === 0) return null
  if (blocks.every(({ cache }) => cache === undefined)) return blocks.map(({ text }) => text).join('\n')
  return blocks.map(({ text, cache }) => ({ type: 'text', text, ...writeCache(cache) }))
}

/** Turns of user and assistant by turns, beginning with the user; results of tools stand first in theirs. */
export function buildMessages(messages: HubMessage[], facts: ModelFacts, lose: Lose): Json[] {
  const isAlone = messages.every(isInstruction)
  const turns: Turn[] = []
  for (const message of messages) {
    if (isInstruction(message) && !isAlone) continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = message.parts.flatMap((part) => buildBlock(part, role, lose))
    if (content.length === 0) continue
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content })
  }
  for (const { content } of turns) content.sort((a, b) => Number(isResult(b)) - Number(isResult(a)))
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
      if (role !== 'assistant') return []
      if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: part.redacted }]
      // A thought without a seal is not taken back, and need not be there.
      return part.signature === undefined ? [] : [{ type: 'thinking', thinking: part.text, signature: part.signature }]
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
      return buildImage(part.source, cache, lose)
    case 'file':
      return buildDocument(part.source, part.name, cache, lose)
    default:
      lose(`part:${part.type}`)
      return []
  }
}

const IMAGES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function buildImage(source: HubSource, cache: Json, lose: Lose): Json[] {
  if (source.kind === 'url') return [{ type: 'image', source: { type: 'url', url: source.url }, ...cache }]
  const mediaType = source.kind === 'base64' ? source.mediaType.replace('image/jpg', 'image/jpeg') : ''
  if (source.kind === 'base64' && IMAGES.has(mediaType))
    return [{ type: 'image', source: { type: 'base64', media_type: mediaType, data: source.data }, ...cache }]
  lose('part:image')
  return []
}

function buildDocument(source: HubSource, name: string | undefined, cache: Json, lose: Lose): Json[] {
  const rest = { ...(name !== undefined && { title: name }), ...cache }
  const document = (from: Json) => [{ type: 'document', source: from, ...rest }]
  const asText = (data: string) => document({ type: 'text', media_type: 'text/plain', data })
  if (source.kind === 'url') return document({ type: 'url', url: source.url })
  if (source.kind === 'text') return asText(source.text)
  if (source.kind === 'base64') {
    const { mediaType, data } = source
    if (mediaType === 'application/pdf') return document({ type: 'base64', media_type: mediaType, data })
    if (mediaType.startsWith('text/') || mediaType === 'application/json')
      return asText(Buffer.from(data, 'base64').toString('utf8'))
  }
  // Files that another provider keeps, and kinds that this one does not read.
  lose('part:file')
  return []
}
