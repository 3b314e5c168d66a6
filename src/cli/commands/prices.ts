import type { Command } from 'commander'
import { bareModel } from '../../usage/prices/bare-model.ts'
import { FREE_PROVIDER, LISTED_PROVIDERS } from '../../usage/prices/providers.ts'
import { type Admin, type Price, withAdmin } from '../client.ts'
import { CliError } from '../failure.ts'
import type { Io } from '../io.ts'
import { printJson, printRecord, printTable, say } from '../output.ts'
import { addRepriceCommand } from './reprice.ts'
import { addPlaceOptions, exampleText, type OutputOptions } from './shared.ts'

type FilterOptions = OutputOptions & { provider?: string; model?: string }

export function addPriceCommands(program: Command, io: Io): void {
  const prices = program.command('prices').description('prices: what models cost, and which have none')

  addPlaceOptions(prices.command('list').description('list prices, in US dollars per million tokens'))
    .option('--provider <name>', 'of this provider alone')
    .option('--model <name>', 'of this model alone; * stands for any characters')
    .addHelpText(
      'after',
      exampleText('llm-proxy prices list --provider openai', 'llm-proxy prices list --model gpt-4o*'),
    )
    .action((_options, command: Command) => listPrices(io, command.optsWithGlobals()))

  addPlaceOptions(
    prices.command('show <provider> <model>').description('show what requests for a model are charged by'),
  )
    .addHelpText('after', exampleText('llm-proxy prices show openai gpt-4o'))
    .action((provider: string, model: string, _options, command: Command) =>
      showPrice(io, provider, model, command.optsWithGlobals()),
    )

  addPlaceOptions(
    prices
      .command('check [models...]')
      .description('say which models have no price: these, or those of the last 30 days; exit 1 when there are some'),
  )
    .addHelpText(
      'after',
      exampleText('llm-proxy prices check', 'llm-proxy prices check gpt-4o mistral:mistral-large-latest'),
    )
    .action((models: string[], _options, command: Command) => checkPrices(io, models, command.optsWithGlobals()))

  addRepriceCommand(prices, io)
}

async function listPrices(io: Io, { provider, model, ...options }: FilterOptions): Promise<void> {
  const filter = { ...(provider !== undefined && { provider }), ...(model !== undefined && { model }) }
  const data = await withAdmin(io, options, (admin) => admin.listPrices(filter))
  if (options.json) return printJson(io, { data })
  if (data.length === 0) return say(io, 'No prices. Your own can be set in llm-proxy.yaml, under prices.models.')
  printTable(
    io,
    ['PROVIDER', 'MODEL', 'INPUT', 'CACHED', 'CACHE WRITE', 'OUTPUT', 'ALSO', 'SOURCE'],
    data.map((price) => [
      price.provider,
      price.model,
      price.input,
      price.cached_input,
      price.cache_write,
      price.output,
      alsoText(price),
      price.source,
    ]),
  )
}

async function showPrice(io: Io, provider: string, model: string, options: OutputOptions): Promise<void> {
  const price = await withAdmin(io, options, (admin) => onePrice(admin, provider, model))
  if (price === null) throw new CliError(`No price is known for ${model} of ${provider}: set one under prices.models.`)
  if (options.json) return printJson(io, price)
  const perMillion = (usd: string | null) => usd && `${usd} USD per million`
  printRecord(io, [
    ['provider', price.provider],
    ['model', price.model],
    ['source', price.source],
    ['input tokens', perMillion(price.input)],
    ['output tokens', perMillion(price.output)],
    ...RARE.flatMap(([field, text]): [string, string][] =>
      price[field] === null ? [] : [[text, `${price[field]} USD per million`]],
    ),
    ...OTHER.flatMap(([field, name, each]): [string, string][] =>
      price[field] === null ? [] : [[name, `${price[field]} USD ${each}`]],
    ),
    ...price.tiers.map((tier): [string, string] => [
      `above ${tier.above_input_tokens} input tokens`,
      `input ${tier.input ?? '–'}, output ${tier.output ?? '–'} USD per million`,
    ]),
    ['1,000 in + 1,000 out', exampleCost(price)],
  ])
}

async function checkPrices(io: Io, named: string[], options: OutputOptions): Promise<void> {
  const { checked, unpriced } = await withAdmin(io, options, (admin) =>
    named.length > 0 ? checkNamed(admin, named) : checkUsed(admin, io.now() - DAYS * DAY_MS),
  )
  if (options.json) printJson(io, { checked, unpriced })
  else if (checked === 0) say(io, `No model was used in the last ${DAYS} days.`)
  else if (unpriced.length === 0) say(io, `All ${checked} models have a price.`)
  else for (const model of unpriced) say(io, model)
  if (unpriced.length === 0) return
  throw new CliError(`${unpriced.length} of ${checked} models have no price: set one under prices.models.`)
}

const DAY_MS = 86_400_000
const DAYS = 30

type Checked = { checked: number; unpriced: string[] }

async function checkNamed(admin: Admin, models: string[]): Promise<Checked> {
  const unpriced: string[] = []
  for (const model of models) if (!(await isPriced(admin, model))) unpriced.push(model)
  return { checked: models.length, unpriced }
}

/** What cost null and would still do so. A price that was set since is one. */
async function checkUsed(admin: Admin, from: number): Promise<Checked> {
  const used = new Map<string, boolean>()
  for (const { keys, unpriced_requests } of await admin.usage({ groupBy: ['provider', 'model'], from })) {
    const { provider, model } = keys
    if (!provider || !model) continue
    const name = bareModel(provider, model)
    const isUnpriced = unpriced_requests > 0 && (await onePrice(admin, provider, name)) === null
    used.set(`${provider}:${name}`, isUnpriced || used.get(`${provider}:${name}`) === true)
  }
  return { checked: used.size, unpriced: [...used].flatMap(([name, isUnpriced]) => (isUnpriced ? name : [])) }
}

/** `gpt-4o` has a price when any provider's list has it, `mistral:mistral-small-latest` when that provider's has. */
async function isPriced(admin: Admin, model: string): Promise<boolean> {
  const [, prefix = '', separator, name = ''] = /^([^:/]+)([:/])(.+)$/s.exec(model) ?? []
  if (prefix !== '' && (await onePrice(admin, prefix, name)) !== null) return true
  if (separator === ':' && [...LISTED_PROVIDERS, FREE_PROVIDER].includes(prefix)) return false
  const found = await admin.listPrices({ model: withoutStars(model) })
  // The free provider's price says nothing of another's model of that name.
  return found.some(({ provider }) => provider !== FREE_PROVIDER) || model === FREE_PROVIDER
}

async function onePrice(admin: Admin, provider: string, model: string): Promise<Price | null> {
  return (await admin.listPrices({ provider, model: withoutStars(model) }))[0] ?? null
}

/** Here a name is a name, and no model is called with a star. */
const withoutStars = (model: string) => model.replaceAll('*', '') || '-'

const RARE = [
  ['cached_input', 'cached input'],
  ['cache_write', 'cache writes'],
  ['cache_write_1h', 'cache writes (1 h)'],
  ['input_audio', 'audio in'],
  ['cached_audio', 'audio cached'],
  ['output_audio', 'audio out'],
  ['input_image', 'images in'],
  ['cached_image', 'images cached'],
  ['output_image', 'images out'],
  ['reasoning', 'reasoning'],
] as const satisfies readonly (readonly [keyof Price, string])[]

const OTHER = [
  ['audio_hour', 'audio', 'an hour'],
  ['web_searches', 'web searches', 'a thousand'],
  ['storage_searches', 'file searches', 'a thousand'],
  ['request', 'requests', 'each'],
] as const satisfies readonly (readonly [keyof Price, string, string])[]

/** What the four columns before it leave out. */
function alsoText(price: Price): string | null {
  const names = [...RARE.slice(2), ...OTHER].flatMap(([field, text]) => (price[field] === null ? [] : text))
  return [...names, ...(price.tiers.length > 0 ? ['tiers'] : [])].join(', ') || null
}

/** Rounded to nano-dollars, as the ledger has it. */
function exampleCost({ input, output, request }: Price): string {
  const usd = (Number(input ?? 0) + Number(output ?? 0)) / 1000 + Number(request ?? 0)
  return `${usd.toFixed(9).replace(/\.?0+$/, '')} USD`
}
