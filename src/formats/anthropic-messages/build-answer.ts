import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCitation, HubPart } from '../hub.ts'
import { argumentsOf } from '../read.ts'
import { buildStopReason } from './stop-reason.ts'
import { buildUsage } from './usage.ts'

/** This dialect has one answer: the first. */
export function buildAnswer(answer: HubAnswer, { now, model }: AnswerFacts): Json {
  const [candidate] = answer.candidates
  return {
    id: messageId(answer.id, now),
    type: 'message',
    role: 'assistant',
    model: answer.model || model,
    content: (candidate?.parts ?? []).flatMap(buildBlock),
    stop_reason: buildStopReason(candidate?.finish ?? 'stop'),
    stop_sequence: candidate?.stopSequence ?? null,
    usage: buildUsage(answer.usage),
  }
}

export const messageId = (id: string, now: number) =>
  id === '' ? `msg_${now}` : id.startsWith('msg_') ? id : `msg_${id}`

function buildBlock(part: HubPart): Json[] {
  switch (part.type) {
    case 'text':
      if (part.text === '') return []
      return [
        {
          type: 'text',
          text: part.text,
          ...(part.citations && { citations: part.citations.map(buildCitation) }),
        },
      ]
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'reasoning':
      if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: part.redacted }]
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ?? '' }]
    case 'tool_call':
      return [
        // A call has no place for a seal; the thought before it has.
        ...(part.signature === undefined ? [] : [{ type: 'thinking', thinking: '', signature: part.signature }]),
        { type: 'tool_use', id: part.id, name: part.name, input: argumentsOf(part.arguments) },
      ]
    default:
      return []
  }
}

export const buildCitation = ({ url, title, text }: HubCitation): Json => ({
  type: 'web_search_result_location',
  url: url ?? '',
  title: title ?? null,
  cited_text: text ?? '',
  encrypted_index: '',
})
