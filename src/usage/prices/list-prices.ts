import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { MatchLogic, ModelInfo, Provider } from '@pydantic/genai-prices'
import { listedAs } from './providers.ts'
import { type Rates, ratesOfListed } from './rates.ts'

/** Where the list comes from: `genai-prices 0.1.8`. */
export const listName = (): string => list().name

/** What a listed model costs. `lasts`: it does not depend on the time. */
export type ListPrice = { rates: Rates; lasts: boolean }

/** The list price of a model by the name that a request or an answer says. Null: it is not listed. */
export function listPriceOf(provider: string, model: string, at: number, percentOff: number): ListPrice | null {
  const providerId = listedAs(provider)
  // Gemini's own lists say `models/gemini-…`, requests may say either.
  const name = providerId === 'google' ? model.replace(/^models\//, '') : model
  return providerId === null ? null : look(name, { providerId, timestamp: new Date(at) }, percentOff)
}

/** Whether the model stands in the list for the provider itself: Google and Microsoft resell models that their own APIs do not have. */
export function isInList(provider: string, model: string): boolean {
  const providerId = listedAs(provider)
  const listed = providerId === null ? undefined : list().findProvider({ providerId })
  return listed !== undefined && ask(model, { provider: { ...listed, fallback_model_providers: [] } }) !== null
}

/** Tokens; null where the list does not say. */
export function contextWindowOf(provider: string, model: string): number | null {
  const providerId = listedAs(provider)
  return (providerId === null ? null : ask(model, { providerId })?.model.context_window) ?? null
}

/** Every model that stands in the list for a provider, by a name that finds it again. */
export function listedModels(provider: string, at: number, percentOff: number): { model: string; rates: Rates }[] {
  const providerId = listedAs(provider)
  const listed = providerId === null ? undefined : list().findProvider({ providerId })
  return (listed?.models ?? []).flatMap((info) => {
    const model = nameOf(info)
    const found = look(model, { provider: alone(listed!, info, model), timestamp: new Date(at) }, percentOff)
    return found === null ? [] : [{ model, rates: found.rates }]
  })
}

/** Loads the list, which takes tens of milliseconds once. */
export const loadListPrices = (): void => void list()

type Package = typeof import('@pydantic/genai-prices')
type Options = NonNullable<Parameters<Package['calcPrice']>[2]>
type List = Pick<Package, 'calcPrice' | 'findProvider'> & { name: string }

let loaded: List | null = null

/** Not imported above, because it is half a megabyte: a start does not wait for it, and a command without prices does without. */
function list(): List {
  loaded ??= load()
  return loaded
}

function load(): List {
  const require = createRequire(import.meta.url)
  const { calcPrice, findProvider } = require('@pydantic/genai-prices') as Package
  const folder = dirname(require.resolve('@pydantic/genai-prices'))
  const { version } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')) as { version: string }
  return { calcPrice, findProvider, name: `genai-prices ${version}` }
}

/** Groq's least charge for these, which the package keeps in its code and not in its list. */
const AT_LEAST_TEN_SECONDS = new Set(['whisper-large-v3', 'whisper-large-v3-turbo'])

function look(name: string, options: Options, percentOff: number): ListPrice | null {
  const found = ask(name, options)
  if (found === null) return null
  const rates = ratesOfListed(found.model_price, percentOff)
  if (rates === null) return null
  const lasts = !Array.isArray(found.model.prices)
  const { audio_second } = rates
  if (audio_second === undefined || found.provider.id !== 'groq' || !AT_LEAST_TEN_SECONDS.has(found.model.id)) {
    return { rates, lasts }
  }
  return { rates: { ...rates, audio_second: { ...audio_second, minimum: 10 } }, lasts }
}

/** It throws at prices that contradict each other; such a model has none. */
function ask(name: string, options: Options) {
  try {
    return list().calcPrice({}, name, options)
  } catch {
    return null
  }
}

/** A provider of one model: some ids of the list are no names that the list itself would find, or find another model first. */
const alone = (provider: Provider, info: ModelInfo, name: string): Provider => ({
  ...provider,
  fallback_model_providers: [],
  models: [{ ...info, match: { equals: name } }],
})

/** Fireworks' ids are short forms: there the name that requests say is the one it matches. */
function nameOf({ id, match }: ModelInfo): string {
  const names = exactNames(match)
  return names.length === 0 || names.includes(id) ? id : names[0]!
}

function exactNames(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals]
  return 'or' in match ? match.or.flatMap(exactNames) : []
}
