import type { Json } from '../dialect.ts'
import type { HubMedia, HubSource } from '../hub.ts'
import { isRecord, record, text } from '../read.ts'

/** By the ending of an address, as far as models here read it. */
const BY_ENDING: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  xml: 'text/xml',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
}

export function guessType(url: string): string | null {
  const path = url.split(/[?#]/, 1)[0]!
  return BY_ENDING[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? null
}

/** What the provider keeps itself: it knows the type. */
const KEPT = /\/v\d\w*\/files\/[\w-]+$/

/**
 * A picture, document or sound as a part; null where there is no way to send it. An address is handed on, and fetched by the provider:
 * the gateway downloads nothing.
 */
export function buildMedia(source: HubSource, usual: string): Json | null {
  switch (source.kind) {
    case 'base64':
      return { inlineData: { mimeType: source.mediaType, data: source.data } }
    case 'text':
      return { text: source.text }
    case 'url': {
      const mimeType = source.mediaType ?? guessType(source.url) ?? (KEPT.test(source.url) ? null : usual)
      return { fileData: { ...(mimeType !== null && { mimeType }), fileUri: source.url } }
    }
    default:
      return null
  }
}

export function mediaPart(source: HubSource & { kind: 'base64' | 'url' }, name: string | null): HubMedia {
  const type = source.mediaType ?? (source.kind === 'url' ? guessType(source.url) : null) ?? ''
  if (type.startsWith('image/')) return { type: 'image', source }
  if (type.startsWith('audio/') && source.kind === 'base64') return { type: 'audio', source }
  return { type: 'file', source, ...(name !== null && { name }) }
}

/** What a part of an answer shows; null where it shows nothing. The drafts that a model made in its thoughts are no answer. */
export function answeredMedia({ inlineData, fileData, thought }: Json): HubMedia | null {
  if (thought === true) return null
  if (isRecord(inlineData)) {
    const { mimeType, data } = inlineData
    return mediaPart({ kind: 'base64', mediaType: text(mimeType), data: text(data) }, null)
  }
  const { mimeType, fileUri: url } = record(fileData)
  if (typeof url !== 'string') return null
  return mediaPart({ kind: 'url', url, ...(typeof mimeType === 'string' && { mediaType: mimeType }) }, null)
}

/** An answer's, in its own place; null where there is none. */
export const buildAnsweredMedia = ({ type, source }: HubMedia): Json | null => buildMedia(source, USUAL[type])

/** Where nobody says the type. */
export const USUAL = { image: 'image/jpeg', audio: 'audio/mp3', file: 'application/pdf' } as const
