import fc from 'fast-check'

/** `bytes` in pieces, cut at these places (taken modulo the length; empty pieces are left in). */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  let from = 0
  return ends.map((end) => {
    const piece = Buffer.from(bytes.subarray(from, end))
    from = end
    return piece
  })
}

/** Places to cut at: few, many, and one after the other. */
export const cuts = fc.oneof(
  fc.array(fc.nat(100_000), { maxLength: 6 }),
  fc.array(fc.nat(100_000), { maxLength: 120 }),
  fc.constant(Array.from({ length: 4_000 }, (_, index) => index)),
)
