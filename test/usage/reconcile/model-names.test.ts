import { describe, expect, it } from '@jest/globals'
import { matchNames } from '../../../src/usage/reconcile/model-names.ts'

/** Whether the first of ours and the first of theirs are compared as one. */
function isOne(provider: string, ours: string[], theirs: string[]): boolean {
  const groupOf = matchNames(provider, ours, theirs)
  return groupOf(ours[0]!) === groupOf(theirs[0]!)
}

describe('two names are one model', () => {
  it.each([
    ['openai', 'gpt-4o', 'gpt-4o'],
    ['openai', 'openai:gpt-4o', 'gpt-4o'],
    ['openai', 'openai/gpt-4o', 'GPT-4o'],
    ['openai', 'gpt-4o', 'gpt-4o-2024-08-06'],
    ['openai', 'openai:gpt-4o', 'gpt-4o-2024-08-06'],
    ['openai', 'gpt-3.5-turbo', 'gpt-3.5-turbo-0125'],
    ['anthropic', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'],
    ['anthropic', 'claude-3-5-sonnet-latest', 'claude-3-5-sonnet-20241022'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 'Claude Sonnet 4.5'],
    ['mistral', 'mistral-large-latest', 'mistral-large-2411'],
    ['mistral', 'mistral-large-latest', 'mistral-large'],
    ['openrouter', 'openrouter:anthropic/claude-sonnet-4.5', 'anthropic/claude-sonnet-4.5'],
  ])('of %s: %s and %s', (provider, ours, theirs) => {
    expect(isOne(provider, [ours], [theirs])).toBe(true)
  })
})

describe('two names are two models', () => {
  it.each([
    ['openai', 'gpt-4o', 'gpt-4o-mini'],
    ['openai', 'gpt-4o', 'gpt-4o-mini-2024-07-18'],
    ['openai', 'gpt-4o-2024-05-13', 'gpt-4o-2024-08-06'],
    ['openai', 'anthropic/claude-sonnet-4-5', 'claude-sonnet-4-5'],
    ['openai', 'ft:gpt-4o-2024-08-06:org::id', 'gpt-4o-2024-08-06'],
    ['openai', 'text-embedding-3', 'text-embedding-3-002'],
    ['openai', 'dall-e', 'dall-e-3'],
    ['openai', 'gpt-4', 'gpt-4-9999'],
    ['anthropic', 'claude-3-5-haiku', 'Claude Haiku 3.5'],
  ])('of %s: %s and %s', (provider, ours, theirs) => {
    expect(isOne(provider, [ours], [theirs])).toBe(false)
  })
})

describe('an alias', () => {
  it('and every dated model that it may have stood for are compared as one, with those asked for by their date', () => {
    const groupOf = matchNames(
      'openai',
      ['gpt-4o', 'openai:gpt-4o', 'gpt-4o-2024-08-06'],
      ['gpt-4o-2024-08-06', 'gpt-4o-2024-05-13'],
    )
    const names = ['gpt-4o', 'openai:gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-2024-05-13']
    expect(new Set(names.map(groupOf))).toEqual(new Set(['gpt-4o']))
  })

  it('that the provider reports by its own name is no alias', () => {
    expect(isOne('openai', ['gpt-4o'], ['gpt-4o-2024-08-06', 'gpt-4o'])).toBe(false)
    expect(isOne('openai', ['gpt-4o'], ['gpt-4o', 'gpt-4o-2024-08-06'])).toBe(true)
  })
})
