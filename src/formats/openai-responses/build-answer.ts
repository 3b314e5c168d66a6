import { freshCallIds } from '../call-ids.ts'
import type { AnswerFacts, Json } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubLogprob, HubPart } from '../hub.ts'
import { buildLogprobs } from '../openai-logprobs.ts'
import { toldTier } from '../openai-tiers.ts'
import { buildAnnotation } from './annotations.ts'
import { callItem, type ItemStatus, itemId, messageItem, reasoningItem, refusalPart, textPart } from './items.ts'
import { namesOfCall } from './namespaces.ts'
import { buildResponse, idsOf } from './response.ts'
import { writeCallSeal, writeSeal } from './seals.ts'
import { buildStatus } from './status.ts'

/** This dialect has one answer: the first. */
export function buildAnswer(answer: HubAnswer, { now, model, request, lose }: AnswerFacts): Json {
  const candidate: HubCandidate = answer.candidates[0] ?? { parts: [], finish: 'stop' }
  const { id, base } = idsOf(answer.id, now)
  const { status, reason } = buildStatus(candidate.finish)
  return buildResponse({ id, model: answer.model || model, created: answer.created ?? now }, request, {
    status,
    reason,
    output: buildOutput(candidate, base, status, { request, lose }),
    usage: answer.usage,
    serviceTier: toldTier(answer.serviceTier),
  })
}

/** Texts and refusals that follow each other are one message. Where the answer is cut, its last item is. */
function buildOutput(
  { parts, logprobs = [] }: HubCandidate,
  base: string,
  status: ItemStatus,
  { request, lose }: Pick<AnswerFacts, 'request' | 'lose'>,
): Json[] {
  const output: Json[] = []
  const fresh = freshCallIds(request)
  let unsaid = logprobs
  /** Of the message that is last in the output. */
  let content: Json[] | null = null
  const say = (part: Json) => {
    if (content) return void content.push(part)
    content = [part]
    output.push(messageItem(itemId('msg', base, output.length), 'completed', content))
  }
  const add = (item: Json) => {
    content = null
    output.push(item)
  }
  for (const part of parts) {
    if (part.type === 'text') {
      say(buildText(part, unsaid))
      unsaid = []
    } else if (part.type === 'refusal') say(refusalPart(part.text))
    else if (part.type === 'reasoning') {
      const seal = writeSeal(part)
      if (part.text !== '' || seal !== null) add(reasoningItem(itemId('rs', base, output.length), part.text, seal))
    } else if (part.type === 'tool_call') {
      const call = { id: fresh(part.id), ...namesOfCall(part.name, request) }
      if (part.signature !== undefined)
        add(reasoningItem(itemId('rs', base, output.length), '', writeCallSeal(call.id, part.signature, part)))
      add(callItem(itemId('fc', base, output.length), 'completed', call, part.arguments || '{}'))
    } else if (part.type !== 'tool_result') lose(`answer.${part.type}`)
  }
  const last = output.at(-1)
  if (last?.status !== undefined) last.status = status
  return output
}

/** The answer's probabilities stand with its first text. */
const buildText = ({ text, citations = [] }: HubPart & { type: 'text' }, logprobs: HubLogprob[]): Json =>
  textPart(
    text,
    citations.map((one) => buildAnnotation(one, 0, text.length)),
    buildLogprobs(logprobs),
  )
