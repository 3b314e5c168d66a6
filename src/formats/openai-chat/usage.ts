import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'

/** As `CompletionUsage` has it: the prompt includes the cache, the completion includes reasoning. */
export const buildUsage = (usage: Usage): Json => ({
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  prompt_tokens_details: {
    cached_tokens: usage.cachedTokens,
    ...(usage.cacheWriteTokens > 0 && { cache_write_tokens: usage.cacheWriteTokens }),
    ...(usage.details?.input_audio_tokens !== undefined && { audio_tokens: usage.details.input_audio_tokens }),
  },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoningTokens,
    ...(usage.details?.output_audio_tokens !== undefined && { audio_tokens: usage.details.output_audio_tokens }),
  },
})
