import { count } from './read-gemini-usage.ts'

type Fields = Record<string, unknown>

const COUNTED = ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'] as const

/**
 * Anthropic's usage with what it took to summarize the conversation on the way: passes of the same model, which are paid like all
 * others and counted in `iterations` alone. Source: `BetaIterationsUsage` of @anthropic-ai/sdk 1.12; recorded answers.
 */
export function withCompactions(usage: Fields): Fields {
  if (!Array.isArray(usage.iterations)) return usage
  const passes = usage.iterations.filter((one): one is Fields => isRecord(one) && one.type === 'compaction')
  if (passes.length === 0) return usage
  const all = [usage, ...passes]
  const sums = COUNTED.map((name) => [name, sum(all.map((one) => one[name]))])
  const hour = sum(all.map((one) => isRecord(one.cache_creation) && one.cache_creation.ephemeral_1h_input_tokens))
  return { ...usage, ...Object.fromEntries(sums), cache_creation: { ephemeral_1h_input_tokens: hour } }
}

const sum = (values: unknown[]) => values.reduce((total: number, value) => total + (count(value) ?? 0), 0)

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
