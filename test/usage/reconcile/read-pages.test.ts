import { describe, expect, it } from '@jest/globals'
import type { Export } from '../../../src/usage/reconcile/export.ts'
import { readExport } from '../../../src/usage/reconcile/read-export.ts'
import {
  anthropicCostResult,
  anthropicPage,
  anthropicUsageResult,
  openAiCostResult,
  openAiPage,
  openAiUsageResult,
} from '../../fixtures/exports.ts'
import { fixturesFolder, NO_FIXTURES, recordedExchanges } from '../../helpers/fixtures.ts'

const DAY = '2026-11-20'
const NEXT = '2026-11-21'
const bytesOf = (...values: unknown[]) => Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'))

/** The one export of these pages, without what is not told. */
function read(...pages: unknown[]): Export {
  const found = readExport(bytesOf(...pages))
  expect(found).toHaveLength(1)
  return JSON.parse(JSON.stringify(found[0], withoutTypes), withBigints) as Export
}
const withoutTypes = (_: string, value: unknown) =>
  typeof value === 'bigint' ? `${value}n` : value instanceof Set ? [...value] : value
const withBigints = (_: string, value: unknown) =>
  typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value

describe('an export of OpenAI', () => {
  it('of completions tells requests and tokens, by model where it is grouped so', () => {
    const counts = { num_model_requests: 5, input_tokens: 1000, input_cached_tokens: 800, output_tokens: 500 }
    const page = openAiPage({
      [DAY]: [
        openAiUsageResult('gpt-4o-2024-08-06', counts),
        openAiUsageResult('gpt-5', { ...counts, input_cache_write_tokens: 7, input_uncached_tokens: 193 }),
      ],
      [NEXT]: [],
    })
    expect(read(page)).toEqual({
      format: 'OpenAI usage',
      provider: 'openai',
      from: Date.parse(DAY),
      to: Date.parse('2026-11-22'),
      days: [DAY, NEXT],
      kinds: ['completions'],
      notes: [],
      rows: [
        { day: DAY, model: 'gpt-4o-2024-08-06', requests: 5, inputTokens: 1000, cachedTokens: 800, outputTokens: 500 },
        {
          day: DAY,
          model: 'gpt-5',
          requests: 5,
          inputTokens: 1000,
          cachedTokens: 800,
          cacheWriteTokens: 7,
          outputTokens: 500,
        },
      ],
    })
    expect(read(openAiPage({ [DAY]: [openAiUsageResult(null, counts)] })).rows[0]).toMatchObject({ model: null })
  })

  it('of another endpoint tells what that has, and is about it alone', () => {
    const page = openAiPage({
      [DAY]: [
        openAiUsageResult('text-embedding-3-small', { num_model_requests: 2, input_tokens: 16 }, 'embeddings'),
        openAiUsageResult('omni-moderation-latest', { num_model_requests: 1, input_tokens: 4 }, 'moderations'),
        openAiUsageResult('gpt-image-1', { num_model_requests: 3, images: 6, size: '1024x1024' }, 'images'),
        openAiUsageResult('tts-1', { num_model_requests: 1, characters: 90 }, 'audio_speeches'),
        openAiUsageResult('whisper-1', { num_model_requests: 1, seconds: 20 }, 'audio_transcriptions'),
      ],
    })
    const { rows, kinds } = read(page)
    expect(kinds).toEqual(['embeddings', 'moderations', 'images', 'audio_speeches', 'audio_transcriptions'])
    expect(rows).toEqual([
      { day: DAY, model: 'text-embedding-3-small', requests: 2, inputTokens: 16 },
      { day: DAY, model: 'omni-moderation-latest', requests: 1, inputTokens: 4 },
      { day: DAY, model: 'gpt-image-1', requests: 3 },
      { day: DAY, model: 'tts-1', requests: 1 },
      { day: DAY, model: 'whisper-1', requests: 1 },
    ])
  })

  it('of what no request is, is left out and said so', () => {
    const search = openAiUsageResult('gpt-5', { num_requests: 4, num_model_requests: 4 }, 'web_searches')
    const { rows, notes } = read(
      openAiPage({ [DAY]: [search, openAiUsageResult('gpt-5', { num_model_requests: 4, input_tokens: 1 })] }),
    )
    expect(rows).toEqual([{ day: DAY, model: 'gpt-5', requests: 4, inputTokens: 1 }])
    expect(notes).toEqual([expect.stringMatching(/^The figures of web_searches were left out/)])
    expect(() => readExport(bytesOf(openAiPage({ [DAY]: [search] })))).toThrow(/nothing to compare.*web_searches/)
  })

  it('of costs has dollars, as numbers or as text', () => {
    const page = openAiPage({
      [DAY]: [openAiCostResult(null, 0.29809159056356166)],
      [NEXT]: [openAiCostResult(null, '12.50'), openAiCostResult(null, '0E-6176')],
    })
    const { rows, format, kinds } = read(page)
    expect({ format, kinds }).toEqual({ format: 'OpenAI costs', kinds: null })
    expect(rows).toEqual([
      { day: DAY, model: null, costNanoUsd: 298_091_591n },
      { day: NEXT, model: null, costNanoUsd: 12_500_000_000n },
      { day: NEXT, model: null, costNanoUsd: 0n },
    ])
  })

  it.each([
    ['gpt-4o-2024-08-06, input', 'gpt-4o-2024-08-06'],
    ['gpt-5.5-2026-04-23, cached input', 'gpt-5.5-2026-04-23'],
    ['ft-gpt-4o-2024-08-06, output', 'ft-gpt-4o-2024-08-06'],
    ['priority | gpt-5.6-sol, output, long context', 'gpt-5.6-sol'],
    ['gpt-image-1 text, cached input', 'gpt-image-1'],
    ['gpt-audio-mini-2025-12-15 audio, input', 'gpt-audio-mini-2025-12-15'],
    ['whisper-1, audio', 'whisper-1'],
    ['web search tool calls', 'web search tool calls'],
    ['assistants api | file search', 'assistants api | file search'],
    ['evals | gpt-4o, input', 'evals | gpt-4o, input'],
    ['Image models', 'Image models'],
  ])('of costs by line: %j belongs to %s', (line, model) => {
    expect(read(openAiPage({ [DAY]: [openAiCostResult(line, 1)] })).rows[0]).toMatchObject({ model })
  })
})

describe('an export of Anthropic', () => {
  it('of usage is brought to our meaning: input includes what was read from the cache and written to it', () => {
    const page = anthropicPage({
      [DAY]: [
        anthropicUsageResult('claude-sonnet-4-5-20250929', {
          uncached_input_tokens: 1500,
          cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
          cache_read_input_tokens: 200,
          output_tokens: 50,
          server_tool_use: { web_search_requests: 10 },
        }),
        anthropicUsageResult(null, { uncached_input_tokens: 3, output_tokens: 4 }),
      ],
    })
    expect(read(page)).toMatchObject({
      format: 'Anthropic usage report',
      provider: 'anthropic',
      from: Date.parse(DAY),
      to: Date.parse(NEXT),
      rows: [
        {
          day: DAY,
          model: 'claude-sonnet-4-5-20250929',
          inputTokens: 3200,
          cachedTokens: 200,
          cacheWriteTokens: 1500,
          outputTokens: 50,
        },
        { day: DAY, model: null, inputTokens: 3, cachedTokens: 0, cacheWriteTokens: 0, outputTokens: 4 },
      ],
    })
  })

  it('of costs is in cents; what is no model keeps its description', () => {
    const search = { cost_type: 'web_search', description: 'Web Search Usage' }
    const page = anthropicPage({
      [DAY]: [
        anthropicCostResult('claude-opus-4-6', '123.78912'),
        anthropicCostResult(null, '1000', search),
        anthropicCostResult(null, '0.5'),
      ],
    })
    expect(read(page).rows).toEqual([
      { day: DAY, model: 'claude-opus-4-6', costNanoUsd: 1_237_891_200n },
      { day: DAY, model: 'Web Search Usage', costNanoUsd: 10_000_000_000n },
      { day: DAY, model: null, costNanoUsd: 5_000_000n },
    ])
  })
})

describe('a file of several pages', () => {
  const usage = (day: string) => openAiPage({ [day]: [openAiUsageResult('gpt-4o', { num_model_requests: 1 })] })

  it.each([
    ['in a list', (pages: unknown[]) => Buffer.from(JSON.stringify(pages))],
    ['one on each line', (pages: unknown[]) => bytesOf(...pages)],
    [
      'one behind the other',
      (pages: unknown[]) => Buffer.from(pages.map((page) => JSON.stringify(page, null, 2)).join('')),
    ],
  ])('adds them up: %s', (_, write) => {
    const [found, ...others] = readExport(write([usage(DAY), openAiPage({ [NEXT]: [] }), usage('2026-11-22')]))
    expect(others).toEqual([])
    expect(found!.rows.map(({ day }) => day)).toEqual([DAY, '2026-11-22'])
    expect([...found!.days]).toEqual([DAY, NEXT, '2026-11-22'])
  })

  it('may hold usage and costs: each is compared by itself', () => {
    const found = readExport(bytesOf(openAiPage({ [DAY]: [openAiCostResult(null, 1)] }), usage(DAY)))
    expect(found.map(({ format }) => format)).toEqual(['OpenAI usage', 'OpenAI costs'])
  })

  it('says when the last one is missing, in whatever order they are', () => {
    const first = { ...usage(DAY), has_more: true }
    expect(read(first).notes).toEqual([expect.stringContaining('more pages than there are in the file')])
    expect(read(usage(NEXT), first).notes).toEqual([])
    expect(read({ ...usage(NEXT), has_more: true }, first).notes).toHaveLength(1)
    expect(read(usage(DAY), { ...openAiPage({}), has_more: true }).notes).toHaveLength(1)
    // A page of another query goes on with nothing.
    const embeddings = openAiPage({ [NEXT]: [openAiUsageResult('e', { num_model_requests: 1 }, 'embeddings')] })
    const twoDays = { ...openAiPage({ [DAY]: usage(DAY).data[0]!.results, [NEXT]: [] }), has_more: true }
    expect(read(twoDays, embeddings).notes).toHaveLength(1)
  })
})

describe('a damaged export is refused with the place', () => {
  const results = (result: object) =>
    openAiPage({ [DAY]: [{ object: 'organization.usage.completions.result', ...result }] })
  const cost = (amount: object) => openAiPage({ [DAY]: [{ object: 'organization.costs.result', amount }] })
  const bucket = (time: object) => ({ data: [{ results: [openAiUsageResult(null, {})], ...time }] })

  it.each<[string, unknown, string]>([
    ['tokens as text', results({ input_tokens: '5' }), 'data.0.results.0.input_tokens must be a whole number'],
    ['half a token', results({ output_tokens: 1.5 }), 'data.0.results.0.output_tokens must be a whole number'],
    [
      'fewer than none',
      results({ num_model_requests: -1 }),
      'data.0.results.0.num_model_requests must not be negative',
    ],
    ['other money', cost({ value: 1, currency: 'eur' }), 'data.0.results.0.amount.currency must be usd'],
    [
      'no money',
      cost({ value: 'much', currency: 'usd' }),
      'data.0.results.0.amount.value must be an amount of dollars',
    ],
    ['no time', bucket({}), 'data.0.start_time is required'],
    ['a time in milliseconds', bucket({ start_time: 1.79e12, end_time: 1.8e12 }), 'must be a time in Unix seconds'],
    [
      'a bucket of two days',
      bucket({ start_time: 1795132800, end_time: 1795305600 }),
      'data.0 must be within one day of UTC',
    ],
    [
      'a bucket that ends before it begins',
      bucket({ start_time: 1795132800, end_time: 1795132800 }),
      'data.0 must be within one day',
    ],
    [
      'dollars where cents are',
      anthropicPage({ [DAY]: [anthropicCostResult('claude', '$5')] }),
      'data.0.results.0.amount must be an amount of cents',
    ],
    [
      'a time without its zone',
      {
        data: [
          { starting_at: DAY, ending_at: NEXT, results: [anthropicUsageResult(null, { uncached_input_tokens: 1 })] },
        ],
      },
      'data.0.starting_at must be a time in ISO 8601 with its zone',
    ],
  ])('%s', (_, page, message) => {
    expect(() => readExport(bytesOf(page))).toThrow(message)
    expect(() => readExport(bytesOf(results({ input_tokens: 1 }), page))).toThrow('Page 2: data.0')
  })

  it.each<[string, unknown]>([
    ['an error of the API', { error: { message: 'Incorrect API key provided' } }],
    ['a list of models', { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] }],
    ['buckets of something else', { data: [{ start_time: 1, end_time: 2, results: [{ sessions: 3 }] }] }],
    ['a list of numbers', [1, 2]],
    ['nothing', {}],
  ])('%s: it says what is accepted', (_, value) => {
    expect(() => readExport(bytesOf(value))).toThrow(/no export that is known\. Accepted are .*OpenAI.*Anthropic.*CSV/)
  })

  it('without any use it has nothing to compare', () => {
    expect(() => readExport(bytesOf(openAiPage({ [DAY]: [] })))).toThrow('The export is empty')
    expect(() => readExport(bytesOf([]))).toThrow('The export is empty')
  })

  it('empty, binary, or no text at all', () => {
    expect(() => readExport(Buffer.from(' \n'))).toThrow('The file is empty.')
    expect(() => readExport(Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0x80]))).toThrow(/not text in UTF-8.*Accepted are/)
    expect(() => readExport(Buffer.from('hello world'))).toThrow(/no export that is known.*Accepted are/)
    expect(() => readExport(Buffer.from('{"data": [}'))).toThrow('not valid JSON: line 1, column 11')
  })
})

const recorded = recordedExchanges('ruby-openai').filter(({ path }) => /\/organization\/(?:usage|costs)/.test(path))

describe('recorded exports of OpenAI', () => {
  if (fixturesFolder === null) return it.skip(NO_FIXTURES, () => {})

  const of = (path: string) => recorded.find((exchange) => exchange.path.startsWith(path))!.responseBody

  it('of completions are read: a part of two days', () => {
    const [found] = readExport(of('/v1/organization/usage/completions'))
    expect(found).toMatchObject({ from: 1_739_096_063_000, to: 1_739_182_550_000, format: 'OpenAI usage' })
    expect(found!.rows).toEqual([
      {
        day: '2025-02-10',
        model: null,
        requests: 26,
        inputTokens: 5617,
        cachedTokens: 0,
        cacheWriteTokens: undefined,
        outputTokens: 494,
      },
    ])
  })

  it('of embeddings and costs are read', () => {
    expect(readExport(of('/v1/organization/usage/embeddings'))[0]!.rows).toMatchObject([
      { requests: 1, inputTokens: 8 },
    ])
    expect(readExport(of('/v1/organization/costs'))[0]!.rows).toEqual([
      { day: '2025-02-09', model: null, costNanoUsd: 164_471n },
      { day: '2025-02-10', model: null, costNanoUsd: 298_091_591n },
    ])
  })

  it('are read from one file, as they came', () => {
    const found = readExport(Buffer.concat(recorded.map(({ responseBody }) => responseBody)))
    expect(found.map(({ format, rows }) => [format, rows.length])).toEqual([
      ['OpenAI usage', 2],
      ['OpenAI costs', 2],
    ])
  })
})
