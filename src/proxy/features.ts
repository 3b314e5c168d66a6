import type { Json } from '../formats/dialect.ts'
import { isRecord } from '../formats/read.ts'
import type { Feature } from '../routing/types.ts'

/** What a request asks for besides words, in the fields of any dialect; for rules. */
export function featuresOf(body: Json | null): ReadonlySet<Feature> {
  const features = new Set<Feature>()
  if (body === null) return features
  const { tools, functions, generationConfig, text, output_config } = body
  if (isFilled(tools) || isFilled(functions)) features.add('tools')
  const generation = record(generationConfig)
  const formats = [body.response_format, record(text).format, record(output_config).format, body.output_format]
  const asksForSchema = formats.some((format) => record(format).type === 'json_schema')
  if (asksForSchema || generation.responseSchema || generation.responseJsonSchema) features.add('json_schema')
  const thinks = record(body.thinking).type
  if (
    body.reasoning_effort ||
    isRecord(body.reasoning) ||
    generation.thinkingConfig ||
    (thinks && thinks !== 'disabled')
  )
    features.add('reasoning')
  for (const part of partsOf(body)) {
    const feature = featureOf(part)
    if (feature !== null) features.add(feature)
  }
  return features
}

const record = (value: unknown): Json => (isRecord(value) ? value : {})
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const isFilled = (value: unknown) => list(value).length > 0

function* partsOf({ messages, input, contents }: Json): Generator<Json> {
  for (const message of [...list(messages), ...list(input), ...list(contents)]) {
    const { content, parts } = record(message)
    yield record(message)
    for (const part of [...list(content), ...list(parts)]) yield record(part)
  }
}

/** By the types of OpenAI's and Anthropic's parts, and the media types of Google's. */
function featureOf({ type, inlineData, inline_data, fileData, file_data }: Json): Feature | null {
  const media = record(inlineData ?? inline_data ?? fileData ?? file_data)
  const mediaType = String(media.mimeType ?? media.mime_type ?? '')
  if (type === 'image_url' || type === 'input_image' || type === 'image' || mediaType.startsWith('image/'))
    return 'images'
  if (type === 'input_audio' || type === 'audio' || mediaType.startsWith('audio/')) return 'audio'
  if (type === 'file' || type === 'input_file' || type === 'document' || mediaType !== '') return 'files'
  return null
}
