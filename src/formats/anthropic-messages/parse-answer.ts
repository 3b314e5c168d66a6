import { readUsage } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubCitation, HubPart } from '../hub.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { unmarkSeal } from '../seals.ts'
import { parseCitations, signatureOf } from './parse-blocks.ts'
import { parseStopReason } from './stop-reason.ts'

export function parseAnswer(body: Json): HubAnswer {
  if (!Array.isArray(body.content)) throw new UnreadableAnswer('The answer has no `content`.')
  const stopSequence = textOrNull(body.stop_sequence)
  const tier = textOrNull(record(body.usage).service_tier)
  const finish = parseStopReason(body.stop_reason)
  let said = 0
  const parts = records(body.content).flatMap((block) => {
    const read = parseBlock(block, said)
    for (const part of read) if (part.type === 'text') said += part.text.length
    return read
  })
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
    ...(tier !== null && { serviceTier: tier === 'standard' ? 'default' : tier }),
  }
}

/** What the provider ran itself (searches, code) is its own affair: its text tells the outcome. `from`: where its text begins. */
export function parseBlock(block: Json, from: number): HubPart[] {
  switch (block.type) {
    case 'text': {
      const said = text(block.text)
      const citations = parseCitations(block.citations).map((citation) => located(citation, from, from + said.length))
      return [{ type: 'text', text: said, ...(citations.length > 0 && { citations }) }]
    }
    case 'thinking':
      return [{ type: 'reasoning', text: text(block.thinking), ...signatureOf(block.signature) }]
    case 'redacted_thinking': {
      const { seal, sealedIn } = unmarkSeal(text(block.data), 'anthropic-messages')
      return [{ type: 'reasoning', text: '', redacted: seal, sealedIn }]
    }
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

/** A block cites for all of its text. */
export const located = (citation: HubCitation, start: number, end: number): HubCitation => ({ ...citation, start, end })
