import { readUsage } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import type { HubAnswer, HubFinish, HubLogprob, HubPart } from '../hub.ts'
import { parseLogprobs } from '../openai-logprobs.ts'
import { record, records, text, textOrNull } from '../read.ts'
import { parseAnnotations } from './annotations.ts'
import { parseReasoning } from './reasoning.ts'
import type { CallSeal } from './seals.ts'
import { cutFinish, wholeFinish } from './status.ts'

export function parseAnswer(body: Json): HubAnswer {
  if (!Array.isArray(body.output)) throw new UnreadableAnswer('The answer has no `output`.')
  const { parts, logprobs } = parseOutput(body.output)
  const finish = parseFinish(body, parts)
  const tier = textOrNull(body.service_tier)
  return {
    id: text(body.id),
    model: text(body.model),
    created: typeof body.created_at === 'number' ? body.created_at : null,
    candidates: [{ parts, finish, ...(logprobs.length > 0 && { logprobs }) }],
    usage: readUsage(body.usage),
    ...(tier !== null && { serviceTier: tier }),
  }
}

function parseFinish({ status, incomplete_details, error }: Json, parts: HubPart[]): HubFinish {
  if (status === 'incomplete') return cutFinish(record(incomplete_details).reason)
  // Those who copy the format may leave it out.
  if (status === 'completed' || status === undefined) return wholeFinish(parts.some(({ type }) => type === 'tool_call'))
  throw new UnreadableAnswer(`The response is ${String(status)}: ${text(record(error).message) || 'no reason given'}`)
}

/** What the provider ran itself (searches, code) is its own affair: the text tells the outcome. */
export function parseOutput(output: unknown): { parts: HubPart[]; logprobs: HubLogprob[] } {
  const parts: HubPart[] = []
  const logprobs: HubLogprob[] = []
  /** Of tool calls, by their ids: they come before their calls. */
  const seals = new Map<string, CallSeal['seal']>()
  for (const item of records(output)) {
    if (item.type === 'reasoning') {
      const { part, seal } = parseReasoning(item)
      if (seal) seals.set(seal.call, seal.seal)
      if (part) parts.push(part)
    } else if (item.type === 'function_call') parts.push(parseCall(item, seals))
    else if (item.type === 'message') {
      for (const one of records(item.content)) {
        parts.push(...parsePart(one))
        logprobs.push(...parseLogprobs(one.logprobs))
      }
    }
  }
  return { parts, logprobs }
}

function parsePart(part: Json): HubPart[] {
  if (part.type === 'refusal') return [{ type: 'refusal', text: text(part.refusal) }]
  if (part.type !== 'output_text') return []
  const citations = parseAnnotations(part.annotations)
  return [{ type: 'text', text: text(part.text), ...(citations.length > 0 && { citations }) }]
}

/** Results refer to `call_id`; those who copy the format may have but an `id`. */
function parseCall(item: Json, seals: Map<string, CallSeal['seal']>): HubPart {
  const id = text(item.call_id) || text(item.id)
  return { type: 'tool_call', id, name: text(item.name), arguments: text(item.arguments), ...seals.get(id) }
}
