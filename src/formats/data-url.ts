import type { HubSource } from './hub.ts'

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,/i

/** `data:image/png;base64,…` as its parts, any other address as it is. */
export function readUrl(url: string): HubSource {
  const match = url.startsWith('data:') ? DATA_URL.exec(url) : null
  if (!match) return { kind: 'url', url }
  return {
    kind: 'base64',
    mediaType: match[1]?.toLowerCase() ?? 'application/octet-stream',
    data: url.slice(match[0].length),
  }
}

export const dataUrl = (mediaType: string, data: string) => `data:${mediaType};base64,${data}`
