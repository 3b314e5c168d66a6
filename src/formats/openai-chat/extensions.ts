import type { Json } from '../dialect.ts'
import type { HubCache, HubReasoningPart } from '../hub.ts'
import { isRecord, records, text, textOrNull } from '../read.ts'

/*
 * What the dialect has no official place for, as most of those who extend it spell it: reasoning as `reasoning_content` (DeepSeek,
 * xAI, Moonshot) or `reasoning` with `reasoning_details` (OpenRouter, Groq), where seals have a place too; cache breakpoints as
 * `cache_control` on parts and tools (OpenRouter).
 */

export function readCache(holder: Json): HubCache | null {
  if (!isRecord(holder.cache_control)) return null
  const { ttl } = holder.cache_control
  return { ttl: ttl === '1h' || ttl === '5m' ? ttl : null }
}

export const writeCache = ({ ttl }: HubCache) => ({ type: 'ephemeral', ...(ttl !== null && { ttl }) })

/** Of a message, or a delta. `seals`: of tool calls, by their ids. */
export function readReasoning(message: Json): { parts: HubReasoningPart[]; seals: Map<string, string> } {
  const parts: HubReasoningPart[] = []
  const seals = new Map<string, string>()
  for (const detail of records(message.reasoning_details)) {
    const id = textOrNull(detail.id)
    if (detail.type === 'reasoning.encrypted' && typeof detail.data === 'string') {
      if (id !== null) seals.set(id, detail.data)
      else parts.push({ type: 'reasoning', text: '', redacted: detail.data })
    } else if (detail.type === 'reasoning.text' || detail.type === 'reasoning.summary') {
      const signature = textOrNull(detail.signature)
      const said = text(detail.text) || text(detail.summary)
      parts.push({ type: 'reasoning', text: said, ...(signature !== null && { signature }) })
    }
  }
  const said = text(message.reasoning_content) || text(message.reasoning)
  if (said !== '' && parts.every((part) => part.text === '')) addText(said, parts)
  return { parts, seals }
}

/** A stream has the text and its seal in different places: they belong together. */
function addText(said: string, parts: HubReasoningPart[]): void {
  const sealed = parts.find(({ signature }) => signature !== undefined)
  if (sealed) sealed.text = said
  else parts.unshift({ type: 'reasoning', text: said })
}

/** `reasoning_details` entries. */
export const textDetail = (said: string, signature?: string) => ({
  type: 'reasoning.text',
  text: said,
  ...(signature !== undefined && { signature }),
})
export const sealDetail = (data: string, id?: string) => ({
  type: 'reasoning.encrypted',
  data,
  ...(id !== undefined && { id }),
})
