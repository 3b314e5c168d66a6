import type { DialectName } from './dialect.ts'
import type { HubMessage, HubPart } from './hub.ts'

/*
 * A seal is read by the provider that made it and by nobody else: most refuse a request with a foreign one. So that a conversation
 * can go on elsewhere, a seal that leaves through another dialect carries the name of its maker's: `gemini:Eo0H…`. No provider's
 * own seals have a colon (base64).
 */

const MARK = /^(?:openai-chat|openai-responses|anthropic-messages|gemini):/

export const markSeal = (maker: DialectName, seal: string) => `${maker}:${seal}`

/** The seal as its provider made it; null when it is not marked as one of `maker`'s. */
export const ownSeal = (maker: DialectName, seal: string | undefined): string | null =>
  seal?.startsWith(`${maker}:`) ? seal.slice(maker.length + 1) : null

/** Without the seals that are marked as made by another dialect's provider. */
export function withoutForeignSeals(messages: HubMessage[], reader: DialectName): HubMessage[] {
  const isForeign = (seal: string | undefined) =>
    seal !== undefined && MARK.test(seal) && !seal.startsWith(`${reader}:`)
  const open = (part: HubPart): HubPart[] => {
    if (part.type === 'reasoning' && isForeign(part.redacted)) return []
    if ((part.type !== 'reasoning' && part.type !== 'tool_call') || !isForeign(part.signature)) return [part]
    const { signature: _foreign, ...rest } = part
    return [rest]
  }
  return messages.map((message) =>
    message.role === 'assistant' ? { ...message, parts: message.parts.flatMap(open) } : message,
  )
}
