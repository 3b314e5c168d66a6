import { dataUrl } from '../data-url.ts'
import type { Dialect, Json } from '../dialect.ts'
import type { HubPart, HubSource } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { writeCache } from './extensions.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

export const buildText = ({ text, cache }: HubPart & { type: 'text' }, facts: ModelFacts): Json => ({
  type: 'text',
  text,
  ...(cache && facts.takesCacheMarks && { cache_control: writeCache(cache) }),
})

/** Of what a user or an instruction says. */
export function buildPart(part: HubPart, facts: ModelFacts, lose: Lose): Json[] {
  const marked = (built: Json[]) =>
    part.cache && facts.takesCacheMarks
      ? built.map((one) => ({ ...one, cache_control: writeCache(part.cache!) }))
      : built
  switch (part.type) {
    case 'text':
      return [buildText(part, facts)]
    case 'image':
      return marked(buildImage(part, lose))
    case 'audio':
      return buildAudio(part.source, lose)
    case 'file':
      return marked(buildFile(part.source, part.name, lose))
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    case 'reasoning':
      // Only an assistant thinks.
      return []
    default:
      lose(`part:${part.type}`)
      return []
  }
}

function buildImage({ source, detail }: HubPart & { type: 'image' }, lose: Lose): Json[] {
  const more = detail === undefined ? {} : { detail }
  if (source.kind === 'url') return [{ type: 'image_url', image_url: { url: source.url, ...more } }]
  if (source.kind === 'base64')
    return [{ type: 'image_url', image_url: { url: dataUrl(source.mediaType, source.data), ...more } }]
  lose('part:image')
  return []
}

/** Only these two are taken; `audio/mpeg` is how the first is really called. */
const AUDIO = new Map([
  ['mp3', 'mp3'],
  ['mpeg', 'mp3'],
  ['wav', 'wav'],
  ['wave', 'wav'],
])

function buildAudio({ mediaType, data }: HubSource & { kind: 'base64' }, lose: Lose): Json[] {
  const format = AUDIO.get(mediaType.replace(/^audio\/(?:x-)?/, ''))
  if (format) return [{ type: 'input_audio', input_audio: { data, format } }]
  lose('part:audio')
  return []
}

function buildFile(source: HubSource, name: string | undefined, lose: Lose): Json[] {
  const asText = (said: string) => [{ type: 'text', text: name === undefined ? said : `${name}\n\n${said}` }]
  switch (source.kind) {
    case 'text':
      return asText(source.text)
    case 'file_id':
      return [{ type: 'file', file: { file_id: source.id } }]
    case 'base64': {
      const { mediaType, data } = source
      // As a file only a PDF is taken.
      if (isText(mediaType)) return asText(Buffer.from(data, 'base64').toString('utf8'))
      if (mediaType.startsWith('image/')) return [{ type: 'image_url', image_url: { url: dataUrl(mediaType, data) } }]
      const filename = name ?? `document.${mediaType.split('/')[1] ?? 'bin'}`
      return [{ type: 'file', file: { filename, file_data: dataUrl(mediaType, data) } }]
    }
    default:
      lose('part:file')
      return []
  }
}

const isText = (mediaType: string) => mediaType.startsWith('text/') || mediaType === 'application/json'
