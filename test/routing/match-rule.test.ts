import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findRule, type RequestFacts } from '../../src/routing/match-rule.ts'
import type { Condition, Feature, Rule } from '../../src/routing/types.ts'

const facts = (fields: Partial<RequestFacts> = {}): RequestFacts => ({
  model: 'gpt-4o',
  endpoint: '/v1/chat/completions',
  projectId: 'proj_1',
  projectName: 'search',
  tokenId: 'tok_1',
  stream: true,
  promptTokens: () => 500,
  features: () => new Set<Feature>(['tools', 'images']),
  metadata: { team: 'a', level: 5, vip: true, nested: {} },
  headers: { 'x-tier': 'gold', 'x-many': ['a', 'b'] },
  ...fields,
})

const aRule = (name: string, when: Condition = { model: '*' }, weight: number | null = null): Rule => ({
  name,
  when,
  route: null,
  provider: 'openai',
  model: null,
  weight,
})

const never = () => {
  throw new Error('asked for nothing')
}
const fits = (when: Condition, of = facts()) => findRule([aRule('r', when)], of, never) !== null

describe('a rule', () => {
  it.each<[Condition, boolean]>([
    [{ model: 'gpt-4o' }, true],
    [{ model: 'gpt-*' }, true],
    [{ model: 'claude-*' }, false],
    [{ endpoint: '/v1/chat/*' }, true],
    [{ endpoint: '/v1/responses' }, false],
    [{ project: 'proj_1' }, true],
    [{ project: 'search' }, true],
    [{ project: 'proj_2' }, false],
    [{ token: 'tok_1' }, true],
    [{ token: 'tok_2' }, false],
    [{ stream: true }, true],
    [{ stream: false }, false],
    [{ has: ['tools'] }, true],
    [{ has: ['tools', 'images'] }, true],
    [{ has: ['tools', 'audio'] }, false],
    [{ metadata: { team: 'a' } }, true],
    [{ metadata: { team: 'a', level: '5', vip: 'true' } }, true],
    [{ metadata: { team: 'A' } }, false],
    [{ metadata: { nested: '[object Object]' } }, false],
    [{ metadata: { toString: 'x' } }, false],
    [{ headers: { 'x-tier': 'gold' } }, true],
    [{ headers: { 'x-many': 'a, b' } }, true],
    [{ headers: { 'x-none': '' } }, false],
    [{ promptTokens: { gt: 499 } }, true],
    [{ promptTokens: { gt: 500 } }, false],
    [{ promptTokens: { gte: 500 } }, true],
    [{ promptTokens: { gte: 501 } }, false],
    [{ promptTokens: { lt: 501 } }, true],
    [{ promptTokens: { lt: 500 } }, false],
    [{ promptTokens: { lte: 500 } }, true],
    [{ promptTokens: { lte: 499 } }, false],
    [{ model: 'gpt-*', stream: true, project: 'search', has: ['tools'], promptTokens: { gt: 1, lt: 1000 } }, true],
    [{ model: 'gpt-*', stream: false, project: 'search', has: ['tools'], promptTokens: { gt: 1, lt: 1000 } }, false],
  ])('with %j fits: %s', (when, expected) => {
    expect(fits(when)).toBe(expected)
  })

  it('about a model or a token fits no request without one', () => {
    expect(fits({ model: '*' }, facts({ model: null }))).toBe(false)
    expect(fits({ token: 'tok_1' }, facts({ tokenId: null }))).toBe(false)
  })

  it('asks for tokens and features when all else fits, and once for all rules', () => {
    let asked = 0
    const costly = facts({
      promptTokens: () => {
        asked++
        return 0
      },
      features: () => {
        asked++
        return new Set<Feature>()
      },
    })
    const when: Condition = { promptTokens: { gt: 5 } }
    expect(findRule([aRule('a', { ...when, has: ['tools'], model: 'claude' })], costly, never)).toBeNull()
    expect(asked).toBe(0)
    expect(
      findRule(
        [aRule('a', when), aRule('b', when), aRule('c', { has: ['tools'] }), aRule('d', { has: ['audio'] })],
        costly,
        never,
      ),
    ).toBeNull()
    expect(asked).toBe(2)
  })
})

describe('of rules', () => {
  it('the first that fits wins', () => {
    const rules = [aRule('no', { stream: false }), aRule('first'), aRule('second')]
    expect(findRule(rules, facts(), never)?.name).toBe('first')
    expect(findRule([], facts(), never)).toBeNull()
  })

  it('that stand together, fit and have weights, one wins by chance', () => {
    const rules = [
      aRule('no', { stream: false }, 5),
      aRule('a', { stream: true }, 1),
      aRule('other', { stream: false }, 100),
      aRule('b', { model: '*' }, 3),
      aRule('plain'),
      aRule('c', { model: '*' }, 100),
    ]
    const chosen = [0, 0.2499, 0.25, 0.9999].map((chance) => findRule(rules, facts(), () => chance)?.name)
    expect(chosen).toEqual(['a', 'a', 'b', 'b'])
  })

  it('the one chosen fits, whatever they are, and only those chosen by chance have weights', () => {
    const when = fc.record(
      { stream: fc.boolean(), model: fc.constantFrom('a*', 'b*', '*') },
      { requiredKeys: ['model'] },
    )
    const rule = fc.tuple(when, fc.option(fc.double({ min: 0.001, max: 1000, noNaN: true })))
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 10 }),
        fc.record({ stream: fc.boolean(), model: fc.constantFrom('aa', 'bb', 'cc') }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (drafts, request, chance) => {
          const rules = drafts.map(([when, weight], i) => aRule(String(i), when as Condition, weight))
          const fitting = rules.filter(({ when }) => fits(when, facts(request)))
          const found = findRule(rules, facts(request), () => chance)
          if (fitting.length === 0) return expect(found).toBeNull()
          expect(fitting).toContain(found)
          if (found === fitting[0]) return
          const between = rules.slice(rules.indexOf(fitting[0]!), rules.indexOf(found!) + 1)
          expect(between.every(({ weight }) => weight !== null)).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('with weights each has its share', () => {
    const rules = [aRule('a', undefined, 1), aRule('b', undefined, 2.5), aRule('c', undefined, 6.5)]
    const counts = new Map<string, number>()
    for (let i = 0; i < 1000; i++) {
      const { name } = findRule(rules, facts(), () => (i + 0.5) / 1000)!
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({ a: 100, b: 250, c: 650 })
  })
})
