import { describe, expect, it } from '@jest/globals'
import { EFFORTS } from '../../src/formats/hub.ts'
import { BUDGETS, effortOf, factsOf, nearestEffort } from '../../src/formats/model-facts.ts'

describe('what is known of Claude', () => {
  it.each([
    ['claude-3-haiku-20240307', 4_096],
    ['claude-3-5-haiku-20241022', 8_192],
    ['claude-3-7-sonnet-20250219', 64_000],
    ['claude-opus-4-20250514', 32_000],
    ['claude-opus-4-1-20250805', 32_000],
    ['claude-opus-4-5-20251101', 64_000],
    ['claude-sonnet-4-20250514', 64_000],
    ['claude-haiku-4-5-20251001', 64_000],
    ['claude-sonnet-4-6', 128_000],
    ['claude-opus-4-8', 128_000],
    ['claude-opus-5', 128_000],
    ['claude-fable-5', 128_000],
    ['claude-of-the-future', null],
  ])('%s writes at most %s tokens', (model, most) => {
    expect(factsOf(model).maxOutput).toBe(most)
  })

  it.each([
    ['claude-3-5-sonnet-20241022', null],
    ['claude-3-7-sonnet-20250219', 'budget'],
    ['claude-haiku-4-5-20251001', 'budget'],
    ['claude-opus-4-5', 'budget'],
    ['claude-sonnet-4-6', 'adaptive'],
    ['claude-opus-4-7', 'adaptive'],
    ['claude-sonnet-5', 'adaptive'],
    ['claude-mythos-5', 'adaptive'],
  ])('%s is told to reason by: %s', (model, reasons) => {
    expect(factsOf(model).reasons).toBe(reasons)
  })

  it('goes on with an answer that the client began up to 4.5 alone', () => {
    for (const model of ['claude-3-haiku-20240307', 'claude-haiku-4-5-20251001', 'claude-opus-4-5'])
      expect(factsOf(model).takesPrefill).toBe(true)
    for (const model of [
      'claude-opus-4-6',
      'claude-sonnet-4-6',
      'claude-opus-4-8',
      'claude-sonnet-5',
      'claude-opus-10',
    ])
      expect(factsOf(model).takesPrefill).toBe(false)
  })

  it('takes sampling up to 4.6, temperature and top_p together up to 3', () => {
    for (const model of ['claude-3-haiku-20240307', 'claude-opus-4-5', 'claude-sonnet-4-6'])
      expect(factsOf(model).takesSampling).toBe(true)
    for (const model of ['claude-opus-4-7', 'claude-opus-5', 'claude-sonnet-5', 'claude-fable-5'])
      expect(factsOf(model).takesSampling).toBe(false)
    expect(factsOf('claude-3-7-sonnet-20250219').takesBothSamplings).toBe(true)
    expect(factsOf('claude-haiku-4-5').takesBothSamplings).toBe(false)
  })

  it('keeps to a schema from opus-4-1, sonnet-4-5 and haiku-4-5 on', () => {
    for (const model of ['claude-opus-4-1-20250805', 'claude-sonnet-4-5', 'claude-haiku-4-5-20251001', 'claude-opus-5'])
      expect(factsOf(model).takesSchema).toBe(true)
    for (const model of ['claude-3-haiku-20240307', 'claude-sonnet-4-20250514', 'claude-opus-4-20250514'])
      expect(factsOf(model).takesSchema).toBe(false)
  })

  it('cannot be made to call a tool as Fable and Mythos', () => {
    for (const model of ['claude-fable-5', 'claude-mythos-5']) expect(factsOf(model).takesForcedTool).toBe(false)
    expect(factsOf('claude-opus-5').takesForcedTool).toBe(true)
  })

  it.each([
    'anthropic/claude-haiku-4.5',
    'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    'claude-haiku-4-5@20251001',
    'Claude-Haiku-4-5',
    'vertex/anthropic/claude-haiku-4-5',
  ])('is the same by every name that it is sold under: %s', (model) => {
    expect(factsOf(model)).toEqual(factsOf('claude-haiku-4-5-20251001'))
  })
})

describe('what is known of others', () => {
  it.each([
    ['gpt-4o-mini', { maxOutput: 16_384, countsReasoning: false, reasons: null, takesSchema: true, callIds: 'short' }],
    ['gpt-4.1-2025-04-14', { maxOutput: 32_768, takesSampling: true, takesStop: true }],
    ['gpt-3.5-turbo', { maxOutput: 4_096, takesSchema: false }],
    [
      'o3',
      { countsReasoning: true, takesSampling: false, takesStop: false, takesParallel: false, knowsDeveloper: true },
    ],
    ['gpt-5-mini', { efforts: ['minimal', 'low', 'medium', 'high'], reasonsUnasked: true, takesStop: false }],
    ['gpt-5.1', { efforts: ['none', 'low', 'medium', 'high'], reasonsUnasked: false, takesToolsWithEffort: true }],
    [
      'gpt-5.4',
      { efforts: ['none', 'low', 'medium', 'high', 'xhigh'], takesToolsWithEffort: false, reasonsUnasked: false },
    ],
    ['openai/gpt-5.6-terra', { reasonsUnasked: true, takesToolsWithEffort: false }],
    ['gpt-5-chat-latest', { reasons: null, takesSampling: true, takesStop: true }],
    ['gpt-5.2-chat-latest', { efforts: ['medium'], takesSampling: false }],
    ['gpt-6-astra', { reasons: 'adaptive', efforts: ['low', 'medium', 'high'], countsReasoning: true }],
    ['openai/gpt-oss-120b', { reasons: 'adaptive', countsReasoning: false, callIds: 'any' }],
    ['mistral-small-latest', { callIds: 'nine', reasons: 'adaptive', efforts: ['none', 'high'] }],
    ['mistral-large-latest', { callIds: 'nine', reasons: null, takesUserAfterResults: false }],
    ['mistralai/devstral-medium-2507', { takesUserAfterResults: false }],
    ['open-mixtral-8x22b', { callIds: 'nine' }],
    ['deepseek-chat', { takesSchema: false, wantsThoughts: true, maxOutput: null }],
    ['deepseek/deepseek-v4-pro', { wantsThoughts: true }],
    ['deepseek-r1-distill-llama-70b', { wantsThoughts: false }],
    ['moonshotai/kimi-k2-instruct-0905', { wantsThoughts: false }],
    ['kimi-k2.5', { wantsThoughts: true }],
    ['grok-4', { reasons: null }],
    ['grok-3-mini', { efforts: ['low', 'high'] }],
    ['llama-3.3-70b-versatile', { reasons: null, takesSampling: true, takesCacheMarks: false, callIds: 'any' }],
  ])('%s', (model, facts) => {
    expect(factsOf(model)).toMatchObject(facts)
  })

  it('is looked up in bounded memory', () => {
    const first = factsOf('gpt-4o')
    for (let index = 0; index < 5_000; index++) factsOf(`model-${index}`)
    expect(factsOf('gpt-4o')).toEqual(first)
  })
})

describe('efforts', () => {
  it('are what numbers of tokens stand for, and the other way round', () => {
    for (const effort of EFFORTS) if (effort !== 'max') expect(effortOf(BUDGETS[effort])).toBe(effort)
    expect([effortOf(1), effortOf(5_000), effortOf(31_999), effortOf(1_000_000)]).toEqual([
      'minimal',
      'medium',
      'xhigh',
      'xhigh',
    ])
  })

  it('become the nearest that a model takes, the higher where two are as near', () => {
    const upTo51 = ['none', 'low', 'medium', 'high'] as const
    expect(nearestEffort('minimal', upTo51)).toBe('low')
    expect(nearestEffort('none', ['minimal', 'low'])).toBe('minimal')
    expect(nearestEffort('xhigh', ['low', 'medium', 'high', 'max'])).toBe('max')
    expect(nearestEffort('max', upTo51)).toBe('high')
    expect(nearestEffort('medium', ['low', 'high'])).toBe('high')
  })
})
