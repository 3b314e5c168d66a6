import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readUsage, usageOf } from '../../src/usage/read-usage.ts'

/** As it should be read: input with what was cached, output with reasoning. */
type Expected = [input: number, output: number, cached: number, reasoning: number]

const REPORTS: [what: string, raw: object, Expected][] = [
  ['a chat', { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }, [9, 3, 0, 0]],
  [
    'a chat with cache and reasoning, both inside',
    {
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1920, cache_write_tokens: 40, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 256, accepted_prediction_tokens: 0 },
    },
    [2006, 300, 1920, 256],
  ],
  ['an embedding', { prompt_tokens: 8, total_tokens: 8 }, [8, 0, 0, 0]],
  [
    'a response',
    {
      input_tokens: 328,
      input_tokens_details: { cached_tokens: 300, cache_write_tokens: 0 },
      output_tokens: 52,
      output_tokens_details: { reasoning_tokens: 20 },
      total_tokens: 380,
    },
    [328, 52, 300, 20],
  ],
  [
    'Anthropic, whose cache stands beside its input: 21 + 188086 + 500',
    {
      input_tokens: 21,
      cache_creation_input_tokens: 500,
      cache_read_input_tokens: 188_086,
      cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 0 },
      output_tokens: 393,
      output_tokens_details: { thinking_tokens: 40 },
    },
    [188_607, 393, 188_086, 40],
  ],
  [
    'Anthropic, which counts the passes of a compaction beside the rest: 682 + 60385 + 7 + 5, 1320 + 592',
    {
      input_tokens: 682,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      iterations: [
        {
          type: 'compaction',
          input_tokens: 60_385,
          output_tokens: 592,
          cache_read_input_tokens: 7,
          cache_creation_input_tokens: 5,
        },
        { type: 'message', input_tokens: 682, output_tokens: 1320 },
        null,
      ],
      output_tokens: 1320,
    },
    [61_079, 1912, 7, 0],
  ],
  [
    'Anthropic, which counts the turns of its own tools already',
    { input_tokens: 12, output_tokens: 4, iterations: [{ type: 'message', input_tokens: 5, output_tokens: 2 }] },
    [12, 4, 0, 0],
  ],
  ['the end of an older Anthropic stream', { output_tokens: 15 }, [0, 15, 0, 0]],
  [
    'Anthropic without a cache',
    { input_tokens: 10, cache_creation_input_tokens: null, cache_read_input_tokens: null, output_tokens: 4 },
    [10, 4, 0, 0],
  ],
  [
    'xAI, which leaves reasoning out: 9 + 320',
    {
      prompt_tokens: 12,
      completion_tokens: 9,
      total_tokens: 341,
      completion_tokens_details: { reasoning_tokens: 320 },
      prompt_tokens_details: { cached_tokens: 5 },
    },
    [12, 329, 5, 320],
  ],
  [
    'DeepSeek, with its own name for the cache',
    {
      prompt_tokens: 100,
      completion_tokens: 7,
      total_tokens: 107,
      prompt_cache_hit_tokens: 64,
      prompt_cache_miss_tokens: 36,
    },
    [100, 7, 64, 0],
  ],
  [
    'a transcription',
    {
      type: 'tokens',
      input_tokens: 14,
      input_token_details: { text_tokens: 0, audio_tokens: 14 },
      output_tokens: 45,
      total_tokens: 59,
    },
    [14, 45, 0, 0],
  ],
  [
    'an image',
    {
      input_tokens: 50,
      input_tokens_details: { text_tokens: 10, image_tokens: 40 },
      output_tokens: 4160,
      total_tokens: 4210,
    },
    [50, 4160, 0, 0],
  ],
  [
    'a realtime response',
    {
      total_tokens: 253,
      input_tokens: 132,
      output_tokens: 121,
      input_token_details: { text_tokens: 119, audio_tokens: 13, cached_tokens: 64 },
      output_token_details: { text_tokens: 30, audio_tokens: 91 },
    },
    [132, 121, 64, 0],
  ],
  [
    'details that are null',
    { prompt_tokens: 1, completion_tokens: 2, prompt_tokens_details: null, completion_tokens_details: null },
    [1, 2, 0, 0],
  ],
  ['nothing generated', { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 }, [5, 0, 0, 0]],
  ['zeros', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, [0, 0, 0, 0]],
]

describe('what a provider reports', () => {
  it.each(REPORTS)(
    'of %s is read as it is meant',
    (_what, raw, [inputTokens, outputTokens, cachedTokens, reasoningTokens]) => {
      expect(readUsage(raw)).toMatchObject({
        inputTokens,
        outputTokens,
        cachedTokens,
        reasoningTokens,
        source: 'reported',
      })
    },
  )

  it('is nothing when it counts no tokens', () => {
    for (const raw of [
      null,
      undefined,
      5,
      'x',
      [],
      {},
      { type: 'duration', seconds: -12 },
      { total_tokens: 5 },
      [{ prompt_tokens: 1 }],
    ]) {
      expect(readUsage(raw)).toBeNull()
    }
  })

  it('is nothing when its numbers are none', () => {
    for (const number of ['9', -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, null, true, {}, [9]]) {
      expect(readUsage({ prompt_tokens: number, completion_tokens: number })).toBeNull()
    }
  })

  it('is at least safe whole numbers, whatever it says', () => {
    const number = fc.oneof(fc.nat(), fc.double(), fc.string(), fc.constant(null), fc.constant(undefined), fc.object())
    const names = [
      'prompt_tokens',
      'input_tokens',
      'completion_tokens',
      'output_tokens',
      'total_tokens',
      'prompt_cache_hit_tokens',
    ]
    const details = fc.oneof(fc.record({ cached_tokens: number, reasoning_tokens: number }), number)
    const raw = fc.record({
      ...Object.fromEntries(names.map((name) => [name, number])),
      prompt_tokens_details: details,
      output_tokens_details: details,
    })
    fc.assert(
      fc.property(raw, (one) => {
        const usage = readUsage(one)
        if (usage === null) return
        for (const count of [usage.inputTokens, usage.outputTokens, usage.cachedTokens, usage.reasoningTokens]) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('stays a safe whole number where the cache beside the input is absurd', () => {
    const most = Number.MAX_SAFE_INTEGER
    const usage = readUsage({ input_tokens: most, cache_read_input_tokens: most, output_tokens: 1 })
    expect(usage === null || Number.isSafeInteger(usage.inputTokens)).toBe(true)
  })

  it('counts a cache once where a gateway in between names it in both dialects', () => {
    const raw = {
      prompt_tokens: 2006,
      completion_tokens: 10,
      total_tokens: 2016,
      prompt_tokens_details: { cached_tokens: 1920 },
      cache_read_input_tokens: 1920,
      cache_creation_input_tokens: 0,
    }
    expect(readUsage(raw)).toMatchObject({ inputTokens: 2006, cachedTokens: 1920 })
  })
})

describe('where usage stands', () => {
  const usage = { prompt_tokens: 1 }
  it.each([
    ['a whole answer', { usage }],
    ["a response's last event", { type: 'response.completed', response: { usage } }],
    ['the first event of Anthropic', { type: 'message_start', message: { usage } }],
    ['both an event and its response', { usage, response: { usage: { prompt_tokens: 2 } } }],
  ])('is known for %s', (_what, body) => {
    expect(usageOf(body)).toBe(usage)
  })

  it.each([[{}], [{ usage: null }], [{ usage: [] }], [{ response: null, message: 'x' }], [{ response: { usage: 3 } }]])(
    'is nowhere in %j',
    (body) => {
      expect(usageOf(body)).toBeNull()
    },
  )
})
