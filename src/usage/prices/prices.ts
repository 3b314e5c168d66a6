import { LRUCache } from 'lru-cache'
import type { PriceConfig } from '../../config/config.ts'
import { matchesGlob } from '../../domain/globs.ts'
import type { Usage } from '../../store/store.ts'
import { type Charge, chargesOf, costOf, highestOf } from './cost.ts'
import { contextWindowOf, isInList, listedModels, listName, listPriceOf, loadListPrices } from './list-prices.ts'
import { FREE_PROVIDER, LISTED_PROVIDERS, listedAs } from './providers.ts'
import { type Rates, ratesOfOverride } from './rates.ts'
import { UNITS, type Unit } from './units.ts'

export type { Rate, Rates } from './rates.ts'

/** `source`: `genai-prices 0.1.8`, `genai-prices 0.1.8, 10 % off`, `config`, `free`; with what has no price: `…, without code_execution`. */
export type Priced = { costNanoUsd: bigint; source: string }

export type PriceEntry = { provider: string; model: string; rates: Rates; source: string }

export type PriceFilter = {
  provider?: string
  /** A name as requests say it, or a glob (`gpt-4o*`) over the names in the list. */
  model?: string
  at: number
}

/** All times are milliseconds since the epoch: prices may change with the day and with the time of day. */
export type Prices = {
  /** The cost of a request, null when no price is known. `served`: the model as the provider answered, tried first; `asked`: as it was asked. */
  price(provider: string, served: string | null, asked: string | null, usage: Usage, at: number): Priced | null
  /**
   * The highest cost in nano-dollars that so many input and output tokens may have: no cache discount is counted on, surcharges for
   * cache writes, audio, pictures and long prompts are counted. Seconds of audio and searches are not in it. Null: no price is known.
   */
  highest(provider: string, model: string | null, inputTokens: number, outputTokens: number, at: number): bigint | null
  /** Configured prices first, in their order, then listed ones. */
  list(filter: PriceFilter): PriceEntry[]
  /** What requests for this model are charged by, null when no price is known. */
  show(provider: string, model: string, at: number): PriceEntry | null
  /** Whether the list (not the configuration) has the model for the provider; null: it has none of this provider's. */
  isListed(provider: string, model: string): boolean | null
  /** The longest prompt in tokens that the model takes, as the list has it; null where it does not say. */
  contextWindow(provider: string, model: string): number | null
  /** Loads the list of prices, so that no request has to wait for it. */
  warm(): void
  config(): PriceConfig
  /** From now on these are the configured prices. */
  replace(config: PriceConfig): void
}

/** Prices from the configuration, then from the list that comes with the package genai-prices. Nothing is asked over the network. */
export function createPrices(initial: PriceConfig): Prices {
  let config = initial
  let overrides = readyOverrides(config)
  const free = ready({}, 'free')
  const cache = new LRUCache<string, Kept>({ max: MAX_MODELS })
  const listed = new LRUCache<string, boolean>({ max: MAX_LISTED })

  function priceOf(provider: string, served: string | null, asked: string | null, at: number): Ready | null {
    const minute = Math.floor(at / MINUTE_MS)
    const key = `${provider}\n${served ?? ''}\n${asked ?? ''}`
    const kept = cache.get(key)
    if (kept !== undefined && (kept.minute === null || kept.minute === minute)) return kept.price
    const found = find(provider, short(served), short(asked), at)
    if (key.length <= 3 * MAX_NAME) cache.set(key, { price: found.price, minute: found.lasts ? null : minute })
    return found.price
  }

  function find(provider: string, served: string | null, asked: string | null, at: number): Found {
    const override = overrides.find(
      (one) =>
        one.provider === provider && (matchesGlob([one.model], served ?? '') || matchesGlob([one.model], asked ?? '')),
    )
    if (override) return { price: override, lasts: true }
    if (provider === FREE_PROVIDER) return { price: free, lasts: true }
    const percentOff = config.discounts[provider] ?? 0
    for (const name of [served, asked]) {
      const listed = name === null ? null : listPriceOf(provider, name, at, percentOff)
      if (listed !== null) return { price: ready(listed.rates, sourceOf(percentOff)), lasts: listed.lasts }
    }
    return { price: null, lasts: true }
  }

  function show(provider: string, model: string, at: number): PriceEntry | null {
    const found = priceOf(provider, null, model, at)
    return found && { provider, model, rates: found.rates, source: found.source }
  }

  const providers = () => [...new Set([...overrides.map(({ provider }) => provider), ...LISTED_PROVIDERS])]

  return {
    price(provider, served, asked, usage, at) {
      const found = priceOf(provider, served, asked, at)
      const costNanoUsd = found && costOf(found.charges, usage)
      return costNanoUsd === null ? null : { costNanoUsd, source: found!.source + without(found!, usage) }
    },
    highest(provider, model, inputTokens, outputTokens, at) {
      const found = priceOf(provider, null, model, at)
      return found && highestOf(found.charges, inputTokens, outputTokens)
    },
    list({ provider, model, at }) {
      const asked = provider === undefined ? [...providers(), FREE_PROVIDER] : [provider]
      if (model !== undefined && !model.includes('*')) return asked.flatMap((name) => show(name, model, at) ?? [])
      const isMeant = (entry: { model: string }) => model === undefined || matchesGlob([model], entry.model)
      return [
        ...overrides.filter((one) => asked.includes(one.provider)),
        ...asked.filter(listedAs).flatMap((name) => {
          const percentOff = config.discounts[name] ?? 0
          const source = sourceOf(percentOff)
          return listedModels(name, at, percentOff).map((entry) => ({ provider: name, ...entry, source }))
        }),
      ]
        .filter(isMeant)
        .map(({ provider, model, rates, source }) => ({ provider, model, rates, source }))
    },
    show,
    isListed(provider, model) {
      if (listedAs(provider) === null) return null
      if (model.length > MAX_NAME) return false
      const key = `${provider}\n${model}`
      const known = listed.get(key)
      if (known !== undefined) return known
      const found = isInList(provider, model)
      listed.set(key, found)
      return found
    },
    contextWindow: (provider, model) => (model.length > MAX_NAME ? null : contextWindowOf(provider, model)),
    warm: loadListPrices,
    config: () => config,
    replace(next) {
      config = next
      overrides = readyOverrides(next)
      cache.clear()
    },
  }
}

const readyOverrides = ({ models }: PriceConfig) =>
  models.map((override) => ({ ...override, ...ready(ratesOfOverride(override), 'config') }))

/** `apart`: what is charged by itself, if it is used, and has no rate here. */
type Ready = { rates: Rates; charges: readonly Charge[]; source: string; apart: readonly Unit[] }
type Found = { price: Ready | null; lasts: boolean }
/** `minute`: the one for which it was looked up, since the epoch; null: the price does not depend on the time. */
type Kept = { price: Ready | null; minute: number | null }

const MINUTE_MS = 60_000
const MAX_MODELS = 2000
/** A name is looked for at every provider. */
const MAX_LISTED = 10_000
/** No model is called so; callers choose names, and a list of patterns is tried on each. */
const MAX_NAME = 200

const CALLS = UNITS.filter(({ name, side }) => side === null && name !== 'request')

const ready = (rates: Rates, source: string): Ready => ({
  rates,
  charges: chargesOf(rates),
  source,
  // Without any rate it is free altogether.
  apart: Object.keys(rates).length === 0 ? [] : CALLS.filter(({ name }) => rates[name] === undefined),
})

/** What a cost leaves out is said with it. */
function without({ apart }: Ready, usage: Usage): string {
  if (usage.details === null) return ''
  const missing = apart.filter(({ count }) => count(usage) > 0)
  return missing.length === 0 ? '' : `, without ${missing.map(({ name }) => name).join(' and ')}`
}

const short = (name: string | null) => (name === null || name.length > MAX_NAME ? null : name)
const sourceOf = (percentOff: number) => (percentOff === 0 ? listName() : `${listName()}, ${percentOff} % off`)
