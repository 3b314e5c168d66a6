import { readUrl } from '../data-url.ts'
import type { Json } from '../dialect.ts'
import type { HubMessage, HubPart } from '../hub.ts'
import { readRecord, readRecords, readText, record, records, refuse, requireText, text } from '../read.ts'
import { readCache, readReasoning } from './extensions.ts'
import { parseImages } from './media.ts'

/** What is lost of it is named in `unknown`. */
export function parseMessage(message: Json, index: number, unknown: string[]): HubMessage {
  const at = `messages[${index}]`
  const role = requireText(message.role, `${at}.role`)
  const name = readText(message.name, `${at}.name`)
  const named = name === null ? {} : { name }
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, parts: parseContent(message.content, `${at}.content`), ...named }
    case 'assistant':
      return { role, parts: parseAssistant(message, at, unknown), ...named }
    case 'tool': {
      const id = requireText(message.tool_call_id, `${at}.tool_call_id`)
      const result: HubPart = { type: 'tool_result', id, parts: parseContent(message.content, `${at}.content`) }
      const cache = readCache(message)
      return { role: 'user', parts: [{ ...result, ...(name !== null && { name }), ...(cache && { cache }) }] }
    }
    case 'function':
      return refuse(`${at}.role`, 'must not be function, which is not translated for this model: send tool messages')
    default:
      return refuse(`${at}.role`, 'must be one of system, developer, user, assistant, tool')
  }
}

function parseAssistant(message: Json, at: string, unknown: string[]): HubPart[] {
  if (message.function_call != null)
    refuse(`${at}.function_call`, 'is not translated for this model: send `tool_calls`')
  // An answer that was spoken, by its id at the provider.
  if (message.audio != null && !unknown.includes('messages.audio')) unknown.push('messages.audio')
  const calls = readRecords(message.tool_calls, `${at}.tool_calls`) ?? []
  const { parts: reasoning, seals } = readReasoning(
    message,
    calls.map(({ id }) => text(id)),
  )
  const parts = [...reasoning, ...parseContent(message.content, `${at}.content`), ...parseImages(message.images)]
  const refusal = readText(message.refusal, `${at}.refusal`)
  if (refusal) parts.push({ type: 'refusal', text: refusal })
  calls.forEach((call, index) => {
    const place = `${at}.tool_calls[${index}]`
    const called = readRecord(call.function, `${place}.function`)
    if (called === null) refuse(place, 'must be a function call: others are not translated for this model')
    const id = requireText(call.id, `${place}.id`)
    parts.push({
      type: 'tool_call',
      id,
      name: requireText(called.name, `${place}.function.name`),
      arguments: readText(called.arguments, `${place}.function.arguments`) ?? '',
      ...seals.get(id),
    })
  })
  return parts
}

function parseContent(content: unknown, at: string): HubPart[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return refuse(at, 'must be text or a list of parts')
  return readRecords(content, at)!.map((part, index) => {
    const cache = readCache(part)
    return { ...parsePart(part, `${at}[${index}]`), ...(cache && { cache }) }
  })
}

function parsePart(part: Json, at: string): HubPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: requireText(part.text, `${at}.text`) }
    case 'refusal':
      return { type: 'refusal', text: requireText(part.refusal, `${at}.refusal`) }
    case 'thinking':
      return { type: 'reasoning', text: thoughtOf(part) }
    case 'image_url':
      return parseImage(part.image_url, `${at}.image_url`)
    case 'input_audio': {
      const audio = readRecord(part.input_audio, `${at}.input_audio`) ?? refuse(`${at}.input_audio`, 'is required')
      const format = requireText(audio.format, `${at}.input_audio.format`)
      const data = requireText(audio.data, `${at}.input_audio.data`)
      return { type: 'audio', source: { kind: 'base64', mediaType: `audio/${format}`, data } }
    }
    case 'file':
      return parseFile(readRecord(part.file, `${at}.file`) ?? refuse(`${at}.file`, 'is required'), `${at}.file`)
    default:
      return refuse(`${at}.type`, 'must be one of text, image_url, input_audio, file, refusal')
  }
}

/** Magistral's thoughts stand in the content: `{"type":"thinking","thinking":[{"type":"text","text":"…"}]}`. */
export const thoughtOf = ({ thinking }: Json): string =>
  text(thinking) ||
  records(thinking)
    .map((part) => text(part.text))
    .join('')

/** Mistral's clients write the address itself. */
function parseImage(image: unknown, at: string): HubPart {
  if (typeof image === 'string') return { type: 'image', source: readUrl(image) }
  const { url, detail } = readRecord(image, at) ?? refuse(at, 'is required')
  const wanted = readText(detail, `${at}.detail`)
  const source = readUrl(requireText(url, `${at}.url`))
  return { type: 'image', source, ...(wanted !== null && { detail: wanted }) }
}

function parseFile(file: Json, at: string): HubPart {
  const name = readText(file.filename, `${at}.filename`)
  const named = name === null ? {} : { name }
  const id = readText(file.file_id, `${at}.file_id`)
  if (id !== null) return { type: 'file', source: { kind: 'file_id', id }, ...named }
  const data = requireText(file.file_data, `${at}.file_data`)
  const source = /^(?:data|https?):/i.test(data)
    ? readUrl(data)
    : // Some clients send the bytes bare, which stands for a PDF.
      { kind: 'base64' as const, mediaType: 'application/pdf', data }
  return { type: 'file', source, ...named }
}

/** The text of an answer's content, which is a list with some. */
export const saidIn = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : records(content)
        .map((part) => (part.type === 'thinking' ? '' : text(part.text)))
        .join('')

/** The thoughts in an answer's content, with those who put them there. */
export const thoughtIn = (content: unknown): string =>
  Array.isArray(content)
    ? records(content)
        .map((part) => (part.type === 'thinking' ? thoughtOf(record(part)) : ''))
        .join('')
    : ''
