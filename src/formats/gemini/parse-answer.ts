import { readUsage } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubCitation, HubPart } from '../hub.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { parseCitations } from './citations.ts'
import { parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'
import { answeredMedia } from './media.ts'
import { parseText } from './parse-parts.ts'
import { readCallSeal } from './seals.ts'
import { parseTier } from './tiers.ts'

export function parseAnswer(body: Json): HubAnswer {
  const candidates = records(body.candidates)
  // A prompt that is blocked has no candidates, and status 200.
  const isBlocked = typeof record(body.promptFeedback).blockReason === 'string'
  if (candidates.length === 0 && !isBlocked) throw new UnreadableAnswer('The answer has no `candidates`.')
  const id = text(body.responseId)
  const tier = textOrNull(record(body.usageMetadata).serviceTier)
  return {
    id,
    model: text(body.modelVersion),
    created: createdAt(body.createTime),
    candidates:
      candidates.length === 0
        ? [{ parts: [], finish: 'content_filter' }]
        : candidates.map((candidate, index) => parseCandidate(candidate, index, id)),
    usage: readUsage(body.usageMetadata),
    ...(tier !== null && { serviceTier: parseTier(tier) }),
  }
}

/** One side of the service says when, the other does not. */
export function createdAt(time: unknown): number | null {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(at) ? null : Math.floor(at / 1000)
}

/** Most calls come without an id: one that no other answer has, for those who cannot do without. */
export const callId = (answer: string, choice: number, call: number) =>
  `call_${[answer, ...(choice === 0 ? [] : [choice]), call].join('_')}`

export const failure = ({ finishReason, finishMessage }: Json) =>
  [`The model could not finish its answer (${text(finishReason)}).`, text(finishMessage)].join(' ').trim()

function parseCandidate(candidate: Json, index: number, answer: string): HubCandidate {
  const parts: HubPart[] = []
  let calls = 0
  for (const part of records(record(candidate.content).parts)) {
    const { functionCall, thoughtSignature } = part
    const media = answeredMedia(part)
    if (functionCall) parts.push(parseCall(record(functionCall), thoughtSignature, callId(answer, index, calls++)))
    else if (typeof part.text === 'string') parts.push(...parseText(part.text, part))
    // Its seal stands behind it, as a text's does.
    else if (media) parts.push(media, ...parseText('', part))
    // What the provider ran itself (searches, code) is its own affair: its text tells the outcome.
  }
  const finish = parseFinish(candidate.finishReason, calls > 0)
  if (finish === null) throw new UnreadableAnswer(failure(candidate))
  const said = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const logprobs = parseLogprobs(candidate.logprobsResult)
  return {
    parts: withCitations(parts, parseCitations(candidate, said)),
    finish,
    ...(logprobs && { logprobs }),
  }
}

function parseCall({ id, name, args }: Json, thoughtSignature: unknown, invented: string): HubPart {
  return {
    type: 'tool_call',
    id: text(id) || invented,
    name: text(name),
    arguments: JSON.stringify(record(args)),
    ...readCallSeal(thoughtSignature),
  }
}

/** Each with the text in which it begins. */
function withCitations(parts: HubPart[], citations: HubCitation[]): HubPart[] {
  if (citations.length === 0) return parts
  let from = 0
  let left = citations
  const last = parts.findLastIndex(({ type }) => type === 'text')
  return parts.map((part, index) => {
    if (part.type !== 'text') return part
    from += part.text.length
    const own = index === last ? left : left.filter(({ start = 0 }) => start < from)
    left = left.filter((citation) => !own.includes(citation))
    return own.length === 0 ? part : { ...part, citations: own }
  })
}
