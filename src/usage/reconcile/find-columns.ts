import {
  ANTHROPIC_CACHE_WRITE_PARTS,
  ANTHROPIC_CACHE_WRITES,
  ANTHROPIC_CACHED,
  CACHE_WRITES,
  CACHED,
  COST,
  CURRENCY,
  DAY,
  INPUT,
  LINE_ITEM,
  MODEL,
  OUTPUT,
  REQUESTS,
  UNCACHED_INPUT,
} from './csv-columns.ts'
import type { Kind, Measure } from './export.ts'

type Count = Exclude<Measure, 'costNanoUsd'>

/** Where each thing stands in a line; null: nowhere. */
export type Columns = {
  day: number | null
  model: number | null
  lineItem: number | null
  currency: number | null
  cost: number | null
  /** A count is the sum of these. */
  counts: Record<Count, number[]>
}

/** Finds out what the columns of a table are, by their names as `columnName` makes them. */
export function findColumns(names: readonly string[]): Columns {
  const all = (candidates: readonly string[]) => candidates.map((name) => names.indexOf(name)).filter((at) => at >= 0)
  const first = (...candidates: readonly string[][]) => all(candidates.flat()).slice(0, 1)
  const one = (candidates: readonly string[]) => first([...candidates])[0] ?? null

  const anthropicWrites = all(ANTHROPIC_CACHE_WRITES).slice(0, 1)
  const writesOfAnthropic = anthropicWrites.length > 0 ? anthropicWrites : all(ANTHROPIC_CACHE_WRITE_PARTS)
  const ownWrites = first(CACHE_WRITES)
  const writes = ownWrites.length > 0 ? ownWrites : writesOfAnthropic
  const cached = first(ANTHROPIC_CACHED, CACHED)
  const input = first(INPUT)
  const uncached = first(UNCACHED_INPUT)
  const hasAnthropicCache = all(ANTHROPIC_CACHED).length + writesOfAnthropic.length > 0
  // Other providers have the cache in `prompt_tokens`, and where both are told the whole is known anyway.
  const isAnthropicInput = hasAnthropicCache && uncached.length === 0 && names[input[0] ?? -1] === 'input_tokens'
  const withoutCache = input.length === 0 ? uncached : isAnthropicInput ? input : []
  return {
    day: one(DAY),
    model: one(MODEL),
    lineItem: one(LINE_ITEM),
    currency: one(CURRENCY),
    // Beside a price, an amount is a number of things and not of dollars.
    cost: one(names.includes('price') ? COST.filter((name) => name !== 'amount') : COST),
    counts: {
      requests: first(REQUESTS),
      inputTokens: withoutCache.length > 0 ? [...withoutCache, ...cached, ...writes] : input,
      cachedTokens: cached,
      cacheWriteTokens: writes,
      outputTokens: first(OUTPUT),
    },
  }
}

/**
 * Which of OpenAI's usage exports this is, by the columns that only one has (`num_model_requests` is in all of them); null: a table about
 * everything.
 */
export function kindsOf(names: readonly string[]): Set<Kind> | null {
  if (!names.includes('num_model_requests')) return null
  if (names.includes('output_tokens')) return new Set(['completions'])
  if (names.includes('images')) return new Set(['images'])
  if (names.includes('characters')) return new Set(['audio_speeches'])
  if (names.includes('seconds')) return new Set(['audio_transcriptions'])
  return new Set(['embeddings', 'moderations'])
}
