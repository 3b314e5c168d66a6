import { type Command, InvalidArgumentError, Option } from 'commander'
import { usageError } from './failure.ts'
import { type Io, readSecret } from './io.ts'

/* The options that stand for the wire's fields. */

/** `none` (for times `never` too) says null: no limit, or everything. Commander would turn a null into ''. */
type OrNone<T> = T | 'none'

export type LimitOptions = {
  models?: OrNone<string[]>
  rpm?: OrNone<number>
  tpm?: OrNone<number>
  concurrent?: OrNone<number>
  budget?: OrNone<BudgetField[]>
  metadata?: string[]
}

export type BudgetField = { period: string; limit_usd?: string; limit_tokens?: number }

export type TokenOptions = LimitOptions & {
  name?: string
  maxRequests?: OrNone<number>
  endpoints?: OrNone<string[]>
  ips?: OrNone<string[]>
  expires?: OrNone<string>
  duration?: OrNone<number>
}

export type SwitchOptions = { active?: boolean; inactive?: boolean }

export const addLimitOptions = (command: Command) =>
  command
    .option('--models <globs>', 'models that may be used, as gpt-4o,claude-*; none: all', list)
    .option('--rpm <n>', 'requests per minute; none: no limit', numberOrNone)
    .option('--tpm <n>', 'tokens of models per minute; none: no limit', numberOrNone)
    .option('--concurrent <n>', 'requests at a time; none: no limit', numberOrNone)
    .option(
      '--budget <period=limit>',
      'what may be spent, as day=5, month=100 (dollars) or day=50000tokens; may be repeated; none: no budget',
      budget,
    )
    .option('--metadata <key=value...>', 'notes of your own, replaced as a whole (or one JSON object); none: empty')

export const addTokenOptions = (command: Command) =>
  addLimitOptions(command.option('--name <text>', 'what it is for'))
    .option('--max-requests <n>', 'requests over its whole life; none: no limit', numberOrNone)
    .option('--endpoints <globs>', 'paths that may be used, as /v1/chat/*; none: all', list)
    .option('--ips <ranges>', 'addresses it may be used from, as 10.0.0.0/8,::1; none: all', list)
    .addOption(
      new Option('--expires <time>', 'when it ends, as 2027-01-01T00:00:00Z; never')
        .argParser(time)
        .conflicts('duration'),
    )
    .addOption(
      new Option('--duration <time>', 'how long it lasts from now on, as 90m, 24h, 30d; never').argParser(minutes),
    )

export const addSwitchOptions = (command: Command, what: string) =>
  command
    .addOption(new Option('--active', `switch ${what} on`).conflicts('inactive'))
    .addOption(new Option('--inactive', `switch ${what} off`))

/** The wire's fields for what was said; what was not said is left out. */
export function limitFields({ models, rpm, tpm, concurrent, budget, metadata }: LimitOptions) {
  const limits = given({ requests_per_minute: rpm, tokens_per_minute: tpm, concurrent_requests: concurrent })
  return given({
    allowed_models: models,
    rate_limit: Object.keys(limits).length > 0 ? limits : undefined,
    budgets: budget,
    metadata: metadata && parseMetadata(metadata),
  })
}

export function tokenFields(options: TokenOptions) {
  const { name, maxRequests, endpoints, ips, expires, duration } = options
  const fields = given({
    max_requests: maxRequests,
    allowed_endpoints: endpoints,
    allowed_ips: ips,
    // Never, said either way.
    expires_at: duration === 'none' ? 'none' : expires,
    duration_minutes: duration === 'none' ? undefined : duration,
  })
  return { ...(name !== undefined && { name }), ...limitFields(options), ...fields }
}

export function switchFields({ active, inactive }: SwitchOptions) {
  return given({ is_active: active ? true : inactive ? false : undefined })
}

/** Throws `CliError` when nothing is to be changed. */
export function requireChanges<T extends object>(fields: T): T {
  if (Object.keys(fields).length > 0) return fields
  throw usageError('Say what to change: --help lists the options.')
}

/** `openai=sk-…`, or `openai=-` for a key from stdin. The text is never quoted in an error. Throws `CliError`. */
export async function parseProviderKeys(io: Io, texts: string[]): Promise<{ provider: string; key: string }[]> {
  const pairs = texts.map((text) => {
    const [, provider, key] = /^([a-z][a-z0-9_-]*)=(.+)$/is.exec(text) ?? []
    if (!provider || !key)
      throw usageError('A provider key is written <provider>=<key>, or <provider>=- to read it from stdin.')
    return { provider: provider.toLowerCase(), key }
  })
  if (pairs.filter(({ key }) => key === '-').length > 1) throw usageError('Only one provider key can come from stdin.')
  const keys = []
  for (const { provider, key } of pairs) {
    keys.push({ provider, key: key === '-' ? await readSecret(io, `Key of ${provider}`) : key })
  }
  return keys
}

export function positive(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return Number(text)
}

const numberOrNone = (text: string): OrNone<number> => (text === 'none' ? text : positive(text))

function list(text: string, before: OrNone<string[]> = []): OrNone<string[]> {
  if (text === 'none') return text
  const entries = text.split(',').map((entry) => entry.trim())
  if (entries.includes('')) throw new InvalidArgumentError('It must be a list such as a,b,c (or none).')
  return [...(before === 'none' ? [] : before), ...entries]
}

function budget(text: string, before: OrNone<BudgetField[]> = []): OrNone<BudgetField[]> {
  if (text === 'none') return text
  const [, period, amount, unit] = /^(day|week|month|total)=\$?(\d+(?:\.\d+)?) ?(tokens)?$/.exec(text) ?? []
  if (!period || !amount)
    throw new InvalidArgumentError(
      'It must be a period and its limit: day=5, week=20, month=100.50, total=50000tokens (or none).',
    )
  const limit = unit ? { limit_tokens: Number(amount) } : { limit_usd: amount }
  return [...(before === 'none' ? [] : before), { period, ...limit }]
}

function time(text: string): OrNone<string> {
  if (text === 'never' || text === 'none') return 'none'
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text
}

const MINUTES: Record<string, number> = { m: 1, h: 60, d: 1440, w: 10_080 }

function minutes(text: string): OrNone<number> {
  if (text === 'never' || text === 'none') return 'none'
  const [, count, unit] = /^([1-9]\d{0,8})([mhdw])$/.exec(text) ?? []
  if (!count || !unit) throw new InvalidArgumentError('It must be a time such as 90m, 24h, 30d or 4w (or never).')
  return Number(count) * MINUTES[unit]!
}

function parseMetadata(entries: string[]): OrNone<Record<string, unknown>> {
  const [first = ''] = entries
  if (entries.length === 1 && first === 'none') return first
  if (entries.length === 1 && first.startsWith('{')) return parseJsonObject(first)
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      if (at < 1) throw usageError('--metadata takes key=value, one or more; other arguments go before it.')
      return [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw usageError('--metadata is not valid JSON.')
  }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], 'none' | undefined> | null }

function given<T extends Record<string, unknown>>(fields: T): Given<T> {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said.map(([name, value]) => [name, value === 'none' ? null : value])) as Given<T>
}
