import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubCitation, HubPart } from '../hub.ts'
import { sealDetail, textDetail } from './extensions.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildUsage } from './usage.ts'

export const buildAnswer = (answer: HubAnswer, { now }: AnswerFacts): Json => ({
  id: answer.id || `chatcmpl-${now}`,
  object: 'chat.completion',
  created: answer.created ?? now,
  model: answer.model,
  choices: answer.candidates.map(buildChoice),
  ...(answer.usage && { usage: buildUsage(answer.usage) }),
  ...(answer.serviceTier !== undefined && { service_tier: answer.serviceTier }),
})

const buildChoice = ({ parts, finish, logprobs }: HubCandidate, index: number): Json => ({
  index,
  message: buildMessage(parts),
  logprobs: logprobs ? buildLogprobs(logprobs) : null,
  finish_reason: buildFinish(finish),
})

function buildMessage(parts: HubPart[]): Json {
  let content: string | null = null
  let refusal: string | null = null
  let thought = ''
  const calls: Json[] = []
  const details: Json[] = []
  const annotations: Json[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        for (const citation of part.citations ?? [])
          annotations.push(buildCitation(citation, content?.length ?? 0, part.text))
        content = (content ?? '') + part.text
        break
      case 'refusal':
        refusal = (refusal ?? '') + part.text
        break
      case 'reasoning':
        thought += part.text
        if (part.redacted !== undefined) details.push(sealDetail(part.redacted))
        else if (part.signature !== undefined) details.push(textDetail(part.text, part.signature))
        break
      case 'tool_call':
        calls.push({ id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments || '{}' } })
        if (part.signature !== undefined) details.push(sealDetail(part.signature, part.id))
        break
    }
  }
  return {
    role: 'assistant',
    content,
    refusal,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(annotations.length > 0 && { annotations }),
  }
}

/** `from`: where the text that is cited begins in the message. */
export const buildCitation = ({ url, title, start, end, text }: HubCitation, from: number, said: string): Json => ({
  type: 'url_citation',
  url_citation: {
    url: url ?? '',
    title: title ?? '',
    start_index: start ?? from,
    end_index: end ?? from + said.length,
    ...(text !== undefined && { content: text }),
  },
})
