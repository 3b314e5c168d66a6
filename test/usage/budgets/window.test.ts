import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { BudgetPeriod } from '../../../src/store/store.ts'
import { windowAt } from '../../../src/usage/budget-window.ts'

const at = (iso: string) => Date.parse(iso)
const shown = (period: BudgetPeriod, moment: string, resetAt: number | null = null) => {
  const { from, to } = windowAt({ period, resetAt }, at(moment))
  return [new Date(from).toISOString(), to === null ? null : new Date(to).toISOString()]
}

describe('the window of a budget', () => {
  it.each([
    ['day', '2026-11-21T23:59:59.999Z', '2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
    ['day', '2026-11-22T00:00:00.000Z', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['week', '2026-11-21T12:00:00.000Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['week', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['week', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['month', '2026-02-28T23:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['month', '2024-02-29T23:00:00.000Z', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['total', '2026-12-31T23:59:59.999Z', '1970-01-01T00:00:00.000Z', null],
  ] as const)('of a %s at %s is from %s to %s', (period, moment, from, to) => {
    expect(shown(period, moment)).toEqual([from, to])
  })

  it('begins with a reset that lies in it, and not with one before or after', () => {
    const reset = at('2026-11-21T06:00:00Z')
    expect(shown('day', '2026-11-21T12:00:00Z', reset)[0]).toBe('2026-11-21T06:00:00.000Z')
    expect(shown('day', '2026-11-22T12:00:00Z', reset)[0]).toBe('2026-11-22T00:00:00.000Z')
    expect(shown('day', '2026-11-21T05:00:00Z', reset)[0]).toBe('2026-11-21T00:00:00.000Z')
    expect(shown('total', '2026-11-21T12:00:00Z', reset)).toEqual(['2026-11-21T06:00:00.000Z', null])
  })

  it('holds the moment, and follows the one before without a gap, whatever the clock does', () => {
    const moments = fc.integer({ min: 0, max: at('2100-01-01T00:00:00Z') })
    fc.assert(
      fc.property(fc.constantFrom('day', 'week', 'month'), moments, (period: BudgetPeriod, moment) => {
        const { from, to } = windowAt({ period, resetAt: null }, moment)
        expect(from <= moment && moment < to!).toBe(true)
        expect(windowAt({ period, resetAt: null }, to!).from).toBe(to)
        expect(windowAt({ period, resetAt: null }, to! - 1).from).toBe(from)
      }),
    )
  })
})
