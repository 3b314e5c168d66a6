import type { DialectName, Json } from '../dialect.ts'
import type { HubCache, HubReasoningPart } from '../hub.ts'
import { isRecord, records, text, textOrNull } from '../read.ts'
import { dialectOf, providerOf, type Sealer } from '../seals.ts'

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

/** How `format` calls the dialects that seals are made in; those of this dialect have no name. */
const FORMATS = new Map<DialectName, string>([
  ['anthropic-messages', 'anthropic-claude-v1'],
  ['gemini', 'google-gemini-v1'],
  ['openai-responses', 'openai-responses-v1'],
])
const SEALERS = new Map([...FORMATS].map(([dialect, format]) => [format, dialect]))

type Seal = { index: number; sealedIn: Sealer | undefined; id?: string }
/** Of the text in `reasoning_content`, in characters. */
type Span = { start: number; end: number }

/** Whose seal it is: `sealed_by` is ours, and kept by clients with the rest. */
function sealer({ sealedIn = 'openai-chat' }: Seal) {
  const provider = providerOf(sealedIn)
  return { format: FORMATS.get(dialectOf(sealedIn)) ?? 'unknown', ...(provider !== null && { sealed_by: provider }) }
}

/**
 * An entry of `reasoning_details`. `said`: the text that is sealed, or, in a stream, where it stands in what was said before: only
 * with all of it is the seal worth anything. SDKs that put streams together want an `index`.
 */
export const textDetail = (said: string | Span, signature: string, seal: Seal) => ({
  type: 'reasoning.text',
  ...(typeof said === 'string' ? { text: said } : { text: '', ...said }),
  signature,
  ...sealer(seal),
  ...(seal.id !== undefined && { id: seal.id }),
  index: seal.index,
})

/** `id`: of the tool call, or of the thought, that is sealed. */
export const sealDetail = (data: string, seal: Seal) => ({
  type: 'reasoning.encrypted',
  data,
  ...sealer(seal),
  ...(seal.id !== undefined && { id: seal.id }),
  index: seal.index,
})

export type CallSeal = { signature: string; sealedIn: Sealer }
export type Reasoning = { parts: HubReasoningPart[]; seals: Map<string, CallSeal> }

const NOTHING: Reasoning = { parts: [], seals: new Map() }

/** Of a whole message. `seals`: of those tool calls whose ids are `calls`. */
export function readReasoning(message: Json, calls: readonly string[]): Reasoning {
  const said = text(message.reasoning_content) || text(message.reasoning)
  const details = records(message.reasoning_details)
  if (said === '' && details.length === 0) return NOTHING
  const thoughts: Thought[] = []
  const seals = new Map<string, CallSeal>()
  for (const detail of details) {
    const id = textOrNull(detail.id)
    if (detail.type === 'reasoning.encrypted' && typeof detail.data === 'string') {
      if (id !== null && calls.includes(id)) seals.set(id, { signature: detail.data, ...sealerOf(detail) })
      else
        thoughts.push({
          type: 'reasoning',
          text: '',
          redacted: detail.data,
          ...(id !== null && { id }),
          ...sealerOf(detail),
        })
    } else if (detail.type === 'reasoning.text' || detail.type === 'reasoning.summary')
      addFragment(thoughts, detail, id)
  }
  return { parts: withSaid(thoughts, said), seals }
}

type Thought = HubReasoningPart & { index?: unknown; span?: Span }

/** Who put a stream together without looking keeps its fragments: text, more text, the seal. */
function addFragment(thoughts: Thought[], detail: Json, id: string | null): void {
  const signature = textOrNull(detail.signature)
  const more = text(detail.text) || text(detail.summary)
  const { start, end } = detail
  const seal = signature === null ? {} : { signature, ...sealerOf(detail) }
  const span = typeof start === 'number' && typeof end === 'number' ? { span: { start, end } } : {}
  const last = thoughts.at(-1)
  if (last && last.redacted === undefined && last.signature === undefined && last.index === detail.index)
    Object.assign(last, { text: last.text + more }, seal, span)
  else
    thoughts.push({
      type: 'reasoning',
      text: more,
      index: detail.index,
      ...(id !== null && { id }),
      ...seal,
      ...span,
    })
}

/** `reasoning_content` says the same as the details, or what their seals are for. */
function withSaid(thoughts: Thought[], said: string): HubReasoningPart[] {
  const isSaid = thoughts.some((thought) => thought.text !== '')
  const whole = thoughts.flatMap(({ index: _, span, ...part }) => {
    if (part.text !== '' || part.redacted !== undefined || span === undefined) return [part]
    // A seal whose text is gone, or was cut, would be refused.
    return span.end <= said.length ? [{ ...part, text: said.slice(span.start, span.end) }] : []
  })
  const kept = whole.filter((part) => part.text !== '' || part.signature !== undefined || part.redacted !== undefined)
  if (isSaid || said === '' || kept.some((part) => part.text !== '')) return kept
  const bare = kept.filter((part) => part.redacted === undefined)
  if (bare.length === 1 && thoughts.every(({ span }) => span === undefined))
    return kept.map((part) => (part === bare[0] ? { ...part, text: said } : part))
  return [{ type: 'reasoning', text: said }, ...kept]
}

export function sealerOf({ format, sealed_by }: Json): { sealedIn: Sealer } {
  const dialect = SEALERS.get(text(format)) ?? 'openai-chat'
  return { sealedIn: typeof sealed_by === 'string' ? `${dialect}@${sealed_by}` : dialect }
}
