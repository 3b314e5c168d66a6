import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatUsd } from '../../../src/money.ts'
import { CENT, toCount, toDecimal, toNanoUsd } from '../../../src/usage/reconcile/amounts.ts'

describe('an amount of a provider', () => {
  it.each([
    [0.29809159056356166, 298_091_591n],
    [0.00016447132572501897, 164_471n],
    [1e-7, 100n],
    [0, 0n],
    [-2.5, -2_500_000_000n],
    ['12.50', 12_500_000_000n],
    ['0.8958740000000000', 895_874_000n],
    ['0E-6176', 0n],
    ['1E+2', 100_000_000_000n],
    ['0.0000000005', 1n],
    ['0.00000000049999', 0n],
    ['-0.0000000005', -1n],
    ['1e-400', 0n],
    ['  3 ', 3_000_000_000n],
  ])('%j is read exactly, and rounded to nano-dollars once', (value, nano) => {
    expect(toNanoUsd(value)).toBe(nano)
  })

  it.each([
    ['123.45', 1_234_500_000n],
    ['123.78912', 1_237_891_200n],
    ['0.00000001', 0n],
    ['0.00000005', 1n],
  ])('%j in cents is a hundredth of that', (value, nano) => {
    expect(toNanoUsd(value, CENT)).toBe(nano)
  })

  it.each([
    '',
    'abc',
    '1,5',
    '1.2.3',
    '--1',
    'NaN',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1e10',
    '9'.repeat(500),
    '1e999999',
  ])('%j is none', (value) => {
    expect(toNanoUsd(value)).toBeNull()
  })

  it('that this gateway has written is the same again', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 17n), 10n ** 17n), (nano) => {
        expect(toNanoUsd(formatUsd(nano))).toBe(nano)
      }),
    )
  })
})

describe('a number in a table', () => {
  it.each([
    ['1234', '1234'],
    ['1234.5', '1234.5'],
    ['.5', '0.5'],
    ['1,234', '1234'],
    ['1,234,567.89', '1234567.89'],
    ['1.234.567,89', '1234567.89'],
    ['1.234,5', '1234.5'],
    ['$1,234.50', '1234.50'],
    ['-$3.5', '-3.5'],
    ['0.25 USD', '0.25'],
    ['1 234 567', '1234567'],
    ['1e-7', '1e-7'],
  ])('%j is %s', (cell, decimal) => {
    expect(toDecimal(cell, false)).toBe(decimal)
  })

  it('has a decimal comma where the table has semicolons', () => {
    expect(toDecimal('0,5', true)).toBe('0.5')
    expect(toDecimal('1,234', true)).toBe('1.234')
    expect(toDecimal('0.5', true)).toBe('0.5')
  })

  it.each(['', '-', 'n/a', '0,5', '1,23,4', '12,34', '1.2.3', '€5', '0x10', '1,2345'])('%j is none', (cell) => {
    expect(toDecimal(cell, false)).toBeNull()
  })

  it('is a count only when it is whole and not negative', () => {
    expect(['10', '10.0', '0', '0010.'].map(toCount)).toEqual([10, 10, 0, 10])
    expect(['-1', '1.5', '1e3', '', '9007199254740993'].map(toCount)).toEqual([null, null, null, null, null])
  })
})
