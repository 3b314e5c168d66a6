import { describe, expect, it } from '@jest/globals'
import { keepsLessThan } from '../garbage.ts'
import { NOON, pricesOf, usageOf } from './samples.ts'

const prices = pricesOf()
const SOURCE = 'genai-prices 0.1.8'

/** In nano-dollars. */
function cost(provider: string, model: string, fields: Parameters<typeof usageOf>[0], at = NOON): bigint | undefined {
  return prices.price(provider, model, null, usageOf(fields), at)?.costNanoUsd
}

describe('the cost of a request', () => {
  it('charges cached input at its own price and reasoning as output (OpenAI gpt-4o-mini: 0.15, 0.075, 0.60 USD a million)', () => {
    const usage = { inputTokens: 1000, cachedTokens: 400, outputTokens: 500, reasoningTokens: 300 }
    // 600 × 150 + 400 × 75 + 500 × 600 nano-dollars
    expect(cost('openai', 'gpt-4o-mini', usage)).toBe(90_000n + 30_000n + 300_000n)
    expect(prices.price('openai', 'gpt-4o-mini', null, usageOf(usage), NOON)?.source).toBe(SOURCE)
  })

  it('tells five minutes from an hour in cache writes (Claude Sonnet 4.5: 3, 0.30, 3.75, 6, 15)', () => {
    const usage = {
      inputTokens: 10_000,
      cachedTokens: 4000,
      cacheWriteTokens: 3000,
      outputTokens: 200,
      details: { cache_write_1h_tokens: 1000 },
    }
    // 3000 plain, 4000 read, 2000 written for five minutes, 1000 for an hour, 200 out
    expect(cost('anthropic', 'claude-sonnet-4-5-20250929', usage)).toBe(
      9_000_000n + 1_200_000n + 7_500_000n + 6_000_000n + 3_000_000n,
    )
  })

  it('charges the higher tier for all tokens, from one more than its start on, cached ones counted', () => {
    const at = (inputTokens: number, cachedTokens = 0) =>
      cost('anthropic', 'claude-sonnet-4-5', { inputTokens, cachedTokens, outputTokens: 1000 })
    expect(at(200_000)).toBe(600_000_000n + 15_000_000n)
    expect(at(200_001)).toBe(1_200_006_000n + 22_500_000n)
    // 100,001 plain at 6, 100,000 read at 0.60
    expect(at(200_001, 100_000)).toBe(600_006_000n + 60_000_000n + 22_500_000n)
  })

  it('knows Gemini by both spellings of its models (2.5 Pro: 1.25, 0.125, 10)', () => {
    const usage = { inputTokens: 2000, cachedTokens: 1000, outputTokens: 100, reasoningTokens: 80 }
    expect(cost('gemini', 'gemini-2.5-pro', usage)).toBe(1_250_000n + 125_000n + 1_000_000n)
    expect(cost('gemini', 'models/gemini-2.5-pro', usage)).toBe(1_250_000n + 125_000n + 1_000_000n)
  })

  it('charges cached tokens as input where the list has no price for them (Mistral Small: 0.10, 0.30)', () => {
    const usage = { inputTokens: 1000, cachedTokens: 900, cacheWriteTokens: 50, outputTokens: 100 }
    expect(cost('mistral', 'mistral-small-latest', usage)).toBe(100_000n + 30_000n)
  })

  it('knows models of OpenRouter by their names there (openai/gpt-4o: 2.50, 10)', () => {
    expect(cost('openrouter', 'openai/gpt-4o', { inputTokens: 10, outputTokens: 10 })).toBe(25_000n + 100_000n)
  })

  it('charges audio by its length: Groq’s whisper 0.111 an hour and ten seconds at least, OpenAI’s 0.36', () => {
    const seconds = (input_audio_seconds: number) => ({ details: { input_audio_seconds } })
    expect(cost('groq', 'whisper-large-v3', seconds(3600))).toBe(111_000_000n)
    expect(cost('groq', 'whisper-large-v3', seconds(3))).toBe(308_333n)
    expect(cost('groq', 'whisper-large-v3', seconds(36.5))).toBe(1_125_417n)
    expect(cost('openai', 'whisper-1', seconds(3))).toBe(300_000n)
  })

  it('charges audio and cached audio apart from text (gpt-realtime: text 4, 0.40, 16; audio 32, 0.40, 64)', () => {
    const usage = {
      inputTokens: 1000,
      cachedTokens: 300,
      outputTokens: 400,
      details: { input_audio_tokens: 600, cache_audio_read_tokens: 200, output_audio_tokens: 350 },
    }
    // in: 400 audio, 200 cached audio, 100 cached text, 300 text; out: 350 audio, 50 text
    expect(cost('openai', 'gpt-realtime', usage)).toBe(
      400n * 32_000n + 200n * 400n + 100n * 400n + 300n * 4000n + 350n * 64_000n + 50n * 16_000n,
    )
  })

  it('charges pictures apart from text (gpt-image-1: text 5, pictures 10, out 40; Gemini: pictures out 30, text 2.50)', () => {
    const asked = {
      inputTokens: 250,
      outputTokens: 1056,
      details: { input_image_tokens: 200, output_image_tokens: 1056 },
    }
    expect(cost('openai', 'gpt-image-1', asked)).toBe(50n * 5000n + 200n * 10_000n + 1056n * 40_000n)
    const drawn = { inputTokens: 10, outputTokens: 1300, details: { output_image_tokens: 1290 } }
    expect(cost('gemini', 'gemini-2.5-flash-image', drawn)).toBe(10n * 300n + 1290n * 30_000n + 10n * 2500n)
  })

  it('adds what searches cost (Claude: 10 USD a thousand), and what a request costs', () => {
    expect(cost('anthropic', 'claude-sonnet-4-5', { details: { web_searches: 3 } })).toBe(30_000_000n)
    const perRequest = pricesOf({ models: [{ provider: 'vllm', model: '*', request: 0.001 }] })
    expect(perRequest.price('vllm', null, null, usageOf({}), NOON)?.costNanoUsd).toBe(1_000_000n)
  })

  it('tries the name that the provider answered with first, then the one that was asked for', () => {
    const usage = usageOf({ outputTokens: 1000 })
    const of = (served: string | null, asked: string | null) =>
      prices.price('openai', served, asked, usage, NOON)?.costNanoUsd
    expect(of('gpt-4o-2024-08-06', 'gpt-4o-mini')).toBe(10_000_000n)
    expect(of('some-build', 'gpt-4o-mini')).toBe(600_000n)
    expect(of(null, 'gpt-4o-mini')).toBe(600_000n)
    expect(of(null, null)).toBeUndefined()
  })

  it('follows prices that change on a day (o3: 10 and 40 until 2025-06-10, then 2 and 8)', () => {
    const usage = { inputTokens: 1000, outputTokens: 1000 }
    expect(cost('openai', 'o3', usage, Date.UTC(2025, 5, 9, 23, 59))).toBe(50_000_000n)
    expect(cost('openai', 'o3', usage, Date.UTC(2025, 5, 10))).toBe(10_000_000n)
    expect(cost('openai', 'o3', usage, Date.UTC(2025, 5, 9, 23, 59))).toBe(50_000_000n)
  })

  it('is exact where a sum leaves the safe integers, however much a provider claims (Claude Sonnet 4.5 out: 15)', () => {
    const outputTokens = Number.MAX_SAFE_INTEGER
    expect(cost('anthropic', 'claude-sonnet-4-5', { outputTokens })).toBe(BigInt(outputTokens) * 15_000n)
  })

  it('is null where no price is known: model, provider, a name that is none, a unit that is not on the list', () => {
    const usage = { inputTokens: 10, outputTokens: 10 }
    expect(cost('openai', 'no-such-model', usage)).toBeUndefined()
    expect(cost('vllm', 'gpt-4o', usage)).toBeUndefined()
    expect(cost('constructor', 'gpt-4o', usage)).toBeUndefined()
    expect(cost('openai', `gpt-4o-${'a'.repeat(200)}`, usage)).toBeUndefined()
    // Paid by the page, by the second: these tokens tell nothing of the cost.
    expect(cost('mistral', 'mistral-ocr-latest', usage)).toBeUndefined()
    expect(cost('openai', 'whisper-1', usage)).toBeUndefined()
  })

  it('is nothing for no usage, for the demo and for what the list has as free', () => {
    expect(cost('openai', 'gpt-4o', {})).toBe(0n)
    const usage = { inputTokens: 10, outputTokens: 10 }
    expect(prices.price('demo', 'demo', 'demo', usageOf(usage), NOON)).toEqual({ costNanoUsd: 0n, source: 'free' })
    expect(cost('openrouter', 'deepseek/deepseek-r1:free', usage)).toBe(0n)
  })

  it('never charges more tokens than there are, whatever the parts claim', () => {
    const usage = { inputTokens: 100, cachedTokens: 100, details: { input_audio_tokens: 100 } }
    // All cached (0.40), none left for the 32 of audio.
    expect(cost('openai', 'gpt-realtime', usage)).toBe(40_000n)
    const written = { inputTokens: 100, cacheWriteTokens: 10, details: { cache_write_1h_tokens: 90 } }
    expect(cost('anthropic', 'claude-sonnet-4-5', written)).toBe(90n * 3000n + 10n * 6000n)
  })

  it('keeps no more than some names, however many callers make up', async () => {
    const priced = pricesOf()
    await keepsLessThan(8 * 1024 * 1024, () => {
      for (let index = 0; index < 100_000; index++) {
        priced.price('vllm', `${index}-${'x'.repeat(150)}`, null, usageOf({}), NOON)
      }
      return priced
    })
    expect(priced.price('vllm', '1', null, usageOf({}), NOON)).toBeNull()
  })
})

describe('configured prices', () => {
  const configured = pricesOf({
    discounts: { openai: 10, gemini: 15.5 },
    models: [
      {
        provider: 'openai',
        model: 'my-tune-*',
        input: 3,
        output: 12,
        cachedInput: 1.5,
        cacheWrite: 3.75,
        request: 0.001,
      },
      { provider: 'openai', model: 'my-*', input: 100, output: 100 },
      { provider: 'demo', model: '*', input: 1, output: 1 },
    ],
  })
  const usage = usageOf({ inputTokens: 1000, cachedTokens: 200, cacheWriteTokens: 100, outputTokens: 10 })

  it('come before the list, the first match wins, and no discount is taken off', () => {
    const priced = configured.price('openai', 'gpt-4o', 'my-tune-7', usage, NOON)
    // 700 × 3, 200 × 1.5, 100 × 3.75, 10 × 12 and the request
    expect(priced).toEqual({
      costNanoUsd: 2_100_000n + 300_000n + 375_000n + 120_000n + 1_000_000n,
      source: 'config',
    })
    expect(configured.price('openai', null, 'my-own', usage, NOON)?.costNanoUsd).toBe(101_000_000n)
    expect(configured.price('mistral', null, 'my-own', usage, NOON)).toBeNull()
  })

  it('may give the demo a price', () => {
    expect(configured.price('demo', 'demo', null, usage, NOON)).toEqual({ costNanoUsd: 1_010_000n, source: 'config' })
  })

  it('take a discount off the list price of one provider, and say so', () => {
    expect(configured.price('openai', 'gpt-4o-mini', null, usageOf({ inputTokens: 1000 }), NOON)).toEqual({
      costNanoUsd: 135_000n,
      source: `${SOURCE}, 10 % off`,
    })
    expect(configured.price('gemini', 'gemini-2.5-pro', null, usageOf({ outputTokens: 1000 }), NOON)).toEqual({
      costNanoUsd: 8_450_000n,
      source: `${SOURCE}, 15.5 % off`,
    })
    expect(configured.price('mistral', 'mistral-small-latest', null, usage, NOON)?.source).toBe(SOURCE)
  })

  it('discount the higher tier too', () => {
    const long = usageOf({ inputTokens: 300_000 })
    expect(configured.price('gemini', 'gemini-2.5-pro', null, long, NOON)?.costNanoUsd).toBe(633_750_000n)
  })
})

describe('the list of prices', () => {
  it.each([
    ['openai', 'gpt-4o-2024-08-06', true],
    ['openai', 'claude-opus-4-5', false],
    ['mistral', 'mistral-small-latest', true],
    ['mistral', 'x'.repeat(5_000), false],
    // Google and Microsoft resell these, but not by these APIs.
    ['gemini', 'claude-opus-4-5', false],
    ['azure-openai', 'claude-opus-4-5', false],
    ['ollama', 'llama3', null],
    ['my-llm', 'gpt-4o', null],
  ])('of %s, asked for %.30s, says %j', (provider, model, expected) => {
    const configured = pricesOf({ models: [{ provider, model: '*', input: 0, output: 0 }] })
    for (const one of [prices, prices, configured]) expect(one.isListed(provider, model)).toBe(expected)
  })
})

describe('the highest cost of a reservation', () => {
  it('counts on no cache discount, and counts cache writes and the tier in', () => {
    // 1,000 × 6 (written for an hour) + 100 × 15; above 200,000: 12 and 22.50
    expect(prices.highest('anthropic', 'claude-sonnet-4-5', 1000, 100, NOON)).toBe(6_000_000n + 1_500_000n)
    expect(prices.highest('anthropic', 'claude-sonnet-4-5', 200_001, 100, NOON)).toBe(2_400_012_000n + 2_250_000n)
    expect(prices.highest('openai', 'gpt-4o-mini', 1000, 1000, NOON)).toBe(750_000n)
  })

  it('has the price of the request in it, is nothing for the demo, and null where no price is known', () => {
    const perRequest = pricesOf({ models: [{ provider: 'vllm', model: '*', input: 1, output: 2, request: 0.5 }] })
    expect(perRequest.highest('vllm', null, 10, 10, NOON)).toBe(500_030_000n)
    expect(prices.highest('demo', 'demo', 1000, 1000, NOON)).toBe(0n)
    expect(prices.highest('openai', 'no-such-model', 10, 10, NOON)).toBeNull()
    expect(prices.highest('openai', null, 10, 10, NOON)).toBeNull()
  })
})
