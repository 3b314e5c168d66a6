import type { Json } from '../../../src/formats/dialect.ts'
import type { HubPart } from '../../../src/formats/hub.ts'
import { record, records } from '../../../src/formats/read.ts'
import type { SseEvent } from './streams.ts'

const BUILT_IN = /_call$|^mcp_|^custom_/

export const hasBuiltIns = (body: Json) =>
  records(body.tools).some(({ type }) => type !== 'function') ||
  records(body.input).some(({ type }) => typeof type === 'string' && type !== 'function_call' && BUILT_IN.test(type))
export const hasBuiltInItems = (body: Json) =>
  records(body.output).some(({ type }) => type !== 'function_call' && BUILT_IN.test(String(type)))
/** Of tools that the provider runs. */
export const isForeign = ({ data }: SseEvent) => {
  const { type } = record(data.item)
  return typeof type === 'string' && type !== 'function_call' && BUILT_IN.test(type)
}
/** Several, one after the other, are told as one. */
export const countMessages = ({ output }: Json) => records(output).filter(({ type }) => type === 'message').length
export const messagesIn = (events: SseEvent[]) =>
  events.filter(({ data }) => data.type === 'response.output_item.added' && record(data.item).type === 'message').length

/** What was said, shown, called and answered, in order. */
export const contentOf = (parts: HubPart[]): string[][] =>
  parts.flatMap((part): string[][] => {
    if (part.type === 'text' || part.type === 'refusal') return [[part.type, part.text]]
    if (part.type === 'tool_call') return [['tool_call', part.id, part.name, compact(part.arguments)]]
    if (part.type === 'tool_result') return [['tool_result', part.id], ...contentOf(part.parts)]
    return part.type === 'reasoning' ? [] : [[part.type]]
  })

export const callIdsIn = (content: string[][]) => content.flatMap(([kind, id]) => (kind === 'tool_call' ? [id!] : []))

/** Ids may become others that the model takes, as long as a result still has that of its call: each becomes its call's number. */
export function withPairs(content: string[][]): string[][] {
  const ids = callIdsIn(content)
  return content.map(([kind, id, ...rest]) =>
    kind === 'tool_call' || kind === 'tool_result'
      ? [kind, `call ${ids.indexOf(id!)}`, ...rest]
      : [kind!, id!, ...rest],
  )
}

const compact = (json: string) => (json === '' ? '{}' : JSON.stringify(JSON.parse(json)))

export function contentOfInput({ input, instructions }: Json): string[][] {
  const said = typeof instructions === 'string' ? [['text', instructions]] : []
  if (typeof input === 'string') return [...said, ['text', input]]
  return [...said, ...records(input).flatMap(contentOfItem)]
}

export function contentOfItem(item: Json): string[][] {
  const { type, content, output, call_id, name } = item
  if (type === 'function_call') return [['tool_call', String(call_id), String(name), compact(String(item.arguments))]]
  if (type === 'function_call_output') return [['tool_result', String(call_id)], ...contentOfParts(output)]
  return type === 'message' || type === undefined ? contentOfParts(content) : []
}

const contentOfParts = (content: unknown): string[][] =>
  typeof content === 'string'
    ? [['text', content]]
    : records(content).map(({ type, text, refusal }) => {
        if (type === 'refusal') return ['refusal', String(refusal)]
        return typeof text === 'string' ? ['text', text] : [String(type).replace('input_', '')]
      })

const isEmptyThought = ({ type, summary, encrypted_content }: Json) =>
  type === 'reasoning' && records(summary).length === 0 && !encrypted_content

/** Items that hold something, without their ids, and without what only their provider has to say. */
export const meaningOf = (items: Json[]) =>
  items
    .filter((item) => !isEmptyThought(item))
    .map(({ type, role, status, call_id, name, arguments: json, summary, encrypted_content, content }) => {
      if (type === 'reasoning') return { type, summary, seal: encrypted_content ?? null }
      const said = records(content).map(({ annotations, logprobs, ...part }) => ({
        ...part,
        annotations: annotations ?? [],
        logprobs: logprobs ?? [],
      }))
      return { type, role, status, call_id, name, json, said }
    })
