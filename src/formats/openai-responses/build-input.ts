import { dataUrl } from '../data-url.ts'
import type { Dialect, Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubReasoningPart, HubSource, HubToolResult } from '../hub.ts'
import { isOwnSeal } from '../seals.ts'
import { buildAnnotation } from './annotations.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

/**
 * The items of a conversation, in its order. Thoughts and calls are items of their own, beside the message that they stand in. Marks
 * of a cache are left out: it is kept without them.
 */
export const buildInput = (messages: HubMessage[], lose: Lose): Json[] =>
  messages.flatMap(({ role, parts, name }) => {
    if (name !== undefined) lose('part:messages.name')
    if (parts.length === 0) return [{ role, content: '' }]
    return grouped(parts, role === 'assistant' ? buildTurnPart : buildInputPart, lose).map((one) =>
      'content' in one ? { role, content: plain(one.content, role) } : one.item,
    )
  })

/** A part is an item, or belongs to the content of a message, with those that follow it. */
type Built = { item: Json } | { content: Json[] }
type BuildPart = (part: HubPart, lose: Lose) => Built

function grouped(parts: HubPart[], build: BuildPart, lose: Lose): Built[] {
  const all: Built[] = []
  for (const part of parts) {
    const one = build(part, lose)
    const last = all.at(-1)
    if ('content' in one && last && 'content' in last) last.content.push(...one.content)
    else if (!('content' in one) || one.content.length > 0) all.push(one)
  }
  return all
}

/** What a user says in one text is written as such. */
const plain = (content: Json[], role: string) =>
  role !== 'assistant' && content.length === 1 && content[0]!.type === 'input_text' ? content[0]!.text : content

function buildTurnPart(part: HubPart, lose: Lose): Built {
  switch (part.type) {
    case 'text':
      return { content: [buildText(part)] }
    case 'refusal':
      return { content: [{ type: 'refusal', refusal: part.text }] }
    case 'reasoning':
      return buildReasoning(part)
    case 'tool_call':
      return {
        item: { type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments || '{}' },
      }
    default:
      lose(`part:${part.type}`)
      return { content: [] }
  }
}

const buildText = ({ text, citations = [] }: HubPart & { type: 'text' }): Json => ({
  type: 'output_text',
  text,
  ...(citations.length > 0 && { annotations: citations.map((one) => buildAnnotation(one, 0, text.length)) }),
})

/**
 * A thought without a seal is not taken back, and need not be there; nor are thoughts that are nothing but sealed, and seals of calls:
 * providers of other dialects make these. A seal is bound to the id of its item, so without the true one there must be none
 * (github.com/BerriAI/litellm/pull/15782).
 */
function buildReasoning(part: HubReasoningPart): Built {
  const { text, signature, redacted, id } = part
  if (signature === undefined || redacted !== undefined || !isOwnSeal(part, 'openai-responses')) return { content: [] }
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return { item: { type: 'reasoning', ...(id !== undefined && { id }), summary, encrypted_content: signature } }
}

function buildInputPart(part: HubPart, lose: Lose): Built {
  return part.type === 'tool_result' ? { item: buildResult(part, lose) } : { content: buildContent(part, lose) }
}

/** That it failed has no field here: its text says so. */
function buildResult({ id, parts }: HubToolResult, lose: Lose): Json {
  const output = parts.flatMap((part) => buildContent(part, lose))
  const only = output.length === 1 && output[0]!.type === 'input_text' ? output[0]!.text : output
  return { type: 'function_call_output', call_id: id, output: output.length === 0 ? '' : only }
}

function buildContent(part: HubPart, lose: Lose): Json[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'input_text', text: part.text }]
    case 'image':
      return buildImage(part, lose)
    case 'file':
      return buildFile(part.source, part.name)
    default:
      // Sound, above all: the models that hear it speak another API.
      lose(`part:${part.type}`)
      return []
  }
}

function buildImage({ source, detail }: HubPart & { type: 'image' }, lose: Lose): Json[] {
  const image = { type: 'input_image', detail: detail ?? 'auto' }
  if (source.kind === 'url') return [{ ...image, image_url: source.url }]
  if (source.kind === 'base64') return [{ ...image, image_url: dataUrl(source.mediaType, source.data) }]
  if (source.kind === 'file_id') return [{ ...image, file_id: source.id }]
  lose('part:image')
  return []
}

function buildFile(source: HubSource, name: string | undefined): Json[] {
  switch (source.kind) {
    case 'text':
      return [{ type: 'input_text', text: source.text }]
    case 'file_id':
      return [{ type: 'input_file', file_id: source.id }]
    case 'url':
      return [{ type: 'input_file', file_url: source.url }]
    case 'base64': {
      const filename = name ?? `document.${source.mediaType.split('/')[1] ?? 'bin'}`
      return [{ type: 'input_file', filename, file_data: dataUrl(source.mediaType, source.data) }]
    }
  }
}
