import type { Dialect, Json } from '../dialect.ts'
import type { HubSource } from '../hub.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]

const IMAGES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/** `name`: what it is called where it turns out to be a document. */
export function buildImage(source: HubSource, name: string | undefined, cache: Json, lose: Lose): Json[] {
  if (source.kind === 'url') return [{ type: 'image', source: { type: 'url', url: source.url }, ...cache }]
  if (source.kind === 'base64') {
    const mediaType = source.mediaType.replace('image/jpg', 'image/jpeg')
    if (IMAGES.has(mediaType))
      return [{ type: 'image', source: { type: 'base64', media_type: mediaType, data: source.data }, ...cache }]
    // Clients without a part for files send them as images.
    if (mediaType === 'application/pdf') return buildDocument(source, name, cache, lose)
  }
  lose('part:image')
  return []
}

export function buildDocument(source: HubSource, name: string | undefined, cache: Json, lose: Lose): Json[] {
  const rest = { ...(name !== undefined && { title: name }), ...cache }
  const document = (from: Json) => [{ type: 'document', source: from, ...rest }]
  const asText = (data: string) => document({ type: 'text', media_type: 'text/plain', data })
  if (source.kind === 'url') return document({ type: 'url', url: source.url })
  if (source.kind === 'text') return asText(source.text)
  if (source.kind === 'base64') {
    const { mediaType, data } = source
    if (mediaType === 'application/pdf') return document({ type: 'base64', media_type: mediaType, data })
    if (mediaType.startsWith('text/') || mediaType === 'application/json')
      return asText(Buffer.from(data, 'base64').toString('utf8'))
    if (mediaType.startsWith('image/')) return buildImage(source, name, cache, lose)
  }
  // Files that another provider keeps, and kinds that this one does not read.
  lose('part:file')
  return []
}
