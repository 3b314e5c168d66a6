import { formatUsd } from '../../money.ts'

/*
 * How figures are written in the pages. Pure; what is unknown is a dash. Texts, not HTML: the templates escape them (but for
 * `time` in render.ts).
 */

export const UNKNOWN = '–'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

/** 1,234,567 */
export const number = (value: number | bigint | null | undefined): string =>
  value == null ? UNKNOWN : grouped.format(value)

/** 1.23M: where the whole figure is a hover away. */
export const compact = (value: number | bigint | null | undefined): string =>
  value == null ? UNKNOWN : Math.abs(Number(value)) < 10_000 ? grouped.format(value) : short.format(value)

/** Dollars to the cent from a dollar on, below with the digits that matter: $12.34, $0.0042. */
export function usd(nanoUsd: bigint | number | null | undefined): string {
  if (nanoUsd == null) return UNKNOWN
  const value = Number(nanoUsd) / 1e9
  if (value === 0) return '$0.00'
  const size = Math.abs(value)
  const digits = size >= 0.1 ? 2 : Math.min(9, 1 - Math.floor(Math.log10(size)))
  return `${value < 0 ? '-' : ''}$${dollars[digits]!.format(size)}`
}

/** By the digits behind the point. Making one takes longer than a hundred uses of it. */
const dollars = Array.from(
  { length: 10 },
  (_, digits) =>
    new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, digits) }),
)

/** To the last nano-dollar. */
export const exactUsd = (nanoUsd: bigint | null | undefined): string =>
  nanoUsd == null ? 'no price is known' : `$${formatUsd(nanoUsd)}`

/** 840 ms, 1.25 s, 3 min 20 s */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return UNKNOWN
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return withRest(minutes, 'min', Math.round((ms % 60_000) / 1000), 's')
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? withRest(hours, 'h', minutes % 60, 'min') : withRest(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const withRest = (big: number, unit: string, rest: number, restUnit: string) =>
  rest === 0 ? `${big} ${unit}` : `${big} ${unit} ${rest} ${restUnit}`

/** 1.5 KB, 20 MB */
export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10))
  const amount = value / 1024 ** power
  return `${amount >= 10 || power === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`
}

/** A share of one as 12.3 %. */
export function percent(share: number | null | undefined): string {
  if (share == null || !Number.isFinite(share)) return UNKNOWN
  const value = share * 100
  return `${value !== 0 && Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/** How much more than before, as +12 %; null where there was nothing before. */
export function change(
  now: number | bigint,
  before: number | bigint,
): { text: string; direction: 'up' | 'down' | 'same' } | null {
  const [current, previous] = [Number(now), Number(before)]
  if (previous === 0) return null
  const share = (current - previous) / previous
  const rounded = Math.round(share * 100)
  if (rounded === 0) return { text: '±0 %', direction: 'same' }
  const text =
    rounded > 999 ? `×${compact(Math.round((current / previous) * 10) / 10)}` : `${rounded > 0 ? '+' : ''}${rounded} %`
  return { text, direction: rounded > 0 ? 'up' : 'down' }
}

/** `1 token`, `3 tokens` */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${number(value)} ${value === 1 ? one : many}`

/** 2026-11-21 14:03:05 UTC */
export const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `in 3 h`, `2 min ago` */
export function relative(at: number, now: number): string {
  const distance = at - now
  const size = Math.abs(distance)
  if (size < 45_000) return 'just now'
  const [amount, unit] =
    size < 3_600_000
      ? [size / 60_000, 'min']
      : size < 2 * 86_400_000
        ? [size / 3_600_000, 'h']
        : size < 90 * 86_400_000
          ? [size / 86_400_000, 'd']
          : [size / (30 * 86_400_000), 'months']
  const text = `${Math.max(1, Math.round(amount))} ${unit}`
  return distance > 0 ? `in ${text}` : `${text} ago`
}
