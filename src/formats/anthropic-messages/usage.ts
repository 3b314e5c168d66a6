import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'

/** The cache stands beside the input, not inside it. */
export const buildUsage = (usage: Usage | null): Json => {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, cacheWriteTokens = 0 } = usage ?? {}
  return {
    input_tokens: inputTokens - cachedTokens - cacheWriteTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
  }
}
