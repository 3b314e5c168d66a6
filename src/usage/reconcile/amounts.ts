/** `1,234.5`, `1.234,5`: digits in threes with one kind of separator, then perhaps the other and decimals. */
const GROUPED = /^(-?\d{1,3})(?:(,\d{3})+(\.\d*)?|(\.\d{3})+(,\d*)?)$/

/**
 * A decimal number as nano-dollars, rounded half away from zero: JSON numbers and texts such as `0.29809159056356166`, `1e-7`,
 * `0E-6176` (OpenAI has sent both). `unit` is what one of it is worth: a dollar, unless said otherwise. Null for anything else, and for
 * more than is possible.
 */
export function toNanoUsd(value: number | string, unit: bigint = USD): bigint | null {
  const match = /^([+-]?)(\d{1,400})(?:\.(\d{0,400}))?(?:e([+-]?\d{1,6}))?$/i.exec(String(value).trim())
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction) * unit
  const shift = Number(exponent) - fraction.length
  const nano = shift < 0 ? divideRounded(digits, shift) : shift > MAX_DIGITS && digits > 0n ? null : digits * ten(shift)
  if (nano === null || nano > MAX_NANO_USD) return null
  return sign === '-' ? -nano : nano
}

export const USD = 1_000_000_000n
export const CENT = 10_000_000n
const MAX_DIGITS = 30
/** A billion dollars. */
const MAX_NANO_USD = 10n ** 18n

const ten = (power: number) => 10n ** BigInt(Math.min(power, MAX_DIGITS))

function divideRounded(digits: bigint, shift: number): bigint {
  // Less than half of the last place, however long it is written.
  if (-shift > String(digits).length) return 0n
  const divisor = 10n ** BigInt(-shift)
  return (digits + divisor / 2n) / divisor
}

/**
 * A cell of a table as a plain decimal, null when it is none. Dollar signs and separators of thousands go. A single comma is a decimal
 * comma where `decimalComma` says so, as in tables with semicolons; otherwise it separates thousands.
 */
export function toDecimal(cell: string, decimalComma: boolean): string | null {
  const text = cell
    .replace(/[\s\u00a0\u202f_]/g, '')
    .replace(/^(-?)(?:US)?\$/i, '$1')
    .replace(/USD$/i, '')
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return text.replace(/^([+-]?)\./, '$10.')
  if (decimalComma && /^-?\d+,\d+$/.test(text)) return text.replace(',', '.')
  const grouped = GROUPED.exec(text)
  if (!grouped) return null
  const usesDotForThousands = grouped[4] !== undefined
  return usesDotForThousands ? text.replaceAll('.', '').replace(',', '.') : text.replaceAll(',', '')
}

/** Whole and not negative, as `10`, and `10.0` where a spreadsheet made it so; null for anything else. */
export function toCount(decimal: string): number | null {
  const count = /^\d+(?:\.0*)?$/.test(decimal) ? Number(decimal) : Number.NaN
  return Number.isSafeInteger(count) ? count : null
}
