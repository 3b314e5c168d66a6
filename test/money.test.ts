import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatUsd, parseUsd } from '../src/money.ts'

it.each([
  ['25.50', 25_500_000_000n],
  ['0.00000015', 150n],
  ['0.000000001', 1n],
  ['0', 0n],
  ['9000000', 9_000_000_000_000_000n],
])('$%s is %s nano-dollars', (text, nano) => {
  expect(parseUsd(text)).toBe(nano)
})

it.each(['', '-1', '1e3', '.5', '1.', '1,5', '0.0000000001', 'NaN', '0x10', ' 1', '12345678901'])(
  '%j is no amount',
  (text) => {
    expect(parseUsd(text)).toBeNull()
  },
)

it('comes back as it was', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9_999_999_999n * 1_000_000_000n }), (nano) => {
      expect(parseUsd(formatUsd(nano))).toBe(nano)
    }),
  )
})
