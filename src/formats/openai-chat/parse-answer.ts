import { readUsage, usageOf } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubCitation, HubPart } from '../hub.ts'
import { parseError } from '../openai-error.ts'
import { isRecord, record, records, text, textOrNull } from '../read.ts'
import { readReasoning } from './extensions.ts'
import { isFailure, parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'
import { parseAudio, parseImages } from './media.ts'
import { saidIn, thoughtIn } from './parse-messages.ts'

export function parseAnswer(body: Json): HubAnswer {
  if (!Array.isArray(body.choices) || (body.error != null && body.choices.length === 0))
    throw new UnreadableAnswer(
      body.error == null ? 'The answer has no `choices`.' : `The answer is an error: ${parseError(500, body).message}`,
    )
  const id = text(body.id)
  const sources = readSources(body)
  const tier = textOrNull(body.service_tier)
  return {
    id,
    model: text(body.model),
    created: typeof body.created === 'number' ? body.created : null,
    candidates: records(body.choices).map((choice, index) => parseChoice(choice, `call_${id}_${index}`, sources)),
    usage: readUsage(usageOf(body)),
    ...(tier !== null && { serviceTier: tier }),
  }
}

/** `callId`: of calls that have none, but for their number. */
function parseChoice(choice: Json, callId: string, sources: HubCitation[]): HubCandidate {
  if (choice.error != null || isFailure(choice.finish_reason))
    throw new UnreadableAnswer(`The answer broke off: ${parseError(500, choice).message}`)
  const message = record(choice.message)
  const calls = records(message.tool_calls)
  const { parts: reasoning, seals } = readReasoning(
    message,
    calls.map(({ id }) => text(id)),
  )
  const thought = thoughtIn(message.content)
  const parts: HubPart[] = thought === '' ? [...reasoning] : [...reasoning, { type: 'reasoning', text: thought }]
  const spoken = parseAudio(message.audio, false)
  parts.push(...parseText(message, sources, spoken.said))
  if (spoken.media) parts.push(spoken.media)
  parts.push(...parseImages(message.images))
  const refusal = text(message.refusal)
  if (refusal !== '') parts.push({ type: 'refusal', text: refusal })
  calls.forEach((call, index) => {
    const called = record(call.function)
    const id = text(call.id) || `${callId}_${index}`
    parts.push({
      type: 'tool_call',
      id,
      name: text(called.name),
      arguments: argumentsOf(called.arguments),
      ...seals.get(id),
    })
  })
  const legacy = record(message.function_call)
  if (typeof legacy.name === 'string')
    parts.push({
      type: 'tool_call',
      id: `${callId}_0`,
      name: legacy.name,
      arguments: argumentsOf(legacy.arguments),
    })
  const logprobs = parseLogprobs(choice.logprobs)
  const said = { calls: parts.some(({ type }) => type === 'tool_call'), refusal: refusal !== '' }
  return { parts, finish: parseFinish(choice.finish_reason, said), ...(logprobs && { logprobs }) }
}

/** Some write the object itself. */
export const argumentsOf = (json: unknown): string =>
  typeof json === 'string' ? json : isRecord(json) ? JSON.stringify(json) : ''

/** `transcript`: of what is said aloud, where nothing is written. */
function parseText({ content, annotations }: Json, sources: HubCitation[], transcript: string): HubPart[] {
  const said = saidIn(content) || transcript
  const own = records(annotations).flatMap(parseCitation)
  const citations = own.length > 0 ? own : said === '' ? [] : sources
  if (said === '' && citations.length === 0) return []
  return [{ type: 'text', text: said, ...(citations.length > 0 && { citations }) }]
}

export function parseCitation(annotation: Json): HubCitation[] {
  if (annotation.type !== 'url_citation') return []
  const { url, title, start_index, end_index, content } = record(annotation.url_citation)
  return [
    {
      ...(typeof url === 'string' && { url }),
      ...(typeof title === 'string' && { title }),
      ...(typeof content === 'string' && { text: content }),
      ...(typeof start_index === 'number' && { start: start_index }),
      ...(typeof end_index === 'number' && { end: end_index }),
    },
  ]
}

/** Perplexity's list of what its text cites by number: `citations` of addresses, `search_results` with titles. */
export function readSources({ citations, search_results }: Json): HubCitation[] {
  const results = records(search_results).flatMap(({ url, title }) =>
    typeof url === 'string' ? [{ url, ...(typeof title === 'string' && { title }) }] : [],
  )
  if (results.length > 0) return results
  return Array.isArray(citations) ? citations.flatMap((url) => (typeof url === 'string' ? [{ url }] : [])) : []
}
