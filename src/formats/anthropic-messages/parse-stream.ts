import { readUsage } from '../../usage/read-usage.ts'
import type { Json, StreamParser } from '../dialect.ts'
import type { HubEvent } from '../hub.ts'
import { record, text, textOrNull } from '../read.ts'
import { parseError } from './error.ts'
import { parseCitation } from './parse-blocks.ts'
import { parseStopReason } from './stop-reason.ts'

/** Source: wire facts 4.3. */
export function createStreamParser(): StreamParser {
  /** Numbers of the tool calls, by their blocks. */
  const calls = new Map<unknown, number>()
  let usage: Json = {}

  const startBlock = (index: unknown, block: Json): HubEvent[] => {
    if (block.type === 'redacted_thinking') return [{ type: 'redacted', choice: 0, data: text(block.data) }]
    if (block.type === 'text' && text(block.text) !== '') return [{ type: 'text', choice: 0, text: text(block.text) }]
    if (block.type !== 'tool_use') return []
    const call = calls.size
    calls.set(index, call)
    const opened: HubEvent = { type: 'tool_call', choice: 0, call, id: text(block.id), name: text(block.name) }
    const input = record(block.input)
    // As a rule empty here, and in pieces later.
    if (Object.keys(input).length === 0) return [opened]
    return [opened, { type: 'arguments', choice: 0, call, json: JSON.stringify(input) }]
  }

  const readDelta = (index: unknown, delta: Json): HubEvent[] => {
    switch (delta.type) {
      case 'text_delta':
        return [{ type: 'text', choice: 0, text: text(delta.text) }]
      case 'thinking_delta':
        return [{ type: 'reasoning', choice: 0, text: text(delta.thinking) }]
      case 'signature_delta':
        return [{ type: 'signature', choice: 0, signature: text(delta.signature) }]
      case 'input_json_delta': {
        const call = calls.get(index)
        const json = text(delta.partial_json)
        return call === undefined || json === '' ? [] : [{ type: 'arguments', choice: 0, call, json }]
      }
      case 'citations_delta':
        return [{ type: 'citation', choice: 0, citation: parseCitation(record(delta.citation)) }]
      default:
        return []
    }
  }

  /** What comes later replaces what came before, field by field. */
  const addUsage = (more: unknown, provisional: boolean): HubEvent[] => {
    for (const [name, value] of Object.entries(record(more))) if (value !== null) usage = { ...usage, [name]: value }
    const read = readUsage(usage)
    return read ? [{ type: 'usage', usage: read, provisional }] : []
  }

  const readEnd = (delta: Json): HubEvent[] => {
    if (typeof delta.stop_reason !== 'string') return []
    const stopSequence = textOrNull(delta.stop_sequence)
    const reason = parseStopReason(delta.stop_reason)
    const explanation = text(record(delta.stop_details).explanation)
    return [
      ...(reason === 'refusal' && explanation !== ''
        ? [{ type: 'refusal' as const, choice: 0, text: explanation }]
        : []),
      { type: 'finish', choice: 0, reason, ...(stopSequence !== null && { stopSequence }) },
    ]
  }

  return {
    push(data) {
      if (data === '[DONE]') return []
      switch (data.type) {
        case 'message_start': {
          const message = record(data.message)
          const start: HubEvent = { type: 'start', id: text(message.id), model: text(message.model), created: null }
          return [start, ...addUsage(message.usage, true)]
        }
        case 'content_block_start':
          return startBlock(data.index, record(data.content_block))
        case 'content_block_delta':
          return readDelta(data.index, record(data.delta))
        case 'message_delta':
          return [...readEnd(record(data.delta)), ...addUsage(data.usage, false)]
        case 'message_stop':
          return [{ type: 'done' }]
        case 'ping':
          return [{ type: 'ping' }]
        case 'error':
          return [{ type: 'error', error: parseError(500, data) }]
        default:
          // New events may come at any time, says the documentation.
          return []
      }
    },
    end: () => [],
  }
}
