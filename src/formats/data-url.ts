import type { HubSource } from './hub.ts'

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?((?:;[\w-]+=[^;,]*)*)(;base64)?,/i

/** `data:image/png;base64,…` as its parts, any other address as it is. */
export function readUrl(url: string): HubSource {
  const match = DATA_URL.exec(url.slice(0, 1_000))
  if (!match) return { kind: 'url', url }
  const rest = url.slice(match[0].length)
  return {
    kind: 'base64',
    mediaType: match[1]?.toLowerCase() ?? 'text/plain',
    data: match[3] ? rest : Buffer.from(percentDecoded(rest)).toString('base64'),
  }
}

/** A sign that is no escape stands for itself. */
const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export const dataUrl = (mediaType: string, data: string) => `data:${mediaType};base64,${data}`
