import type { Json } from '../dialect.ts'
import type { HubPart, HubSource } from '../hub.ts'

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

export function mediaPart(source: HubSource & { kind: 'base64' | 'url' }, name: string | null): HubPart {
  const type = source.mediaType ?? (source.kind === 'url' ? guessType(source.url) : null) ?? ''
  if (type.startsWith('image/')) return { type: 'image', source }
  if (type.startsWith('audio/') && source.kind === 'base64') return { type: 'audio', source }
  return { type: 'file', source, ...(name !== null && { name }) }
}
