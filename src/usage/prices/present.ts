import type { PriceEntry } from './prices.ts'
import type { Rate, Rates } from './rates.ts'
import type { PriceUnit } from './units.ts'

/** Rates as people read them, in US dollars as decimal text; null: no price of its own. */
export type PresentedRates = Record<(typeof TOKEN_UNITS)[number], string | null>

/** The wire format of a price. Tokens by the million, audio by the hour, searches by the thousand, requests one by one. */
export function presentPrice({ provider, model, rates, source }: PriceEntry) {
  return {
    provider,
    model,
    source,
    ...tokenRates(rates, ({ base }) => base),
    audio_hour: rates.audio_second ? decimal(rates.audio_second.base * 3600, FEMTO) : null,
    web_searches: rates.web_search ? decimal(rates.web_search.base * 1000, FEMTO) : null,
    storage_searches: rates.storage_search ? decimal(rates.storage_search.base * 1000, FEMTO) : null,
    request: rates.request ? decimal(rates.request.base, FEMTO) : null,
    tiers: tierStarts(rates).map((above) => ({
      above_input_tokens: above,
      ...tokenRates(rates, ({ base, tiers }) => tiers.findLast((tier) => tier.above <= above)?.rate ?? base),
    })),
  }
}

export const TOKEN_UNITS = [
  'input',
  'output',
  'cached_input',
  'cache_write',
  'cache_write_1h',
  'input_audio',
  'cached_audio',
  'output_audio',
  'input_image',
  'cached_image',
  'output_image',
  'reasoning',
] as const satisfies readonly PriceUnit[]

const FEMTO = 1e15
/** Femto-dollars a token for one US dollar per million tokens. */
const FEMTO_PER_MTOK = 1e9

function tokenRates(rates: Rates, pick: (rate: Rate) => number): PresentedRates {
  const entries = TOKEN_UNITS.map((unit) => {
    const rate = rates[unit]
    return [unit, rate === undefined ? null : decimal(pick(rate), FEMTO_PER_MTOK)]
  })
  return Object.fromEntries(entries) as PresentedRates
}

const tierStarts = (rates: Rates): number[] =>
  [...new Set(Object.values(rates).flatMap(({ tiers }) => tiers.map(({ above }) => above)))].sort((a, b) => a - b)

/** Nine digits behind the point and no zeros at the end: `2.5`, `0.111`, `0.083333333`. */
const decimal = (amount: number, unit: number): string =>
  (amount / unit).toFixed(9).replace(/0+$/, '').replace(/\.$/, '')
