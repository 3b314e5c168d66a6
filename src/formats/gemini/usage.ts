import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'
import { buildTier } from './tiers.ts'

/** Thoughts stand beside the candidates, the cache inside the prompt. */
export function buildUsage(usage: Usage | null, serviceTier?: string): Json {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, reasoningTokens = 0, details } = usage ?? {}
  const tier = serviceTier === undefined ? null : buildTier(serviceTier)
  const prompt = byKind(inputTokens, details?.input_audio_tokens, details?.input_image_tokens)
  const cache = byKind(cachedTokens, details?.cache_audio_read_tokens, details?.cache_image_read_tokens)
  const candidates = byKind(outputTokens - reasoningTokens, details?.output_audio_tokens, details?.output_image_tokens)
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens - reasoningTokens,
    totalTokenCount: inputTokens + outputTokens,
    ...(cachedTokens > 0 && { cachedContentTokenCount: cachedTokens }),
    ...(prompt && { promptTokensDetails: prompt }),
    ...(cachedTokens > 0 && cache && { cacheTokensDetails: cache }),
    ...(candidates && { candidatesTokensDetails: candidates }),
    ...(reasoningTokens > 0 && { thoughtsTokenCount: reasoningTokens }),
    ...(tier !== null && { serviceTier: tier }),
  }
}

/** Null where all there is, as far as is known, is text. */
function byKind(all: number, audio = 0, image = 0): Json[] | null {
  if (audio === 0 && image === 0) return null
  const counts = { TEXT: Math.max(0, all - audio - image), IMAGE: image, AUDIO: audio }
  return Object.entries(counts).flatMap(([modality, tokenCount]) => (tokenCount > 0 ? [{ modality, tokenCount }] : []))
}
