import type { BegunBlock, DialectName, Json } from '../../formats/dialect.ts'
import { isRecord, record, records } from '../../formats/read.ts'

/** Sees in a stream's own JSON what the hub has no events for, and what nobody can go on from. */
export type Inspection = {
  /** False: another answer cannot be joined to this. */
  see(data: Json): boolean
  /** Where an answer is begun by an event of its own: it is. */
  hasBegun(): boolean
  block(): BegunBlock | null
}

export function createInspection(dialect: DialectName): Inspection {
  if (dialect === 'anthropic-messages') return inspectMessages()
  if (dialect === 'openai-chat') return inspectChat()
  const see = dialect === 'gemini' ? isPlainGemini : isPlainResponses
  return { see, hasBegun: () => false, block: () => null }
}

const isNothing = (value: unknown) =>
  value == null || value === '' || (Array.isArray(value) && value.length === 0) || (isRecord(value) && isEmpty(value))
const isEmpty = (value: Json) => Object.keys(value).length === 0

/** All that is said besides these is nothing. */
const hasOnly = (value: Json, known: ReadonlySet<string>) =>
  Object.entries(value).every(([name, inner]) => known.has(name) || isNothing(inner))

/** Tool calls and whatever else the hub knows have events of their own. */
const DELTA = new Set(['role', 'content', 'reasoning', 'reasoning_content', 'reasoning_details', 'tool_calls'])

function inspectChat(): Inspection {
  let begun = false
  return {
    see(data) {
      const choices = records(data.choices)
      if (choices.length > 0) begun = true
      return choices.every(({ delta }) => hasOnly(record(delta), DELTA))
    },
    hasBegun: () => begun,
    block: () => null,
  }
}

const PART = new Set(['text', 'thought', 'thoughtSignature', 'functionCall'])

const isPlainGemini = (data: Json) =>
  records(data.candidates).every(
    ({ content, groundingMetadata, citationMetadata }) =>
      isNothing(groundingMetadata) &&
      isNothing(citationMetadata) &&
      records(record(content).parts).every((part) => hasOnly(part, PART)),
  )

/** What the provider runs itself are items of other kinds. */
const isPlainResponses = ({ item }: Json) =>
  !isRecord(item) || item.type === 'message' || item.type === 'reasoning' || item.type === 'function_call'

const BLOCKS: Record<string, 'text' | 'thinking'> = { text: 'text', thinking: 'thinking' }

function inspectMessages(): Inspection {
  let index = -1
  let open: BegunBlock['open'] = null
  let begun = false
  return {
    see(data) {
      if (data.type === 'message_start') begun = true
      if (data.type === 'content_block_stop') open = null
      if (data.type === 'message_delta') return false
      if (data.type !== 'content_block_start') return true
      const { content_block, index: number } = data
      const kind = BLOCKS[String(record(content_block).type)]
      // Calls, what the provider runs itself, and thoughts that nobody can read.
      if (kind === undefined || number !== index + 1 || open !== null) return false
      index++
      open = kind
      return true
    },
    hasBegun: () => false,
    block: () => (begun ? { index, open } : null),
  }
}
