import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { matchesGlob } from '../../src/domain/globs.ts'

describe('a pattern', () => {
  it.each([
    ['gpt-4o', 'gpt-4o', true],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['gpt-4o', 'GPT-4o', false],
    ['gpt-*', 'gpt-4o', true],
    ['gpt-*', 'gpt-', true],
    ['gpt-*', 'xgpt-4o', false],
    ['*', '', true],
    ['*', 'anything/at:all', true],
    ['*-mini', 'gpt-4o-mini', true],
    ['*-mini', 'gpt-4o-mini-2', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['*ab*ab', 'xab', false],
    ['*ab*ab', 'abab', true],
    ['/v1/*/x', '/v1/a/b/x', true],
    ['**', 'x', true],
    ['gpt.4o', 'gpt-4o', false],
    ['gpt-?', 'gpt-4', false],
    ['[ab]', 'a', false],
    ['', '', true],
    ['', 'a', false],
  ])('%j on %j says %s', (pattern, text, expected) => {
    expect(matchesGlob([pattern], text)).toBe(expected)
  })

  it('says what the same pattern says as a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', '\n', '*'), maxLength: 12 })
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = pattern.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&').replaceAll('\\*', '[^]*')
        expect(matchesGlob([pattern], text)).toBe(new RegExp(`^${source}$`).test(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is one of several; of none, nothing matches', () => {
    expect(matchesGlob(['a', 'b*'], 'bcd')).toBe(true)
    expect(matchesGlob([], 'a')).toBe(false)
    expect(matchesGlob([], '')).toBe(false)
  })

  it('made to be slow is not', () => {
    const started = performance.now()
    expect(matchesGlob([`${'a*'.repeat(2_000)}b`], 'a'.repeat(100_000))).toBe(false)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
