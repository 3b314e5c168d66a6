import type { PriceOverride } from '../../config/config.ts'
import { type PriceUnit, UNITS } from './units.ts'

/**
 * Femto-dollars (10^-15 USD) for one of a unit: a token, a second of audio, a search, a request. Integers. Not pico-dollars, since
 * some list prices are thirds of one (0.08333… USD per million tokens, 0.111 USD per hour).
 */
export type Rate = {
  base: number
  /** Ascending. A request with more input tokens than `above` (cached ones included) pays `rate` for all of the unit. */
  tiers: readonly { above: number; rate: number }[]
  /** What there is of the unit counts as this much at least. */
  minimum?: number
}

/** What has no rate costs what the whole costs of which it is a part; without such a whole it is not charged. Empty: free. */
export type Rates = Readonly<Partial<Record<PriceUnit, Rate>>>

/** `model_price` of genai-prices: US dollars by field, or `{ base, tiers: [{ start, price }] }`. */
type ListedRates = Readonly<Record<string, unknown>>

/**
 * The rates of a listed model, `percentOff` taken off. Null when it has prices and all are for what no usage tells of (pages), or
 * when they cannot be read.
 */
export function ratesOfListed(listed: ListedRates, percentOff = 0): Rates | null {
  const rates: Partial<Record<PriceUnit, Rate>> = {}
  for (const { name, listedAs, femtoPerListUsd } of UNITS) {
    const price = listedAs.map((field) => listed[field]).find((value) => value !== undefined)
    if (price === undefined) continue
    const toFemto = (usd: number) => Math.round((usd * femtoPerListUsd * (100 - percentOff)) / 100)
    const rate = readRate(price, toFemto)
    if (rate === null) return null
    rates[name] = rate
  }
  return Object.keys(rates).length === 0 && Object.keys(listed).length > 0 ? null : rates
}

/** The rates of an entry under `prices.models`. */
export function ratesOfOverride(override: PriceOverride): Rates {
  const { input, output, cachedInput, cacheWrite, request } = override
  const rates: Partial<Record<PriceUnit, Rate>> = {}
  const add = (unit: PriceUnit, usd: number | undefined, femtoPerUsd: number) => {
    if (usd !== undefined) rates[unit] = { base: Math.round(usd * femtoPerUsd), tiers: [] }
  }
  add('cached_input', cachedInput, FEMTO_PER_MTOK)
  add('cache_write', cacheWrite, FEMTO_PER_MTOK)
  add('input', input, FEMTO_PER_MTOK)
  add('output', output, FEMTO_PER_MTOK)
  add('request', request, FEMTO)
  return rates
}

const FEMTO = 1e15
const FEMTO_PER_MTOK = 1e9

function readRate(price: unknown, toFemto: (usd: number) => number): Rate | null {
  if (isPrice(price)) return { base: toFemto(price), tiers: [] }
  const { base, tiers } = Object(price) as { base?: unknown; tiers?: unknown }
  if (!isPrice(base) || !Array.isArray(tiers)) return null
  const read: { above: number; rate: number }[] = []
  for (const { start, price: usd } of tiers as { start: unknown; price: unknown }[]) {
    if (!isPrice(start) || !isPrice(usd)) return null
    read.push({ above: start, rate: toFemto(usd) })
  }
  return { base: toFemto(base), tiers: read.sort((a, b) => a.above - b.above) }
}

const isPrice = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
