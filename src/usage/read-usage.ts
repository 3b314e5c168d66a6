import type { Usage, UsageDetails, UsageUnit } from '../store/store.ts'
import { withCompactions } from './compactions.ts'
import { count, isPlausible, readGeminiUsage } from './read-gemini-usage.ts'

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  details: null,
  source: 'none',
}

/**
 * What a provider reports, in the one meaning of `Usage`. One reader for all shapes, because their field names do not collide: chat,
 * completions, embeddings (`prompt_tokens`), responses, images, transcriptions (`input_tokens`, or seconds), realtime, Anthropic
 * (cache beside the input), Gemini. Null when nothing is counted in it (an empty object).
 */
export function readUsage(reported: unknown): Usage | null {
  if (!isRecord(reported)) return null
  const raw = withCompactions(reported)
  const input = count(raw.prompt_tokens) ?? count(raw.input_tokens)
  const output = count(raw.completion_tokens) ?? count(raw.output_tokens)
  if (input === null && output === null) return durationOf(raw) ?? readGeminiUsage(raw)

  const inputDetails = first(raw.prompt_tokens_details, raw.input_tokens_details, raw.input_token_details)
  const outputDetails = first(raw.completion_tokens_details, raw.output_tokens_details, raw.output_token_details)
  const reasoning = count(outputDetails.reasoning_tokens) ?? count(outputDetails.thinking_tokens) ?? 0
  // Anthropic counts its cache beside the input, everyone else inside it; `prompt_tokens` is how everyone else calls it.
  const isBeside = count(raw.prompt_tokens) === null
  const besideRead = (isBeside && count(raw.cache_read_input_tokens)) || 0
  const besideWrite = (isBeside && count(raw.cache_creation_input_tokens)) || 0
  const inputTokens = (input ?? 0) + besideRead + besideWrite
  // xAI leaves reasoning out of its completion tokens; its total gives that away.
  const excludesReasoning = reasoning > 0 && count(raw.total_tokens) === inputTokens + (output ?? 0) + reasoning
  const outputTokens = (output ?? 0) + (excludesReasoning ? reasoning : 0)
  if (!isPlausible(inputTokens + outputTokens)) return null

  // A part is never more than the whole, whatever was reported (Azure's Grok tells of more cached tokens than it was sent).
  const cached = count(inputDetails.cached_tokens) ?? count(raw.prompt_cache_hit_tokens) ?? besideRead
  const cachedTokens = Math.min(cached, inputTokens)
  const written = count(inputDetails.cache_write_tokens) ?? count(inputDetails.cache_creation_tokens) ?? besideWrite
  return {
    inputTokens,
    outputTokens,
    cachedTokens,
    cacheWriteTokens: Math.min(written, inputTokens - cachedTokens),
    reasoningTokens: Math.min(reasoning, outputTokens),
    details: detailsOf(raw, inputDetails, outputDetails, outputTokens),
    source: 'reported',
  }
}

function detailsOf(raw: Fields, input: Fields, output: Fields, outputTokens: number): UsageDetails | null {
  const cached = first(input.cached_tokens_details)
  // Of pictures OpenAI says how the input is made up, and not that all of the output is a picture.
  const isPicture = count(input.image_tokens) !== null && Object.keys(output).length === 0
  const details = {
    cache_write_1h_tokens: count(first(raw.cache_creation).ephemeral_1h_input_tokens),
    input_audio_tokens: count(input.audio_tokens),
    cache_audio_read_tokens: count(cached.audio_tokens),
    output_audio_tokens: count(output.audio_tokens),
    input_image_tokens: count(input.image_tokens),
    cache_image_read_tokens: count(cached.image_tokens),
    output_image_tokens: count(output.image_tokens) ?? (isPicture ? outputTokens : null),
    // Mistral's transcriptions, which are paid by their length, and tell of tokens beside it.
    input_audio_seconds: seconds(raw.prompt_audio_seconds),
    web_searches: searches(first(raw.server_tool_use).web_search_requests),
  } satisfies Partial<Record<UsageUnit, number | null>>
  const some: Partial<Record<UsageUnit, number>> = {}
  let isEmpty = true
  for (const unit in details) {
    const value = details[unit as keyof typeof details]
    if (!value) continue
    some[unit as UsageUnit] = value
    isEmpty = false
  }
  return isEmpty ? null : some
}

/** Transcriptions of whisper-1 are paid by their length: `{"type":"duration","seconds":3}`. */
function durationOf(raw: Fields): Usage | null {
  const length = raw.type === 'duration' ? seconds(raw.seconds) : null
  return length === null ? null : { ...NO_USAGE, details: { input_audio_seconds: length }, source: 'reported' }
}

/** The usage object of a whole answer or of one stream event, wherever the format keeps it. */
export function usageOf(body: Record<string, unknown>): unknown {
  if (isRecord(body.usage)) return body.usage
  if (isRecord(body.usageMetadata)) return body.usageMetadata
  for (const holder of [body.response, body.message, body.x_groq]) {
    if (isRecord(holder) && isRecord(holder.usage)) return holder.usage
  }
  return null
}

type Fields = Record<string, unknown>
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const first = (...values: unknown[]): Fields => values.find(isRecord) ?? {}

/** Providers are not to be trusted with numbers either. */
const seconds = (value: unknown): number | null =>
  typeof value === 'number' && value > 0 && value <= MAX_SECONDS ? value : null
const searches = (value: unknown): number | null => {
  const number = count(value)
  return number !== null && number <= MAX_SEARCHES ? number : null
}
/** Four months of sound. */
const MAX_SECONDS = 10_000_000
const MAX_SEARCHES = 100_000
