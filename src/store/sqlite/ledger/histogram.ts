/** Counts by bucket. Bucket 0 holds all up to `firstMs`, each next one up to twice the bound before it, the last one all the rest. */
export type Histogram = number[]

export const LATENCY = { buckets: 20, firstMs: 1 } as const
export const FIRST_TOKEN = { buckets: 16, firstMs: 8 } as const
export type Scale = typeof LATENCY | typeof FIRST_TOKEN

export const emptyHistogram = ({ buckets }: Scale): Histogram => new Array<number>(buckets).fill(0)

export function observe(histogram: Histogram, { buckets, firstMs }: Scale, ms: number): void {
  const bucket = ms <= firstMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log2(ms / firstMs)))
  histogram[bucket] = (histogram[bucket] ?? 0) + 1
}

/** Enough for the longest text: twenty times two digits, a colon, sixteen digits and a space. */
const scratch = Buffer.alloc(512)

/** `3:12 4:8 `: bucket and count of those that are not empty. Texts of this form one behind the other are their sum. */
export function writeHistogram(histogram: Histogram): string {
  // Byte by byte, and one text at the end: adding up texts was a tenth of what it costs to write a row.
  let end = 0
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    const count = histogram[bucket]!
    if (count === 0) continue
    end = writeDigits(bucket, end)
    scratch[end++] = COLON
    end = writeDigits(count, end)
    scratch[end++] = SPACE
  }
  return scratch.toString('latin1', 0, end)
}

/** Where the next byte goes. */
function writeDigits(number: number, start: number): number {
  let length = 1
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) length++
  let rest = number
  for (let i = start + length - 1; i >= start; i--) {
    const next = Math.floor(rest / 10)
    scratch[i] = ZERO + rest - next * 10
    rest = next
  }
  return start + length
}

/** Adds what one text, or several behind each other, hold. */
export function addText(histogram: Histogram, text: string): void {
  let bucket = 0
  let number = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) {
      bucket = number
      number = 0
    } else if (code === SPACE) {
      histogram[bucket] = (histogram[bucket] ?? 0) + number
      number = 0
    } else {
      number = number * 10 + code - ZERO
    }
  }
}

const COLON = 58
const SPACE = 32
const ZERO = 48

/**
 * The value that the share `q` of all stays below, in milliseconds to a tenth, interpolated within its bucket; null when there are
 * none. `maxMs`, where known, is the end of the last bucket in use.
 */
export function percentile(histogram: Histogram, { firstMs }: Scale, q: number, maxMs: number | null): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let rest = q * total
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    const count = histogram[bucket] ?? 0
    if (count > 0 && rest <= count) {
      const low = bucket === 0 ? 0 : firstMs * 2 ** (bucket - 1)
      const high = firstMs * 2 ** bucket
      const value = low + (high - low) * (rest / count)
      return Math.round(Math.min(value, maxMs ?? Number.POSITIVE_INFINITY) * 10) / 10
    }
    rest -= count
  }
  return maxMs
}
