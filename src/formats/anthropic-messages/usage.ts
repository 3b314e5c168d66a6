import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'

/** The cache stands beside the input, not inside it. */
export function buildUsage(usage: Usage | null): Json {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage ?? {}
  const hour = Math.min(usage?.details?.cache_write_1h_tokens ?? 0, cacheWriteTokens)
  const searches = usage?.details?.web_searches ?? 0
  return {
    input_tokens: inputTokens - cachedTokens - cacheWriteTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    ...(hour > 0 && {
      cache_creation: { ephemeral_5m_input_tokens: cacheWriteTokens - hour, ephemeral_1h_input_tokens: hour },
    }),
    output_tokens: outputTokens,
    ...(reasoningTokens > 0 && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
    ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
  }
}
