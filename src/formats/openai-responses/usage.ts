import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'

/** As `ResponseUsage` has it: the input includes the cache, the output includes reasoning. */
export const buildUsage = (usage: Usage): Json => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: usage.cacheWriteTokens },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.inputTokens + usage.outputTokens,
})
