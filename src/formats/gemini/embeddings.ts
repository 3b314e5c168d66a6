import { type Json, UnreadableAnswer } from '../dialect.ts'
import { readInteger, records, refuse, requireText, unknownFields } from '../read.ts'
import { camelCase, readMessage, readMessages } from './fields.ts'

/* `:embedContent` and `:batchEmbedContents`, out of `POST /v1/embeddings` as OpenAI has it. The other way Gemini goes by itself. */

export type EmbedRequest = {
  texts: string[]
  dimensions: number | null
  /** Several were asked for, if only one. */
  isBatch: boolean
  /** Fields without a counterpart, by their names. */
  unknown: string[]
}

/** The body of `:batchEmbedContents` (`requests`) or of `:embedContent`. Throws `invalid_request`. */
export function parseEmbedContents(raw: Json): EmbedRequest {
  const body = camelCase(raw)
  const isBatch = body.requests !== undefined
  const requests = isBatch ? readMessages(body.requests, 'requests') : [body]
  if (requests.length === 0) refuse('requests', 'must have at least one')
  const unknown = requests.flatMap((one) => unknownFields(one, KNOWN))
  const dimensions = requests.map((one, index) =>
    readInteger(one.outputDimensionality, `${isBatch ? `requests[${index}].` : ''}outputDimensionality`),
  )
  if (dimensions.some((one) => one !== dimensions[0]))
    refuse('requests', 'must all have the same `outputDimensionality` for this model')
  return {
    texts: requests.map((one, index) => readContent(one.content, isBatch ? `requests[${index}].content` : 'content')),
    dimensions: dimensions[0]!,
    isBatch,
    unknown: [...new Set(unknown)],
  }
}

const KNOWN = new Set('model content outputDimensionality requests'.split(' '))

function readContent(content: unknown, at: string): string {
  const message = readMessage(content, at) ?? refuse(at, 'is required')
  const parts = readMessages(message.parts, `${at}.parts`)
  return parts.map(({ text }, index) => requireText(text, `${at}.parts[${index}].text`)).join('')
}

/** For `POST /v1/embeddings`. */
export const buildEmbeddings = (model: string, { texts, dimensions }: EmbedRequest): Json => ({
  model,
  input: texts,
  ...(dimensions !== null && { dimensions }),
})

/** The vectors of its answer, in the order of the texts. Throws `UnreadableAnswer`. */
export function parseVectors({ data }: Json): number[][] {
  if (!Array.isArray(data)) throw new UnreadableAnswer('The answer has no embeddings.')
  const ordered = records(data).sort((one, other) => Number(one.index) - Number(other.index))
  return ordered.map(({ embedding }) => toVector(embedding))
}

function toVector(embedding: unknown): number[] {
  if (Array.isArray(embedding) && embedding.every((one) => typeof one === 'number')) return embedding
  throw new UnreadableAnswer('An embedding is no list of numbers.')
}

export const buildEmbedAnswer = (vectors: number[][], { isBatch }: EmbedRequest): Json =>
  isBatch ? { embeddings: vectors.map((values) => ({ values })) } : { embedding: { values: vectors[0] ?? [] } }
