import { freshCallIds } from '../call-ids.ts'
import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubCitation, HubPart } from '../hub.ts'
import { toldTier } from '../openai-tiers.ts'
import { ownToolName } from '../tool-names.ts'
import { sealDetail, textDetail } from './extensions.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildImage } from './media.ts'
import { buildUsage } from './usage.ts'

export function buildAnswer(answer: HubAnswer, facts: AnswerFacts): Json {
  const fresh = freshCallIds(facts.request)
  const tier = toldTier(answer.serviceTier)
  return {
    id: answer.id || `chatcmpl-${facts.now}`,
    object: 'chat.completion',
    created: answer.created ?? facts.now,
    model: answer.model || facts.model,
    choices: answer.candidates.map((candidate, index) => buildChoice(candidate, index, facts, fresh)),
    ...(answer.usage && { usage: buildUsage(answer.usage) }),
    ...(tier !== null && { service_tier: tier }),
  }
}

type Fresh = ReturnType<typeof freshCallIds>

const buildChoice = (candidate: HubCandidate, index: number, facts: AnswerFacts, fresh: Fresh): Json => ({
  index,
  message: buildMessage(candidate.parts, facts, fresh),
  logprobs: candidate.logprobs ? buildLogprobs(candidate.logprobs) : null,
  finish_reason: buildFinish(candidate.finish),
})

function buildMessage(parts: HubPart[], { request, lose }: AnswerFacts, fresh: Fresh): Json {
  let content: string | null = null
  let refusal: string | null = null
  let thought = ''
  const calls: Json[] = []
  const details: Json[] = []
  const annotations: Json[] = []
  const images: Json[] = []
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
      case 'reasoning': {
        thought += part.text
        const seal = { index: details.length, sealedIn: part.sealedIn, ...(part.id !== undefined && { id: part.id }) }
        if (part.redacted !== undefined) details.push(sealDetail(part.redacted, seal))
        else if (part.signature !== undefined) details.push(textDetail(part.text, part.signature, seal))
        break
      }
      case 'tool_call': {
        const [id, name] = [fresh(part.id), ownToolName(part.name, request)]
        calls.push({ id, type: 'function', function: { name, arguments: part.arguments || '{}' } })
        const seal = { index: details.length, sealedIn: part.sealedIn, id }
        if (part.signature !== undefined) details.push(sealDetail(part.signature, seal))
        break
      }
      case 'image':
      case 'file':
      case 'audio': {
        const image = buildImage(part, images.length)
        if (image === null) lose(`answer.${part.type}`)
        else images.push(image)
      }
    }
  }
  return {
    role: 'assistant',
    content,
    refusal,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(images.length > 0 && { images }),
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
