import { freshCallIds } from '../call-ids.ts'
import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCitation, HubPart } from '../hub.ts'
import { argumentsOf } from '../read.ts'
import { markSeal } from '../seals.ts'
import { ownToolName } from '../tool-names.ts'
import { buildStopReason } from './stop-reason.ts'
import { buildUsage } from './usage.ts'

/** This dialect has one answer: the first. */
export function buildAnswer(answer: HubAnswer, facts: AnswerFacts): Json {
  const [candidate] = answer.candidates
  const tier = buildTier(answer.serviceTier)
  const fresh = freshCallIds(facts.request)
  return {
    id: messageId(answer.id, facts.now),
    type: 'message',
    role: 'assistant',
    model: answer.model || facts.model,
    content: (candidate?.parts ?? []).flatMap((part) => buildBlock(part, facts, fresh)),
    stop_reason: buildStopReason(candidate?.finish ?? 'stop'),
    stop_sequence: candidate?.stopSequence ?? null,
    usage: { ...buildUsage(answer.usage), ...(tier !== null && { service_tier: tier }) },
  }
}

export const messageId = (id: string, now: number) =>
  id === '' ? `msg_${now}` : id.startsWith('msg_') ? id : `msg_${id}`

const buildTier = (tier: string | undefined) =>
  tier === 'default' ? 'standard' : tier === 'priority' || tier === 'batch' ? tier : null

function buildBlock(part: HubPart, { request, lose }: AnswerFacts, fresh: (id: string) => string): Json[] {
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
    case 'reasoning': {
      const { text, signature = '', redacted } = part
      if (redacted !== undefined)
        return [{ type: 'redacted_thinking', data: markSeal(redacted, part, 'anthropic-messages') }]
      if (text === '' && signature === '') return []
      return [buildThinking(text, signature && markSeal(signature, part, 'anthropic-messages'))]
    }
    case 'tool_call':
      return [
        // A call has no place for a seal; a thought before it has.
        ...(part.signature === undefined
          ? []
          : [buildThinking('', markSeal(part.signature, part, 'anthropic-messages'))]),
        {
          type: 'tool_use',
          id: fresh(part.id),
          name: ownToolName(part.name, request),
          input: argumentsOf(part.arguments),
        },
      ]
    case 'image':
    case 'file':
    case 'audio':
      // Claude neither draws nor speaks: there is no place for it.
      lose(`answer.${part.type}`)
      return []
    case 'tool_result':
      return []
  }
}

const buildThinking = (thinking: string, signature: string): Json => ({ type: 'thinking', thinking, signature })

export const buildCitation = ({ url, title, text }: HubCitation): Json => ({
  type: 'web_search_result_location',
  url: url ?? '',
  title: title ?? null,
  cited_text: text ?? '',
  encrypted_index: '',
})
