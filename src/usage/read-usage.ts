import type { Usage } from '../store/store.ts'

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, source: 'none' }

/**
 * What a provider reports, normalised: input includes cached tokens, output includes reasoning. One reader for all shapes, because
 * their field names do not collide: chat, completions, embeddings (`prompt_tokens`), responses, images, transcriptions
 * (`input_tokens`), Anthropic (cache beside the input). Null when there are no token counts in it (a duration, an empty object).
 */
export function readUsage(raw: unknown): Usage | null {
  if (!isRecord(raw)) return null
  const input = count(raw.prompt_tokens) ?? count(raw.input_tokens)
  const output = count(raw.completion_tokens) ?? count(raw.output_tokens)
  if (input === null && output === null) return null

  const inputDetails = first(raw.prompt_tokens_details, raw.input_tokens_details, raw.input_token_details)
  const outputDetails = first(raw.completion_tokens_details, raw.output_tokens_details, raw.output_token_details)
  const reasoningTokens = count(outputDetails.reasoning_tokens) ?? count(outputDetails.thinking_tokens) ?? 0
  // Anthropic counts its cache beside the input, everyone else inside it; `prompt_tokens` is how everyone else calls it.
  const isBeside = count(raw.prompt_tokens) === null
  const besideRead = (isBeside && count(raw.cache_read_input_tokens)) || 0
  const besideWrite = (isBeside && count(raw.cache_creation_input_tokens)) || 0
  const inputTokens = (input ?? 0) + besideRead + besideWrite
  // xAI leaves reasoning out of its completion tokens; its total gives that away.
  const excludesReasoning =
    reasoningTokens > 0 && count(raw.total_tokens) === inputTokens + (output ?? 0) + reasoningTokens
  if (!Number.isSafeInteger(inputTokens)) return null
  return {
    inputTokens,
    outputTokens: (output ?? 0) + (excludesReasoning ? reasoningTokens : 0),
    cachedTokens: count(inputDetails.cached_tokens) ?? count(raw.prompt_cache_hit_tokens) ?? besideRead,
    reasoningTokens,
    source: 'reported',
  }
}

/** The usage object of a whole answer or of one stream event, wherever the format keeps it. */
export function usageOf(body: Record<string, unknown>): unknown {
  if (isRecord(body.usage)) return body.usage
  if (isRecord(body.response) && isRecord(body.response.usage)) return body.response.usage
  if (isRecord(body.message) && isRecord(body.message.usage)) return body.message.usage
  return null
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const first = (...values: unknown[]): Record<string, unknown> => values.find(isRecord) ?? {}

/** Providers are not to be trusted with numbers either: no negatives, no fractions, nothing past 2^53. */
const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
