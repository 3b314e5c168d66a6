import { dataUrl, readUrl } from '../data-url.ts'
import type { Json } from '../dialect.ts'
import type { HubMedia } from '../hub.ts'
import { record, records, text } from '../read.ts'

/*
 * What an answer shows and says aloud: pictures as OpenRouter spells them (`images`, of a message or a delta; OpenAI's own models draw
 * elsewhere), sound as OpenAI does (`audio`).
 */

export const parseImages = (images: unknown): HubMedia[] =>
  records(images).flatMap(({ image_url }) => {
    const url = text(record(image_url).url)
    return url === '' ? [] : [{ type: 'image', source: readUrl(url) }]
  })

/** Null: there is no place for it. `index`: which one of its message. */
export function buildImage(media: HubMedia, index: number): Json | null {
  if (media.type !== 'image') return null
  const { source } = media
  const url =
    source.kind === 'base64' ? dataUrl(source.mediaType, source.data) : source.kind === 'url' ? source.url : null
  return url === null ? null : { type: 'image_url', image_url: { url }, index }
}

/** How the formats begin that say what they are, in base64. */
const HEADS: [string, string][] = [
  ['UklGR', 'audio/wav'],
  ['ZkxhQ', 'audio/flac'],
  ['T2dnU', 'audio/ogg'],
  ['SUQz', 'audio/mp3'],
  ['//', 'audio/mp3'],
]
/** `pcm16`, the one format of streams, in Gemini's words, who speaks the same. */
const PCM = 'audio/L16;codec=pcm;rate=24000'

/** The format is in the request alone, of which the client's own dialect knew no more than that. */
export function parseAudio(audio: unknown, isStream: boolean): { said: string; media: HubMedia | null } {
  const { data, transcript } = record(audio)
  if (typeof data !== 'string' || data === '') return { said: text(transcript), media: null }
  const mediaType = isStream ? PCM : (HEADS.find(([head]) => data.startsWith(head))?.[1] ?? PCM)
  return { said: text(transcript), media: { type: 'audio', source: { kind: 'base64', mediaType, data } } }
}
