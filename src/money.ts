/*
 * Money is an integer of nano-dollars (10⁻⁹ US dollars) everywhere inside, and a decimal string on the wire.
 */

/** Nano-dollars as dollars, exactly: `150n` → `0.00000015`. */
export function formatUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : ''
  const digits = String(nanoUsd < 0n ? -nanoUsd : nanoUsd).padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '')
  return `${sign}${digits.slice(0, -9)}${fraction && `.${fraction}`}`
}

/** Dollars as nano-dollars, exactly: `0.00000015` → `150n`. Null for anything but a plain decimal of at most nine places. */
export function parseUsd(text: string): bigint | null {
  const match = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text)
  return match && BigInt(match[1]! + (match[2] ?? '').padEnd(9, '0'))
}
