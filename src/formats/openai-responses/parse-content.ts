import { readUrl } from '../data-url.ts'
import type { Json } from '../dialect.ts'
import type { HubPart, HubSource } from '../hub.ts'
import { isRecord, readRecord, readRecords, readText, refuse, requireText } from '../read.ts'
import { parseAnnotations } from './annotations.ts'

/** The content of a message, or the output of a function: a text, or a list of parts. */
export function parseContent(content: unknown, at: string): HubPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return readRecords(content, at)!.map((part, index) => ({
    ...parsePart(part, `${at}[${index}]`),
    ...(isRecord(part.prompt_cache_breakpoint) && { cache: { ttl: null } }),
  }))
}

function parsePart(part: Json, at: string): HubPart {
  switch (part.type) {
    case 'input_text':
      return { type: 'text', text: requireText(part.text, `${at}.text`) }
    case 'output_text': {
      const citations = parseAnnotations(part.annotations)
      return { type: 'text', text: requireText(part.text, `${at}.text`), ...(citations.length > 0 && { citations }) }
    }
    case 'refusal':
      return { type: 'refusal', text: requireText(part.refusal, `${at}.refusal`) }
    case 'input_image':
      return parseImage(part, at)
    case 'input_file':
      return parseFile(part, at)
    case 'input_audio': {
      const audio = readRecord(part.input_audio, `${at}.input_audio`) ?? refuse(`${at}.input_audio`, 'is required')
      const format = requireText(audio.format, `${at}.input_audio.format`)
      const data = requireText(audio.data, `${at}.input_audio.data`)
      return { type: 'audio', source: { kind: 'base64', mediaType: `audio/${format}`, data } }
    }
    default:
      return refuse(
        `${at}.type`,
        'must be one of input_text, input_image, input_file, input_audio, output_text, refusal',
      )
  }
}

/** Unlike in chat, `image_url` is the address itself. */
function parseImage(part: Json, at: string): HubPart {
  const detail = readText(part.detail, `${at}.detail`)
  const id = readText(part.file_id, `${at}.file_id`)
  const source: HubSource =
    id === null ? readUrl(requireText(part.image_url, `${at}.image_url`)) : { kind: 'file_id', id }
  return { type: 'image', source, ...(detail !== null && { detail }) }
}

function parseFile(part: Json, at: string): HubPart {
  const name = readText(part.filename, `${at}.filename`)
  return { type: 'file', source: parseFileSource(part, at), ...(name !== null && { name }) }
}

function parseFileSource(part: Json, at: string): HubSource {
  const id = readText(part.file_id, `${at}.file_id`)
  if (id !== null) return { kind: 'file_id', id }
  const url = readText(part.file_url, `${at}.file_url`)
  if (url !== null) return { kind: 'url', url }
  const data = requireText(part.file_data, `${at}.file_data`)
  // Some clients send the bytes bare, which stands for a PDF.
  return data.startsWith('data:') ? readUrl(data) : { kind: 'base64', mediaType: 'application/pdf', data }
}
