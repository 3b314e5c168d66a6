import { readUsage } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubPart } from '../hub.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { parseCitations } from './parse-blocks.ts'
import { parseStopReason } from './stop-reason.ts'

export function parseAnswer(body: Json): HubAnswer {
  if (!Array.isArray(body.content)) throw new UnreadableAnswer('The answer has no `content`.')
  const stopSequence = textOrNull(body.stop_sequence)
  const tier = textOrNull(record(body.usage).service_tier)
  const finish = parseStopReason(body.stop_reason)
  const parts = records(body.content).flatMap(parseBlock)
  const explanation = text(record(body.stop_details).explanation)
  return {
    id: text(body.id),
    model: text(body.model),
    created: null,
    candidates: [
      {
        parts: finish === 'refusal' && explanation !== '' ? [...parts, { type: 'refusal', text: explanation }] : parts,
        finish,
        ...(stopSequence !== null && { stopSequence }),
      },
    ],
    usage: readUsage(body.usage),
    ...(tier !== null && { serviceTier: tier }),
  }
}

/** What the provider ran itself (searches, code) is its own affair: its text tells the outcome. */
function parseBlock(block: Json): HubPart[] {
  switch (block.type) {
    case 'text': {
      const citations = parseCitations(block.citations)
      return [{ type: 'text', text: text(block.text), ...(citations.length > 0 && { citations }) }]
    }
    case 'thinking': {
      const signature = textOrNull(block.signature)
      return [{ type: 'reasoning', text: text(block.thinking), ...(signature && { signature }) }]
    }
    case 'redacted_thinking':
      return [{ type: 'reasoning', text: '', redacted: text(block.data) }]
    case 'tool_use':
      return [
        {
          type: 'tool_call',
          id: text(block.id),
          name: text(block.name),
          arguments: JSON.stringify(record(block.input)),
        },
      ]
    default:
      return []
  }
}
