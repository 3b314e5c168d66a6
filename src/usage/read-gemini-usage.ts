import type { Usage, UsageDetails } from '../store/store.ts'

/**
 * `usageMetadata` of Gemini, which counts thoughts beside the candidates, and what its own tools brought beside the prompt. What came
 * from a cache is inside the prompt. Null when nothing is counted in it (of a block there is but a total).
 */
export function readGeminiUsage(raw: Record<string, unknown>): Usage | null {
  const prompt = count(raw.promptTokenCount)
  const candidates = count(raw.candidatesTokenCount)
  const thoughts = count(raw.thoughtsTokenCount) ?? 0
  if (prompt === null && candidates === null) return null
  const inputTokens = (prompt ?? 0) + (count(raw.toolUsePromptTokenCount) ?? 0)
  const outputTokens = (candidates ?? 0) + thoughts
  if (!isPlausible(inputTokens + outputTokens)) return null
  return {
    inputTokens,
    outputTokens,
    cachedTokens: Math.min(count(raw.cachedContentTokenCount) ?? 0, inputTokens),
    cacheWriteTokens: 0,
    reasoningTokens: thoughts,
    details: detailsOf(raw),
    source: 'reported',
  }
}

function detailsOf(raw: Record<string, unknown>): UsageDetails | null {
  const of = (field: string, modality: string) => tokensOf(raw[field], modality)
  const details = {
    input_audio_tokens: of('promptTokensDetails', 'AUDIO') + of('toolUsePromptTokensDetails', 'AUDIO'),
    cache_audio_read_tokens: of('cacheTokensDetails', 'AUDIO'),
    output_audio_tokens: of('candidatesTokensDetails', 'AUDIO'),
    input_image_tokens: of('promptTokensDetails', 'IMAGE') + of('toolUsePromptTokensDetails', 'IMAGE'),
    cache_image_read_tokens: of('cacheTokensDetails', 'IMAGE'),
    output_image_tokens: of('candidatesTokensDetails', 'IMAGE'),
  } satisfies UsageDetails
  const some = Object.entries(details).filter(([, tokens]) => tokens > 0)
  return some.length === 0 ? null : Object.fromEntries(some)
}

/** `[{ modality: 'AUDIO', tokenCount: 12 }, …]` */
function tokensOf(list: unknown, modality: string): number {
  if (!Array.isArray(list)) return 0
  const found = list.find((entry) => Object(entry).modality === modality)
  return count(Object(found).tokenCount) ?? 0
}

/**
 * A thousand times what the largest models read and write today. More is a mistake, and counts would not stay exact: 2^53 tokens and
 * 2^63 nano-dollars are what sums have room for.
 */
export const isPlausible = (tokens: number): boolean => tokens <= 1_000_000_000

/** No negatives, no fractions, nothing past 2^53. */
export const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
