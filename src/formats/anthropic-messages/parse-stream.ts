import { readUsage } from '../../usage/read-usage.ts'
import { type Json, type StreamParser, UnreadableAnswer } from '../dialect.ts'
import type { HubCitation, HubEvent } from '../hub.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { unmarkSeal } from '../seals.ts'
import { parseError } from './error.ts'
import { located } from './parse-answer.ts'
import { parseCitation, signatureOf } from './parse-blocks.ts'
import { parseStopReason } from './stop-reason.ts'

/** A block has no more, so that memory stays bounded, whatever comes. */
const MAX_CITATIONS = 1_000

/** Source: wire facts 4.3. */
export function createStreamParser(): StreamParser {
  let id: string | null = null
  let over = false
  let calls = 0
  /** The number of the tool call whose block is open, and that block's index. */
  let call: { number: number; index: unknown } | null = null
  /** Characters of text so far, where its block began, and what that block cites. */
  let said = 0
  let from = 0
  let cited: HubCitation[] = []
  const usage: Json = {}

  const startMessage = (message: Json): HubEvent[] => {
    // Some say it twice; another one inside of the first would leave its beginning standing.
    if (id !== null) {
      if (text(message.id) === id) return []
      throw new UnreadableAnswer('A second message began inside of the first.')
    }
    id = text(message.id)
    const start: HubEvent = { type: 'start', id, model: text(message.model), created: null }
    // As a rule empty here.
    const blocks = records(message.content).flatMap((block) => [...startBlock(null, block), ...stopBlock(null)])
    return [start, ...blocks, ...addUsage(message.usage, true)]
  }

  const startBlock = (index: unknown, block: Json): HubEvent[] => {
    from = said
    switch (block.type) {
      case 'text':
        cited = records(block.citations).map(parseCitation).slice(0, MAX_CITATIONS)
        return say(text(block.text))
      case 'thinking':
        return [...think(text(block.thinking)), ...sealed(block.signature)]
      case 'redacted_thinking': {
        const { seal, sealedIn } = unmarkSeal(text(block.data), 'anthropic-messages')
        return [{ type: 'redacted', choice: 0, data: seal, sealedIn }]
      }
      case 'tool_use': {
        call = { number: calls++, index }
        const opened: HubEvent = {
          type: 'tool_call',
          choice: 0,
          call: call.number,
          id: text(block.id),
          name: text(block.name),
        }
        const input = record(block.input)
        // As a rule empty here, and in pieces later.
        if (Object.keys(input).length === 0) return [opened]
        return [opened, { type: 'arguments', choice: 0, call: call.number, json: JSON.stringify(input) }]
      }
      default:
        return []
    }
  }

  const say = (piece: string): HubEvent[] => {
    said += piece.length
    return piece === '' ? [] : [{ type: 'text', choice: 0, text: piece }]
  }

  const readDelta = (index: unknown, delta: Json): HubEvent[] => {
    switch (delta.type) {
      case 'text_delta':
        return say(text(delta.text))
      case 'thinking_delta':
        return think(text(delta.thinking))
      case 'signature_delta':
        return sealed(delta.signature)
      case 'input_json_delta': {
        const json = text(delta.partial_json)
        // What the provider runs itself has input as well.
        if (json === '' || call === null || call.index !== index) return []
        return [{ type: 'arguments', choice: 0, call: call.number, json }]
      }
      case 'citations_delta':
        if (cited.length < MAX_CITATIONS) cited.push(parseCitation(record(delta.citation)))
        return []
      default:
        return []
    }
  }

  /** Only now is it known how much text is cited for. */
  const stopBlock = (index: unknown): HubEvent[] => {
    if (call?.index === index) call = null
    if (cited.length === 0) return []
    const citations = cited.map((citation) => located(citation, from, said))
    cited = []
    return citations.map((citation) => ({ type: 'citation', choice: 0, citation }))
  }

  /** What comes later replaces what came before, field by field. */
  const addUsage = (more: unknown, provisional: boolean): HubEvent[] => {
    const fresh = record(more)
    for (const name in fresh) if (fresh[name] !== null) usage[name] = fresh[name]
    const read = readUsage(usage)
    return read ? [{ type: 'usage', usage: read, provisional }] : []
  }

  const end = (event: HubEvent): HubEvent[] => {
    over = true
    return [event]
  }

  return {
    push(data) {
      if (over || data === '[DONE]') return []
      switch (data.type) {
        case 'content_block_delta':
          return readDelta(data.index, record(data.delta))
        case 'message_start':
          return startMessage(record(data.message))
        case 'content_block_start':
          return startBlock(data.index, record(data.content_block))
        case 'content_block_stop':
          return stopBlock(data.index)
        case 'message_delta':
          return [...readEnd(record(data.delta)), ...addUsage(data.usage, false)]
        case 'message_stop':
          if (id === null) throw new UnreadableAnswer('The stream ended before it began.')
          return end({ type: 'done' })
        case 'ping':
          return [{ type: 'ping' }]
        case 'error':
          return end({ type: 'error', error: parseError(500, data) })
        default:
          // New events may come at any time, says the documentation.
          return []
      }
    },
    end: () => [],
  }
}

const think = (piece: string): HubEvent[] => (piece === '' ? [] : [{ type: 'reasoning', choice: 0, text: piece }])

function sealed(raw: unknown): HubEvent[] {
  const { signature, sealedIn } = signatureOf(raw)
  if (signature === undefined) return []
  return [{ type: 'signature', choice: 0, signature, ...(sealedIn && { sealedIn }) }]
}

function readEnd(delta: Json): HubEvent[] {
  if (typeof delta.stop_reason !== 'string') return []
  const stopSequence = textOrNull(delta.stop_sequence)
  const reason = parseStopReason(delta.stop_reason)
  const explanation = text(record(delta.stop_details).explanation)
  const finish: HubEvent = { type: 'finish', choice: 0, reason, ...(stopSequence !== null && { stopSequence }) }
  return reason === 'refusal' && explanation !== ''
    ? [{ type: 'refusal', choice: 0, text: explanation }, finish]
    : [finish]
}
