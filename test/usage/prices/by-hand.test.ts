import { describe, expect, it } from '@jest/globals'
import { createJsonObserver } from '../../../src/usage/json-observer.ts'
import { NO_USAGE, readUsage } from '../../../src/usage/read-usage.ts'
import { createStreamObserver } from '../../../src/usage/stream-observer.ts'
import { withTools } from '../../../src/usage/tool-calls.ts'
import {
  fixturesFolder,
  NO_FIXTURES,
  type RECORDINGS,
  recordedExchanges,
  recordedPayloads,
} from '../../helpers/fixtures.ts'
import { toExchanges } from '../../replay/payloads.ts'
import { watch } from '../watch.ts'
import { NOON, pricesOf } from './samples.ts'

const prices = pricesOf()
const LIST = 'genai-prices 0.1.8'

type Answer = { isStream: boolean; body: Buffer }

/** What an answer costs, read as the gateway reads it. `asked`: where the answer does not name its model. */
function costOf({ isStream, body }: Answer, provider: string, asked: string | null = null) {
  const observer = isStream
    ? createStreamObserver({ terminator: 'response_event', hideUsage: false, secret: 'none' })
    : createJsonObserver(true)
  watch(observer, [body])
  const { usage, servedModel, tools } = observer.result()
  return prices.price(provider, servedModel, asked, withTools(usage ?? NO_USAGE, tools, servedModel), NOON)
}

const exchange = (source: (typeof RECORDINGS)[number], index: number): Answer => {
  const { responseHeaders, responseBody } = recordedExchanges(source)[index]!
  return { isStream: responseHeaders['content-type']!.startsWith('text/event-stream'), body: responseBody }
}
const payload = (file: string): Answer => {
  const found = recordedPayloads(file.split('/')[0]!).find(({ name }) => name === file)!
  const isStream = found.kind !== 'json'
  return { isStream, body: isStream ? toExchanges(found)[0]!.responseBody : found.bytes }
}

type Case = [
  what: string,
  answer: () => Answer,
  provider: string,
  asked: string | null,
  nanoUsd: bigint,
  source?: string,
]

/** Prices in US dollars a million tokens, which are nano-dollars a thousandth of a token: 1.75 is 1,750 for each. */
const RECORDED: Case[] = [
  // 149 plain at 1,750; 6,016 cached at 175; 5 out at 14,000
  ['OpenAI gpt-5.2, cached', () => exchange('ruby_llm', 63), 'openai', null, 260_750n + 1_052_800n + 70_000n],
  // 13 at 50; 284 out at 400, of which 256 are reasoning
  ['OpenAI gpt-5-nano, reasoning, a stream', () => exchange('ruby_llm', 3), 'openai', null, 650n + 113_600n],
  // 43 of audio at 10,000; 16 of text at 600; 123 out at 2,400
  ['OpenAI gpt-audio-mini, audio in', () => exchange('ruby_llm', 181), 'openai', null, 430_000n + 9_600n + 295_200n],
  // 37 of audio at 6,000; 12 out at 10,000
  ['OpenAI gpt-4o-transcribe', () => exchange('ruby_llm', 164), 'openai', 'gpt-4o-transcribe', 222_000n + 120_000n],
  // 4 seconds at 0.36 USD an hour
  ['OpenAI whisper-1', () => exchange('ruby_llm', 166), 'openai', 'whisper-1', 400_000n],
  // 8 at 100
  ['OpenAI text-embedding-ada-002', () => exchange('ruby-openai', 19), 'openai', null, 800n],
  // 10 plain at 1,000; 7,351 written for five minutes at 1,250; 4 out at 5,000
  [
    'Anthropic Haiku 4.5, cache write',
    () => exchange('ruby_llm', 145),
    'anthropic',
    null,
    10_000n + 9_188_750n + 20_000n,
  ],
  // 10 plain at 1,000; 7,351 read at 100; 4 out at 5,000
  ['Anthropic Haiku 4.5, cache read', () => exchange('ruby_llm', 146), 'anthropic', null, 10_000n + 735_100n + 20_000n],
  // 11,642 at 1,000; 141 out at 5,000; a search at 10 USD a thousand
  [
    'Anthropic Haiku 4.5, a search',
    () => exchange('ruby_llm', 158),
    'anthropic',
    null,
    11_642_000n + 705_000n + 10_000_000n,
  ],
  // 51 at 5,000; 1,699 out at 25,000, of which 139 are thinking
  [
    'Anthropic Opus 5, thinking',
    () => payload('anthropic/anthropic-claude-opus-5-reasoning-high.1.json'),
    'anthropic',
    null,
    255_000n + 42_475_000n,
  ],
  // 13 at 300; 65 + 110 of thoughts at 2,500
  ['Gemini 2.5 Flash, thoughts', () => exchange('ruby_llm', 4), 'gemini', 'gemini-2.5-flash', 3_900n + 437_500n],
  // 13 plain at 300; 9,609 cached at 30; 35 + 136 at 2,500
  [
    'Gemini 2.5 Flash, cached',
    () => exchange('ruby_llm', 8),
    'gemini',
    'gemini-2.5-flash',
    3_900n + 288_270n + 427_500n,
  ],
  // 85 + 149 of its own tools at 1,500; 122 + 87 at 9,000
  [
    'Gemini 3.5 Flash, its own tools',
    () => exchange('ruby_llm', 23),
    'gemini',
    'gemini-3.5-flash',
    351_000n + 1_881_000n,
  ],
  // 175 plain at 550; 320 cached at 140; 144 out at 2,190
  ['DeepSeek, cache hit', () => payload('deepseek/deepseek-json.json'), 'deepseek', null, 96_250n + 44_800n + 315_360n],
  // 159 at 100; 28 out at 300
  ['Mistral Small', () => exchange('ruby_llm', 19), 'mistral', null, 15_900n + 8_400n],
  // 36 seconds at 0.18 USD an hour; its tokens have no price
  ['Mistral Voxtral', () => payload('mistral/mistral-transcription.json'), 'mistral', null, 1_800_000n],
  // 18 at 50; 129 out at 400
  ['Azure gpt-5-nano', () => exchange('ruby_llm', 74), 'azure-openai', null, 900n + 51_600n],
  // 7, all cached (161, it says), at 50; 8 out at 500
  ['Azure Grok, more cached than sent', () => exchange('ruby_llm', 147), 'azure-openai', null, 350n + 4_000n],
  // 45 at 590; 607 out at 790
  ['Groq Llama 3.3', () => payload('groq/groq-text.json'), 'groq', null, 26_550n + 479_530n],
  // 15,969 plain at 250; 3,712 cached at 25; 3,773 out at 2,000; one search of three calls at 10 USD a thousand
  [
    'OpenAI gpt-5-mini, a search of the web',
    () => payload('openai/openai-web-search-tool.1.json'),
    'openai',
    null,
    3_992_250n + 92_800n + 7_546_000n + 10_000_000n,
  ],
  // 13 at 150; 197 out at 600; a search, as for each answer of this model
  [
    'OpenAI gpt-4o-mini-search-preview',
    () => exchange('ruby_llm', 159),
    'openai',
    null,
    1_950n + 118_200n + 10_000_000n,
  ],
  // 1,140 plain at 250; 2,560 cached at 25; 741 out at 2,000; a search at 2.50 USD a thousand
  [
    'OpenAI gpt-5-mini, a search of files',
    () => payload('openai/openai-file-search-tool.1.json'),
    'openai',
    null,
    285_000n + 64_000n + 1_482_000n + 2_500_000n,
  ],
  // 2,283 at 50; 1,928 out at 400
  [
    'OpenAI gpt-5-nano, code',
    () => payload('openai/openai-code-interpreter-tool.1.json'),
    'openai',
    null,
    114_150n + 771_200n,
    ', without code_execution',
  ],
  // 3,151 at 50; 1,970 out at 400
  [
    'OpenAI gpt-5-nano, a picture',
    () => payload('openai/openai-image-generation-tool.1.json'),
    'openai',
    null,
    157_550n + 788_000n,
    ', without image_generation',
  ],
]

describe('a recorded answer costs what it comes to by hand', () => {
  if (fixturesFolder === null) return it.skip(NO_FIXTURES, () => {})
  it.each(RECORDED)('%s', (_what, answer, provider, asked, costNanoUsd, source = '') => {
    expect(costOf(answer(), provider, asked)).toEqual({ costNanoUsd, source: LIST + source })
  })
})

/** Read as they would come; counts of our own making, for what no recording has. */
const WRITTEN: [what: string, usage: object, provider: string, model: string, nanoUsd: bigint][] = [
  [
    // 4,000 plain at 3,000; 2,000 read at 300; 5,000 written for five minutes at 3,750, 1,000 for an hour at 6,000; 200 out at 15,000
    'Anthropic Sonnet 4.5, both cache writes',
    {
      input_tokens: 4_000,
      cache_read_input_tokens: 2_000,
      cache_creation_input_tokens: 6_000,
      cache_creation: { ephemeral_5m_input_tokens: 5_000, ephemeral_1h_input_tokens: 1_000 },
      output_tokens: 200,
    },
    'anthropic',
    'claude-sonnet-4-5',
    12_000_000n + 600_000n + 18_750_000n + 6_000_000n + 3_000_000n,
  ],
  [
    // 200,001 tokens, cached ones among them: 150,001 at 6,000, 50,000 read at 600; 100 out at 22,500
    'Anthropic Sonnet 4.5, above 200,000',
    { input_tokens: 150_001, cache_read_input_tokens: 50_000, output_tokens: 100 },
    'anthropic',
    'claude-sonnet-4-5',
    900_006_000n + 30_000_000n + 2_250_000n,
  ],
  [
    // 200,000 at 1,250; 100 + 900 of thoughts at 10,000
    'Gemini 2.5 Pro, up to 200,000',
    { promptTokenCount: 200_000, candidatesTokenCount: 100, thoughtsTokenCount: 900 },
    'gemini',
    'gemini-2.5-pro',
    250_000_000n + 10_000_000n,
  ],
  [
    // 200,001 at 2,500, of which 50,001 are cached at 250; 100 + 900 at 15,000
    'Gemini 2.5 Pro, above 200,000',
    { promptTokenCount: 200_001, cachedContentTokenCount: 50_001, candidatesTokenCount: 100, thoughtsTokenCount: 900 },
    'gemini',
    'gemini-2.5-pro',
    375_000_000n + 12_500_250n + 15_000_000n,
  ],
  [
    // 10 of text at 300, 90 of sound at 1,000; 20 out at 2,500
    'Gemini 2.5 Flash, sound',
    {
      promptTokenCount: 100,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 10 },
        { modality: 'AUDIO', tokenCount: 90 },
      ],
      candidatesTokenCount: 20,
    },
    'gemini',
    'gemini-2.5-flash',
    3_000n + 90_000n + 50_000n,
  ],
  [
    // 400 of sound at 32,000, 200 of it cached at 400, 100 of cached text at 400, 300 of text at 4,000; 350 of sound at 64,000, 50 of text at 16,000
    'OpenAI gpt-realtime, sound in and out, cached and not',
    {
      total_tokens: 1_400,
      input_tokens: 1_000,
      input_token_details: {
        text_tokens: 400,
        audio_tokens: 600,
        cached_tokens: 300,
        cached_tokens_details: { text_tokens: 100, audio_tokens: 200 },
      },
      output_tokens: 400,
      output_token_details: { text_tokens: 50, audio_tokens: 350 },
    },
    'openai',
    'gpt-realtime',
    12_800_000n + 80_000n + 40_000n + 1_200_000n + 22_400_000n + 800_000n,
  ],
]

it.each(WRITTEN)('costs what it comes to by hand: %s', (_what, reported, provider, model, nanoUsd) => {
  const usage = readUsage(reported)!
  expect(prices.price(provider, model, null, usage, NOON)).toEqual({ costNanoUsd: nanoUsd, source: LIST })
})

describe('a recorded answer that tells its own cost costs that', () => {
  if (fixturesFolder === null) return it.skip(NO_FIXTURES, () => {})

  /** Ticks of 10^-10 USD. */
  const TICKS = /"cost_in_usd_ticks": ?([1-9]\d*)/g
  const XAI = [
    ...[
      'xai/xai-text.json',
      'xai/xai-tool-call.json',
      'openai-compatible/xai-text.json',
      'openai-compatible/xai-tool-call.json',
    ].map((file) => [file, () => payload(file)] as const),
    ...[6, 128, 143, 144].map((index) => [`ruby_llm[${index}]`, () => exchange('ruby_llm', index)] as const),
  ]
  it.each(XAI)('xAI: %s', (_name, answer) => {
    const one = answer()
    const ticks = [...one.body.toString().matchAll(TICKS)].at(-1)![1]!
    expect(costOf(one, 'xai')?.costNanoUsd).toBe(BigInt(ticks) / 10n)
  })

  it('OpenRouter: 0.00006 USD', () => {
    expect(costOf(exchange('ruby_llm', 130), 'openrouter')?.costNanoUsd).toBe(60_000n)
  })
})
