import { readUsage } from '../../usage/read-usage.ts'
import type { Json, StreamParser } from '../dialect.ts'
import type { HubEvent, HubFinish } from '../hub.ts'
import { parseLogprobs } from '../openai-logprobs.ts'
import { isRecord, record, text } from '../read.ts'
import { parseAnnotations } from './annotations.ts'
import { errorOf } from './error.ts'
import { parseOutput } from './parse-answer.ts'
import { PARAGRAPH, parseReasoning } from './reasoning.ts'
import type { CallSeal } from './seals.ts'
import { cutFinish, wholeFinish } from './status.ts'

/** Source: wire facts 4.5. */
export function createStreamParser(): StreamParser {
  let begun = false
  let failed = false
  /** Numbers of the tool calls, by their items. */
  const calls = new Map<unknown, number>()
  /** By its item, the kind of event in which its pieces come. */
  const tellers = new Map<unknown, unknown>()
  /** Of tool calls, by their ids: they come before their calls. */
  const seals = new Map<string, CallSeal['seal']>()

  const begin = (data: Json): HubEvent[] => {
    if (begun) return []
    begun = true
    const { id, model, created_at } = record(data.response)
    const created = typeof created_at === 'number' ? created_at : null
    return [{ type: 'start', id: text(id), model: text(model), created }]
  }

  /** The piece in it. Where a thought is told as it is and as a summary, what came first is heard. */
  const hear = (data: Json): string => {
    const key = keyOf(data)
    if (!tellers.has(key)) tellers.set(key, data.type)
    const isTold = THOUGHTS.has(data.type) && tellers.get(key) !== data.type
    return isTold ? '' : text(data.delta)
  }

  const openItem = (data: Json): HubEvent[] => {
    const item = record(data.item)
    if (item.type !== 'function_call') return []
    const call = calls.size
    calls.set(keyOf(data), call)
    const id = text(item.call_id) || text(item.id)
    return [{ type: 'tool_call', choice: 0, call, id, name: text(item.name), ...seals.get(id) }]
  }

  const addArguments = (data: Json, json: string): HubEvent[] => {
    const call = calls.get(keyOf(data))
    return call === undefined || json === '' ? [] : [{ type: 'arguments', choice: 0, call, json }]
  }

  /** The whole item, which says something new where no pieces of it have come. */
  const closeItem = (data: Json): HubEvent[] => {
    const item = record(data.item)
    const isNew = !tellers.has(keyOf(data))
    if (item.type === 'reasoning') return closeReasoning(item, isNew)
    if (!isNew) return []
    return item.type === 'function_call' ? addArguments(data, text(item.arguments)) : messageEvents(item)
  }

  const closeReasoning = (item: Json, isNew: boolean): HubEvent[] => {
    const { part, seal } = parseReasoning(item)
    if (seal) seals.set(seal.call, seal.seal)
    const events: HubEvent[] = []
    if (isNew && part?.text) events.push({ type: 'reasoning', choice: 0, text: part.text })
    const { signature, redacted, sealedIn } = part ?? {}
    if (signature !== undefined) events.push({ type: 'signature', choice: 0, signature, sealedIn })
    if (redacted !== undefined) events.push({ type: 'redacted', choice: 0, data: redacted, sealedIn })
    return events
  }

  /** It is told twice: as an event of its own, and as what became of the response. */
  const fail = (error: Json): HubEvent[] => {
    if (failed) return []
    failed = true
    return [{ type: 'error', error: errorOf(error) }]
  }

  const read = (data: Json): HubEvent[] => {
    switch (data.type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return begin(data)
      case 'response.output_item.added':
        return openItem(data)
      case 'response.output_item.done':
        return closeItem(data)
      case 'response.output_text.delta':
        return [...piece('text', hear(data)), ...logprobEvents(data.logprobs)]
      case 'response.refusal.delta':
        return piece('refusal', hear(data))
      case 'response.reasoning_summary_part.added':
        return data.summary_index && tellers.get(keyOf(data)) === SUMMARY ? piece('reasoning', PARAGRAPH) : []
      case SUMMARY:
      case 'response.reasoning_text.delta':
        return piece('reasoning', hear(data))
      case 'response.output_text.annotation.added':
        hear(data)
        return parseAnnotations([data.annotation]).map((citation) => ({ type: 'citation', choice: 0, citation }))
      case 'response.function_call_arguments.delta':
        return addArguments(data, hear(data))
      case 'response.completed':
        return endEvents(data, wholeFinish(calls.size > 0))
      case 'response.incomplete':
        return endEvents(data, cutFinish(record(record(data.response).incomplete_details).reason))
      case 'response.failed':
        return fail(record(record(data.response).error))
      case 'error':
        return fail(isRecord(data.error) ? data.error : data)
      default:
        // What the provider runs itself tells of its steps; new events may come at any time.
        return []
    }
  }

  return { push: (data) => (data === '[DONE]' ? [] : read(data)), end: () => [] }
}

const SUMMARY = 'response.reasoning_summary_text.delta'
const THOUGHTS: ReadonlySet<unknown> = new Set([SUMMARY, 'response.reasoning_text.delta'])

/** Ids of items change from event to event at some who copy the format; their numbers do not. */
const keyOf = ({ output_index, item_id }: Json) => output_index ?? item_id

const piece = (type: 'text' | 'refusal' | 'reasoning', said: string): HubEvent[] =>
  said === '' ? [] : [{ type, choice: 0, text: said }]

function logprobEvents(entries: unknown): HubEvent[] {
  if (!Array.isArray(entries) || entries.length === 0) return []
  return [{ type: 'logprobs', choice: 0, logprobs: parseLogprobs(entries) }]
}

function messageEvents(item: Json): HubEvent[] {
  const { parts, logprobs } = parseOutput([item])
  const events: HubEvent[] = parts.flatMap((part) => {
    if (part.type === 'refusal') return piece('refusal', part.text)
    if (part.type !== 'text') return []
    const cited = (part.citations ?? []).map((citation) => ({ type: 'citation' as const, choice: 0, citation }))
    return [...piece('text', part.text), ...cited]
  })
  return logprobs.length === 0 ? events : [...events, { type: 'logprobs', choice: 0, logprobs }]
}

function endEvents({ response }: Json, reason: HubFinish): HubEvent[] {
  const usage = readUsage(record(response).usage)
  return [
    { type: 'finish', choice: 0, reason },
    ...(usage ? [{ type: 'usage' as const, usage }] : []),
    { type: 'done' },
  ]
}
