import { withCallIds } from '../call-ids.ts'
import type { Dialect, Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubToolResult } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { isOwnSeal, type Sealed } from '../seals.ts'
import { buildPart, buildText } from './build-parts.ts'
import { sealDetail, textDetail } from './extensions.ts'
import { buildImage } from './media.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

export const buildMessages = (messages: HubMessage[], facts: ModelFacts, lose: Lose): Json[] =>
  bridged(
    withCallIds(joined(messages), facts).flatMap((message) => buildMessage(message, facts, lose)),
    facts,
  )

const BRIDGE = { role: 'assistant', content: 'Understood.' }

/** Some models must have said something about a result before they are told more. */
function bridged(built: Json[], { takesUserAfterResults }: ModelFacts): Json[] {
  if (takesUserAfterResults) return built
  return built.flatMap((message, index) => {
    const follows = built[index - 1]?.role === 'tool' && message.role !== 'tool' && message.role !== 'assistant'
    return follows ? [BRIDGE, message] : [message]
  })
}

/** Results must follow the calls directly: what the assistant says in between belongs to the calls. */
function joined(messages: HubMessage[]): HubMessage[] {
  if (!messages.some((message, index) => isCalling(message) && messages[index + 1]?.role === 'assistant'))
    return messages
  const kept: HubMessage[] = []
  /** The last one, where others may be joined to it. */
  let open: HubMessage | null = null
  for (const message of messages) {
    if (open && message.role === 'assistant') {
      for (const part of message.parts) open.parts.push(part)
      continue
    }
    open = isCalling(message) ? { ...message, parts: [...message.parts] } : null
    kept.push(open ?? message)
  }
  return kept
}

const isCalling = ({ role, parts }: HubMessage) =>
  role === 'assistant' && parts.some(({ type }) => type === 'tool_call')

function buildMessage({ role, parts, name }: HubMessage, facts: ModelFacts, lose: Lose): Json[] {
  const named = name === undefined ? {} : { name }
  if (role === 'assistant') return [{ role, ...named, ...buildAssistant(parts, facts, lose) }]
  const known = role === 'developer' && !facts.knowsDeveloper ? 'system' : role
  const results: HubToolResult[] = []
  const shown: HubPart[] = []
  const others: HubPart[] = []
  for (const part of parts) {
    if (part.type !== 'tool_result') others.push(part)
    else {
      results.push(part)
      // Here a result is text alone; what else it shows comes behind all of them, from the user.
      shown.push(...part.parts.filter(({ type }) => type !== 'text'))
    }
  }
  const content = [...shown, ...others].flatMap((part) => buildPart(part, facts, lose))
  return [
    ...results.map((result) => ({ role: 'tool', tool_call_id: result.id, content: resultOf(result) })),
    ...(content.length > 0 || results.length === 0 ? [{ role: known, ...named, content: plain(content, '\n') }] : []),
  ]
}

/** Texts alone are written as one: some take nothing else. */
const plain = (content: Json[], separator: string) =>
  content.every((part) => part.type === 'text' && part.cache_control === undefined)
    ? content.map(({ text }) => text).join(separator)
    : content

function resultOf({ parts, isError }: HubToolResult): string {
  const said = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  if (said.length === 0 && parts.length > 0) return 'The result is in the next message.'
  const text = said.join('\n')
  // There is no other place for it.
  return isError === true && !/^\W*\w*error/i.test(text) ? `Error: ${text}` : text
}

function buildAssistant(parts: HubPart[], facts: ModelFacts, lose: Lose): Json {
  const content: Json[] = []
  const calls: Json[] = []
  const details: Json[] = []
  const images: Json[] = []
  let refusal: string | null = null
  let thought = ''
  /** Those of the model, and those of whoever speaks this dialect. */
  const isTaken = (part: Sealed) =>
    isOwnSeal(part, 'openai-chat') || (facts.takesSeals !== null && isOwnSeal(part, facts.takesSeals))
  for (const part of parts) {
    if (part.type === 'text') content.push(buildText(part, facts))
    else if (part.type === 'refusal') refusal = (refusal ?? '') + part.text
    else if (part.type === 'tool_call') {
      calls.push(buildCall(part.id, part.name, part.arguments))
      const seal = { index: details.length, sealedIn: part.sealedIn, id: part.id }
      if (part.signature !== undefined && isTaken(part)) details.push(sealDetail(part.signature, seal))
    } else if (part.type === 'reasoning') {
      thought += part.text
      if (!isTaken(part)) continue
      const seal = { index: details.length, sealedIn: part.sealedIn, ...(part.id !== undefined && { id: part.id }) }
      if (part.redacted !== undefined) details.push(sealDetail(part.redacted, seal))
      else if (part.signature !== undefined) details.push(textDetail(part.text, part.signature, seal))
    } else {
      // Of what it drew itself only some take anything back.
      const image = part.type === 'image' && facts.takesSeals !== null ? buildImage(part, images.length) : null
      if (image === null) lose(`part:${part.type}`)
      else images.push(image)
    }
  }
  return {
    // Some want to be told that there is none.
    content: content.length === 0 && (calls.length > 0 || refusal !== null) ? null : plain(content, ''),
    ...(refusal !== null && { refusal }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(facts.wantsThoughts && (thought !== '' || calls.length > 0) && { reasoning_content: thought }),
    ...(facts.takesSeals !== null && details.length > 0 && { reasoning_details: details }),
  }
}

export const buildCall = (id: string, name: string, json: string): Json => ({
  id,
  type: 'function',
  function: { name, arguments: json || '{}' },
})
