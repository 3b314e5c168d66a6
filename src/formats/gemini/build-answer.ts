import { freshCallIds } from '../call-ids.ts'
import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubPart, HubRequest } from '../hub.ts'
import { argumentsOf, withoutEmpty } from '../read.ts'
import { ownToolName } from '../tool-names.ts'
import { buildGrounding } from './citations.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildAnsweredMedia } from './media.ts'
import { writeSeal } from './seals.ts'
import { buildUsage } from './usage.ts'

export function buildAnswer(answer: HubAnswer, { now, model, request, lose }: AnswerFacts): Json {
  const client: Client = { request, lose, shows: showsThoughts(request), fresh: freshCallIds(request) }
  return {
    candidates: answer.candidates.map((candidate, index) => buildCandidate(candidate, index, client)),
    usageMetadata: buildUsage(answer.usage, answer.serviceTier),
    modelVersion: answer.model || model,
    responseId: answer.id || String(now),
  }
}

/** Whom it is for: what was asked, whether thoughts are told, what ids the calls get. */
type Client = Pick<AnswerFacts, 'lose'> & { request: HubRequest; shows: boolean; fresh: (id: string) => string }

/** As the dialect has it, thoughts are told to those who speak of thinking: others take every text for the answer. */
export const showsThoughts = ({ reasoning }: HubRequest) =>
  reasoning !== null && reasoning.effort !== 'none' && reasoning.shown !== false

export const CALLED = 'Model generated function call(s).'

function buildCandidate({ parts, finish, logprobs }: HubCandidate, index: number, client: Client): Json {
  const said = parts.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join('')
  const citations = parts.flatMap((part) => (part.type === 'text' ? (part.citations ?? []) : []))
  return withoutEmpty({
    content: { parts: parts.flatMap((part) => buildPart(part, client)), role: 'model' },
    finishReason: buildFinish(finish),
    index,
    finishMessage: finish === 'tool_calls' ? CALLED : null,
    groundingMetadata: buildGrounding(citations, said),
    logprobsResult: logprobs && buildLogprobs(logprobs),
  })
}

function buildPart(part: HubPart, { request, shows, fresh, lose }: Client): Json[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'reasoning': {
      const thoughtSignature = writeSeal(part)
      if (!shows || (part.text === '' && thoughtSignature === null)) return []
      return [withoutEmpty({ text: part.text, thought: true, thoughtSignature })]
    }
    case 'tool_call': {
      const name = ownToolName(part.name, request)
      const functionCall = { id: fresh(part.id), name, args: argumentsOf(part.arguments) }
      return [withoutEmpty({ functionCall, thoughtSignature: writeSeal(part) })]
    }
    case 'image':
    case 'audio':
    case 'file': {
      const media = buildAnsweredMedia(part)
      if (media === null) lose(`answer.${part.type}`)
      return media === null ? [] : [media]
    }
    case 'tool_result':
      return []
  }
}
