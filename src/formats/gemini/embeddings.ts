import { readUsage, usageOf } from '../../usage/read-usage.ts'
import { type Json, UnreadableAnswer } from '../dialect.ts'
import { isRecord, readInteger, readText, record, records, refuse, requireText, unknownFields } from '../read.ts'
import { camelCase, readMessage, readMessages } from './fields.ts'

/*
 * Embeddings, between `POST /v1/embeddings` as OpenAI has it and `:batchEmbedContents` / `:embedContent` as Gemini has them. The latter
 * counts no tokens in its answer (wire facts 3.2): who has to tell them counts for himself.
 */

/** What is asked for, in neither's words. */
export type EmbeddingRequest = {
  model: string
  texts: string[]
  dimensions: number | null
  /** How the vectors are written: SDKs ask for base64 on their own account, which is float32, little-endian. */
  encoding: 'float' | 'base64'
  /** Fields without a counterpart, by their names. */
  unknown: string[]
}

/** `:batchEmbedContents` refuses more. */
export const MAX_BATCH = 100

/** The body of `POST /v1/embeddings`. */
export function parseEmbeddings(body: Json): EmbeddingRequest {
  const encoding = readText(body.encoding_format, 'encoding_format') ?? 'float'
  if (encoding !== 'float' && encoding !== 'base64') refuse('encoding_format', 'must be float or base64')
  return {
    model: requireText(body.model, 'model'),
    texts: readTextInput(body.input),
    dimensions: readInteger(body.dimensions, 'dimensions'),
    encoding,
    unknown: unknownFields(body, OPENAI),
  }
}

const OPENAI = new Set('model input dimensions encoding_format'.split(' '))

function readTextInput(input: unknown): string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input) || input.length === 0) return refuse('input', 'must be text or a list of texts')
  return input.map((one, index) =>
    typeof one === 'string' ? one : refuse(`input[${index}]`, 'must be text: tokens are not translated for this model'),
  )
}

/** The body of `:batchEmbedContents` (`requests`) or of `:embedContent`. `model`: from the address. */
export function parseEmbedContents(raw: Json, model: string | null): EmbeddingRequest {
  const body = camelCase(raw)
  const isBatch = body.requests !== undefined
  const requests = isBatch ? readMessages(body.requests, 'requests') : [body]
  if (requests.length === 0) refuse('requests', 'must have at least one')
  const unknown = requests.flatMap((one) => unknownFields(one, GEMINI))
  const dimensions = requests.map((one, index) =>
    readInteger(one.outputDimensionality, `${isBatch ? `requests[${index}].` : ''}outputDimensionality`),
  )
  if (dimensions.some((one) => one !== dimensions[0]))
    refuse('requests', 'must all have the same `outputDimensionality` for this model')
  return {
    model: (model ?? requireText(body.model ?? requests[0]!.model, 'model')).replace(/^models\//, ''),
    texts: requests.map((one, index) => readContent(one.content, isBatch ? `requests[${index}].content` : 'content')),
    dimensions: dimensions[0]!,
    encoding: 'float',
    unknown: [...new Set(unknown)],
  }
}

const GEMINI = new Set('model content outputDimensionality requests'.split(' '))

function readContent(content: unknown, at: string): string {
  const message = readMessage(content, at) ?? refuse(at, 'is required')
  const parts = readMessages(message.parts, `${at}.parts`)
  return parts.map(({ text }, index) => requireText(text, `${at}.parts[${index}].text`)).join('')
}

/** For `POST /v1/embeddings`. */
export const buildEmbeddings = ({ model, texts, dimensions }: EmbeddingRequest): Json => ({
  model,
  input: texts,
  ...(dimensions !== null && { dimensions }),
})

/** For `:batchEmbedContents`. */
export function buildEmbedContents({ model, texts, dimensions }: EmbeddingRequest): Json {
  if (texts.length > MAX_BATCH) refuse('input', `must have at most ${MAX_BATCH} texts for this model`)
  const rest = { model: `models/${model}`, ...(dimensions !== null && { outputDimensionality: dimensions }) }
  return { requests: texts.map((text) => ({ content: { parts: [{ text }] }, ...rest })) }
}

/** `promptTokens`: null where they are not told. */
export type Embeddings = { vectors: number[][]; promptTokens: number | null }

/** Any of the answers, in the order of the texts. Throws `UnreadableAnswer`. */
export function parseEmbeddingsAnswer(body: Json): Embeddings {
  if (Array.isArray(body.predictions)) return parsePredictions(records(body.predictions))
  const promptTokens = readUsage(usageOf(body))?.inputTokens ?? null
  return { vectors: embeddingsIn(body).map(toVector), promptTokens }
}

/** How the cloud's side of the service has them, with tokens counted for each. */
function parsePredictions(predictions: Json[]): Embeddings {
  const embeddings = predictions.map((prediction) => record(prediction.embeddings))
  const counts = embeddings.map(({ statistics }) => record(statistics).token_count)
  const isCounted = counts.every((count) => typeof count === 'number')
  return {
    vectors: embeddings.map(({ values }) => toVector(values)),
    promptTokens: isCounted ? counts.reduce((all, count) => all + count, 0) : null,
  }
}

function embeddingsIn(body: Json): unknown[] {
  if (Array.isArray(body.data)) {
    const ordered = records(body.data).sort((one, other) => Number(one.index) - Number(other.index))
    return ordered.map(({ embedding }) => embedding)
  }
  const embeddings = isRecord(body.embedding) ? [body.embedding] : body.embeddings
  if (!Array.isArray(embeddings)) throw new UnreadableAnswer('The answer has no embeddings.')
  return records(embeddings).map(({ values }) => values)
}

function toVector(embedding: unknown): number[] {
  if (typeof embedding === 'string') return fromBase64(embedding)
  if (Array.isArray(embedding) && embedding.every((one) => typeof one === 'number')) return embedding
  throw new UnreadableAnswer('An embedding is no list of numbers.')
}

/** As OpenAI answers. `promptTokens`: counted by whoever asks. */
export const buildEmbeddingsAnswer = (
  vectors: number[][],
  { encoding, model }: Pick<EmbeddingRequest, 'encoding' | 'model'>,
  promptTokens: number,
): Json => ({
  object: 'list',
  data: vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: encoding === 'base64' ? toBase64(vector) : vector,
  })),
  model,
  usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
})

/** As Gemini answers, to a batch or to one. */
export const buildEmbedAnswer = (vectors: number[][], isBatch: boolean): Json =>
  isBatch ? { embeddings: vectors.map((values) => ({ values })) } : { embedding: { values: vectors[0] ?? [] } }

function toBase64(vector: number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4)
  })
  return bytes.toString('base64')
}

function fromBase64(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4))
}
