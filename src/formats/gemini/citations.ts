import type { Json } from '../dialect.ts'
import type { HubCitation } from '../hub.ts'
import { record, records, textOrNull } from '../read.ts'

/*
 * What a candidate's grounding says of its text. Places are counted in bytes of UTF-8 there, and in characters of the whole text in
 * the hub.
 */

/** `text`: all of the candidate's; null where it is not known, and places are left out. */
export function parseCitations(candidate: Json, text: string | null): HubCitation[] {
  const { groundingChunks, groundingSupports } = record(candidate.groundingMetadata)
  const sources = records(groundingChunks).map(parseSource)
  const supports = records(groundingSupports)
  const recited = record(candidate.citationMetadata)
  return [
    ...(supports.length === 0 ? sources : supports.flatMap((support) => parseSupport(support, sources, text))),
    ...records(recited.citationSources ?? recited.citations).map((one) => ({
      ...parsePlace(one, text),
      ...named(one),
    })),
  ]
}

function parseSource(chunk: Json): HubCitation {
  const kept = record(chunk.retrievedContext)
  const excerpt = textOrNull(kept.text)
  return {
    ...named(record(chunk.web ?? chunk.retrievedContext ?? chunk.maps)),
    ...(excerpt !== null && { text: excerpt }),
  }
}

function named({ uri, title }: Json): HubCitation {
  return { ...(typeof uri === 'string' && { url: uri }), ...(typeof title === 'string' && { title }) }
}

function parseSupport({ segment, groundingChunkIndices }: Json, sources: HubCitation[], text: string | null) {
  const place = parsePlace(record(segment), text)
  const indices = Array.isArray(groundingChunkIndices) ? groundingChunkIndices : []
  return indices.flatMap((index) => (sources[index] ? [{ ...sources[index], ...place }] : []))
}

function parsePlace({ startIndex = 0, endIndex }: Json, text: string | null): HubCitation {
  if (text === null || typeof startIndex !== 'number' || typeof endIndex !== 'number') return {}
  return { start: charactersIn(text, startIndex), end: charactersIn(text, endIndex) }
}

/** The characters in so many bytes of it. */
function charactersIn(text: string, bytes: number): number {
  const all = Buffer.from(text)
  return all.length === text.length ? Math.min(bytes, all.length) : all.subarray(0, bytes).toString('utf8').length
}

/** As `groundingMetadata`; null when nothing is cited. */
export function buildGrounding(citations: readonly HubCitation[], text: string | null): Json | null {
  if (citations.length === 0) return null
  const chunks = new Map<string, { index: number; web: Json }>()
  const supports: Json[] = []
  for (const { url = '', title, start, end } of citations) {
    const known = chunks.get(url) ?? { index: chunks.size, web: { uri: url, ...(title !== undefined && { title }) } }
    chunks.set(url, known)
    if (start === undefined || end === undefined || text === null) continue
    const segment = {
      startIndex: Buffer.byteLength(text.slice(0, start)),
      endIndex: Buffer.byteLength(text.slice(0, end)),
      text: text.slice(start, end),
    }
    supports.push({ segment, groundingChunkIndices: [known.index] })
  }
  return {
    groundingChunks: [...chunks.values()].map(({ web }) => ({ web })),
    ...(supports.length > 0 && { groundingSupports: supports }),
  }
}
