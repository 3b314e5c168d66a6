import type { Json } from '../dialect.ts'
import type { HubCitation, HubPart, HubSource } from '../hub.ts'
import {
  readBoolean,
  readRecord,
  readRecords,
  readText,
  record,
  records,
  refuse,
  requireText,
  textOrNull,
} from '../read.ts'
import { type Sealed, unmarkSeal } from '../seals.ts'
import { readCache } from './cache.ts'

/** The content of a request's message, or of a tool's result. What nobody else has is named in `unknown`. */
export function parseBlocks(content: unknown, at: string, unknown: string[]): HubPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return refuse(at, 'must be text or a list of blocks')
  return readRecords(content, at)!.flatMap((block, index) => {
    const parts = parseBlock(block, `${at}[${index}]`, unknown)
    const { cache } = readCache(block)
    const last = parts.at(-1)
    // Of what becomes several parts the last one ends what is to be cached.
    return cache && last ? [...parts.slice(0, -1), { ...last, cache }] : parts
  })
}

/** Names what is lost, once. */
function tell(unknown: string[], name: string): void {
  if (!unknown.includes(name)) unknown.push(name)
}

function parseBlock(block: Json, at: string, unknown: string[]): HubPart[] {
  const type = requireText(block.type, `${at}.type`)
  switch (type) {
    case 'text':
      return [{ type: 'text', text: requireText(block.text, `${at}.text`) }]
    case 'image':
      return [{ type: 'image', source: parseSource(block.source, `${at}.source`) }]
    case 'document':
      return parseDocument(block, at, unknown)
    case 'thinking':
      return [
        { type: 'reasoning', text: requireText(block.thinking, `${at}.thinking`), ...signatureOf(block.signature) },
      ]
    case 'redacted_thinking': {
      const { seal, sealedIn } = unmarkSeal(requireText(block.data, `${at}.data`), 'anthropic-messages')
      return [{ type: 'reasoning', text: '', redacted: seal, sealedIn }]
    }
    case 'tool_use': {
      const input = readRecord(block.input, `${at}.input`) ?? {}
      const [id, name] = [requireText(block.id, `${at}.id`), requireText(block.name, `${at}.name`)]
      return [{ type: 'tool_call', id, name, arguments: JSON.stringify(input) }]
    }
    case 'tool_result': {
      const isError = readBoolean(block.is_error, `${at}.is_error`)
      return [
        {
          type: 'tool_result',
          id: requireText(block.tool_use_id, `${at}.tool_use_id`),
          parts: parseBlocks(block.content, `${at}.content`, unknown),
          ...(isError !== null && { isError }),
        },
      ]
    }
    case 'search_result': {
      const said = parseBlocks(block.content, `${at}.content`, unknown)
      const head = [block.title, block.source].filter((one) => typeof one === 'string').join(', ')
      return head === '' ? said : [{ type: 'text', text: head }, ...said]
    }
    default:
      tell(unknown, `messages.${type}`)
      return []
  }
}

/** Of a thought: '' where whoever answered makes none. */
export function signatureOf(signature: unknown): Sealed & { signature?: string } {
  if (typeof signature !== 'string' || signature === '') return {}
  const { seal, sealedIn } = unmarkSeal(signature, 'anthropic-messages')
  return { signature: seal, sealedIn }
}

function parseDocument(block: Json, at: string, unknown: string[]): HubPart[] {
  const source = readRecord(block.source, `${at}.source`) ?? refuse(`${at}.source`, 'is required')
  const title = readText(block.title, `${at}.title`)
  if (record(block.citations).enabled === true) tell(unknown, 'messages.document.citations')
  if (block.context != null) tell(unknown, 'messages.document.context')
  // A document made of blocks is its blocks.
  if (source.type === 'content') return parseBlocks(source.content, `${at}.source.content`, unknown)
  return [{ type: 'file', source: parseSource(source, `${at}.source`), ...(title !== null && { name: title }) }]
}

function parseSource(source: unknown, at: string): HubSource {
  const { type, media_type, data, url, file_id } = readRecord(source, at) ?? refuse(at, 'is required')
  switch (type) {
    case 'base64':
      return {
        kind: 'base64',
        mediaType: requireText(media_type, `${at}.media_type`),
        data: requireText(data, `${at}.data`),
      }
    case 'url':
      return { kind: 'url', url: requireText(url, `${at}.url`) }
    case 'text':
      return { kind: 'text', text: requireText(data, `${at}.data`) }
    case 'file':
      return { kind: 'file_id', id: requireText(file_id, `${at}.file_id`) }
    default:
      return refuse(`${at}.type`, 'must be one of base64, url, text, file')
  }
}

/** Of an answer's text block. */
export const parseCitations = (citations: unknown): HubCitation[] => records(citations).map(parseCitation)

export function parseCitation(citation: Json): HubCitation {
  const url = textOrNull(citation.url) ?? textOrNull(citation.source)
  const title = textOrNull(citation.title) ?? textOrNull(citation.document_title)
  const cited = textOrNull(citation.cited_text)
  return { ...(url !== null && { url }), ...(title !== null && { title }), ...(cited !== null && { text: cited }) }
}
