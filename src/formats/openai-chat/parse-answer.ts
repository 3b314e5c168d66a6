import { readUsage, usageOf } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubCandidate, HubCitation, HubPart } from '../hub.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { readReasoning } from './extensions.ts'
import { parseFinish } from './finish.ts'
import { parseLogprobs } from './logprobs.ts'

export function parseAnswer(body: Json): HubAnswer {
  if (!Array.isArray(body.choices)) throw new UnreadableAnswer('The answer has no `choices`.')
  const tier = textOrNull(body.service_tier)
  return {
    id: text(body.id),
    model: text(body.model),
    created: typeof body.created === 'number' ? body.created : null,
    candidates: records(body.choices).map(parseChoice),
    usage: readUsage(usageOf(body)),
    ...(tier !== null && { serviceTier: tier }),
  }
}

function parseChoice(choice: Json): HubCandidate {
  const message = record(choice.message)
  const { parts: reasoning, seals } = readReasoning(message)
  const parts: HubPart[] = [...reasoning, ...parseContent(message)]
  if (typeof message.refusal === 'string') parts.push({ type: 'refusal', text: message.refusal })
  for (const call of records(message.tool_calls)) parts.push(parseCall(call, seals, parts.length))
  const legacy = record(message.function_call)
  if (typeof legacy.name === 'string')
    parts.push({ type: 'tool_call', id: `call_${legacy.name}`, name: legacy.name, arguments: text(legacy.arguments) })
  const logprobs = parseLogprobs(choice.logprobs)
  const finish = parseFinish(choice.finish_reason)
  // Some who copy the format say `stop` where tools are called.
  const calls = parts.some(({ type }) => type === 'tool_call')
  return { parts, finish: finish === 'stop' && calls ? 'tool_calls' : finish, ...(logprobs && { logprobs }) }
}

function parseContent({ content, annotations }: Json): HubPart[] {
  const said =
    typeof content === 'string'
      ? content
      : records(content)
          .map((part) => text(part.text))
          .join('')
  const citations = records(annotations).flatMap(parseCitation)
  if (said === '' && citations.length === 0) return []
  return [{ type: 'text', text: said, ...(citations.length > 0 && { citations }) }]
}

/** Mistral leaves ids out in places, and some servers always do. */
function parseCall(call: Json, seals: Map<string, string>, place: number): HubPart {
  const called = record(call.function)
  const id = text(call.id) || `call_${place}`
  const json = typeof called.arguments === 'string' ? called.arguments : JSON.stringify(called.arguments ?? {})
  const signature = seals.get(id)
  return {
    type: 'tool_call',
    id,
    name: text(called.name),
    arguments: json,
    ...(signature !== undefined && { signature }),
  }
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
