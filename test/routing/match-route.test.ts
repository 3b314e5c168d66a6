import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findRoute } from '../../src/routing/match-route.ts'
import type { Route } from '../../src/routing/types.ts'

const aRoute = (pattern: string, fields: Partial<Route> = {}): Route => ({
  pattern,
  origin: 'file',
  id: null,
  strategy: 'fallback',
  targets: [{ provider: 'openai', model: null, weight: 1, timeouts: null }],
  timeouts: null,
  maxRetries: null,
  recovery: null,
  routesAroundRefusals: false,
  ...fields,
})

const found = (patterns: string[], model: string) =>
  findRoute(
    patterns.map((one) => aRoute(one)),
    model,
  )?.pattern ?? null

describe('the route of a model', () => {
  it.each<[string, string[], string | null]>([
    ['gpt-4', ['gpt-*', 'gpt-4', '*'], 'gpt-4'],
    ['gpt-4o', ['*', 'gpt-*', 'gpt-4*'], 'gpt-4*'],
    ['gpt-4o', ['*-4o', 'gpt-*'], 'gpt-*'],
    ['gpt-4o-mini', ['gpt-*', '*-mini', '*4o-mini'], '*4o-mini'],
    ['claude', ['gpt-*', 'gpt-4'], null],
    ['claude', [], null],
    ['claude', ['*'], '*'],
    ['', ['gpt-*'], null],
    ['GPT-4', ['gpt-4'], null],
    ['a.c', ['a.*', 'a?c'], 'a.*'],
    ['constructor', ['gpt-4'], null],
  ])('%s of %j is %s', (model, patterns, expected) => {
    expect(found(patterns, model)).toBe(expected)
  })

  it('is the first of equals, so that the file wins over the database', () => {
    const file = aRoute('gpt-4')
    const database = aRoute('gpt-4', { origin: 'database', id: 'rte_1' })
    expect(findRoute([file, database], 'gpt-4')).toBe(file)
    const [first, second] = [aRoute('gpt*4o'), aRoute('*gpt4o')]
    expect(findRoute([first, second], 'gpt4o')).toBe(first)
    expect(findRoute([second, first], 'gpt4o')).toBe(second)
  })

  it('is told by each list for itself, also when it was asked before', () => {
    const lists = [[aRoute('a*')], [aRoute('*'), aRoute('a*b')]]
    for (const _ of [1, 2]) {
      expect(lists.map((routes) => findRoute(routes, 'acb')?.pattern)).toEqual(['a*', 'a*b'])
      expect(lists.map((routes) => findRoute(routes, 'b')?.pattern)).toEqual([undefined, '*'])
    }
  })

  it('is, whatever the routes and the model, what trying all of them finds', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 5 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 12 }),
        fc.array(word, { minLength: 1, maxLength: 8 }),
        (patterns, models) => {
          const routes = patterns.map((one) => aRoute(one))
          for (const model of [...models, ...models]) expect(findRoute(routes, model)).toBe(byTryingAll(routes, model))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('stays right when callers ask for more names than are remembered', () => {
    const routes = [aRoute('m1*'), aRoute('*')]
    for (let i = 0; i < 3000; i++)
      expect(findRoute(routes, `m${i}`)).toBe(`m${i}`.startsWith('m1') ? routes[0] : routes[1])
    expect(findRoute(routes, `m1${'x'.repeat(10_000)}`)).toBe(routes[0])
  })
})

function byTryingAll(routes: Route[], model: string): Route | null {
  const exact = routes.find(({ pattern }) => pattern === model)
  if (exact) return exact
  const literal = ({ pattern }: Route) => pattern.replaceAll('*', '').length
  const fitting = routes.filter(({ pattern }) =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 's').test(model),
  )
  return fitting.reduce<Route | null>((best, one) => (best === null || literal(one) > literal(best) ? one : best), null)
}
