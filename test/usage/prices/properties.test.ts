import { describe, expect, it } from '@jest/globals'
import { calcPrice } from '@pydantic/genai-prices'
import fc from 'fast-check'
import { NOON, pricesOf, usageOf } from './samples.ts'

const prices = pricesOf()

/** Our provider and the package's, and a model: tiers, caches, audio, pictures, thirds of a pico-dollar, fallbacks, times of day. */
const MODELS = [
  ['openai', 'openai', 'gpt-4o'],
  ['openai', 'openai', 'gpt-4o-mini'],
  ['openai', 'openai', 'o3'],
  ['openai', 'openai', 'gpt-5.4'],
  ['openai', 'openai', 'gpt-6-sol'],
  ['openai', 'openai', 'gpt-realtime'],
  ['openai', 'openai', 'gpt-image-1'],
  ['openai', 'openai', 'text-embedding-3-small'],
  ['anthropic', 'anthropic', 'claude-sonnet-4-5-20250929'],
  ['anthropic', 'anthropic', 'claude-opus-5'],
  ['gemini', 'google', 'gemini-2.5-pro'],
  ['gemini', 'google', 'gemini-2.5-flash'],
  ['gemini', 'google', 'gemini-2.5-flash-image'],
  ['mistral', 'mistral', 'mistral-large-latest'],
  ['openrouter', 'openrouter', 'google/gemini-2.5-flash-lite'],
  ['openrouter', 'openrouter', 'perplexity/sonar-deep-research'],
  ['groq', 'groq', 'llama-3.3-70b-versatile'],
  ['deepseek', 'deepseek', 'deepseek-v4-pro'],
  ['xai', 'x-ai', 'grok-4.3'],
  ['azure-openai', 'azure', 'gpt-4o'],
] as const

const count = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 150_000 }))

/** Disjoint cells of the input and the output, so that parts and wholes agree. */
const cells = fc.record({
  text: count,
  cachedText: count,
  audio: count,
  cachedAudio: count,
  image: count,
  cachedImage: count,
  written5m: count,
  written1h: count,
  outText: count,
  reasoning: count,
  outAudio: count,
  outImage: count,
  searches: fc.integer({ min: 0, max: 20 }),
})

/** Some moments between which listed prices change. */
const times = fc.constantFrom(NOON, NOON + 8 * 3_600_000, Date.UTC(2026, 6, 1, 2, 30), Date.UTC(2025, 0, 1))

describe('our cost and the package’s', () => {
  it('knows all of these models', () => {
    const unknown = MODELS.filter(([provider, , model]) => prices.show(provider, model, NOON) === null)
    expect(unknown).toEqual([])
  })

  it.each(MODELS)('%s (%s) %s: never more than a nano-dollar apart', (provider, providerId, model) => {
    fc.assert(
      fc.property(cells, times, (cell, at) => {
        const input = cell.text + cell.audio + cell.image + cell.written5m + cell.written1h
        const cached = cell.cachedText + cell.cachedAudio + cell.cachedImage
        const output = cell.outText + cell.reasoning + cell.outAudio + cell.outImage
        const details = {
          cache_write_1h_tokens: cell.written1h,
          input_audio_tokens: cell.audio + cell.cachedAudio,
          cache_audio_read_tokens: cell.cachedAudio,
          input_image_tokens: cell.image + cell.cachedImage,
          cache_image_read_tokens: cell.cachedImage,
          output_audio_tokens: cell.outAudio,
          output_image_tokens: cell.outImage,
          web_searches: cell.searches,
        }
        const totals = {
          inputTokens: input + cached,
          outputTokens: output,
          cachedTokens: cached,
          cacheWriteTokens: cell.written5m + cell.written1h,
          reasoningTokens: cell.reasoning,
        }
        const theirs = calcPrice(
          {
            ...details,
            input_tokens: totals.inputTokens,
            output_tokens: totals.outputTokens,
            cache_read_tokens: totals.cachedTokens,
            cache_write_tokens: totals.cacheWriteTokens,
            output_reasoning_tokens: totals.reasoningTokens,
          },
          model,
          { providerId, timestamp: new Date(at) },
        )!
        const ours = prices.price(provider, model, null, usageOf({ ...totals, details }), at)
        // Output alone of a model that has no price for it: theirs is nothing, ours is unknown.
        if (ours === null) return expect([model, theirs.total_price]).toEqual(['text-embedding-3-small', 0])
        expect(Math.abs(Number(ours.costNanoUsd) - theirs.total_price * 1e9)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 150 },
    )
  })
})

describe('the highest cost', () => {
  /** Whatever a provider may report, contradictions among it. */
  const usages = fc.record({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    reasoningTokens: count,
    details: fc.record({
      cache_write_1h_tokens: count,
      input_audio_tokens: count,
      cache_audio_read_tokens: count,
      input_image_tokens: count,
      cache_image_read_tokens: count,
      output_audio_tokens: count,
      output_image_tokens: count,
    }),
  })

  it('is never below the cost of a usage within its token counts', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODELS), usages, count, count, times, (named, usage, more, moreOut, at) => {
        const [provider, , model] = named
        const priced = prices.price(provider, model, null, usageOf(usage), at)
        const highest = prices.highest(provider, model, usage.inputTokens + more, usage.outputTokens + moreOut, at)
        expect(highest! >= (priced?.costNanoUsd ?? 0n)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
