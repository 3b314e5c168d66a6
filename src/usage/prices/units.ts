import type { Usage, UsageUnit } from '../../store/store.ts'

export type PriceUnit =
  | 'cached_audio'
  | 'cached_image'
  | 'cache_write_1h'
  | 'cached_input'
  | 'cache_write'
  | 'input_audio'
  | 'input_image'
  | 'output_audio'
  | 'output_image'
  | 'reasoning'
  | 'input'
  | 'output'
  | 'audio_second'
  | 'web_search'
  | 'storage_search'
  | 'code_execution'
  | 'image_generation'
  | 'request'

export type Unit = {
  name: PriceUnit
  /** The fields of a `model_price` in genai-prices, the preferred one first. */
  listedAs: readonly string[]
  /** Femto-dollars for one of the unit, where the list price is one US dollar. */
  femtoPerListUsd: number
  /** Which of the two token counts it is a part of. */
  side: 'input' | 'output' | null
  /** What it is a part of. Without a price of its own it costs what the whole costs. */
  wholes: readonly PriceUnit[]
  /** How many of them a request used, parts included. */
  count(usage: Usage): number
}

/** 10^15 femto-dollars for a million, a thousand, an hour of seconds. Source: "Pricing fields" in the README of genai-prices. */
const MTOK = 1e9
const KCOUNT = 1e12
const HOURS = 1e15 / 3600

/** All units that a usage may tell of, the parts before their wholes. */
export const UNITS: readonly Unit[] = [
  tokens('cached_audio', 'cache_audio_read_mtok', 'input', ['cached_input', 'input_audio', 'input'], (usage) =>
    detail(usage, 'cache_audio_read_tokens'),
  ),
  tokens('cached_image', 'cache_image_read_mtok', 'input', ['cached_input', 'input_image', 'input'], (usage) =>
    detail(usage, 'cache_image_read_tokens'),
  ),
  tokens('cache_write_1h', 'cache_write_1h_mtok', 'input', ['cache_write', 'input'], (usage) =>
    Math.min(detail(usage, 'cache_write_1h_tokens'), usage.cacheWriteTokens),
  ),
  tokens('cached_input', 'cache_read_mtok', 'input', ['input'], ({ cachedTokens }) => cachedTokens),
  tokens('cache_write', 'cache_write_mtok', 'input', ['input'], ({ cacheWriteTokens }) => cacheWriteTokens),
  tokens('input_audio', 'input_audio_mtok', 'input', ['input'], (usage) => detail(usage, 'input_audio_tokens')),
  tokens('input_image', 'input_image_mtok', 'input', ['input'], (usage) => detail(usage, 'input_image_tokens')),
  tokens('output_audio', 'output_audio_mtok', 'output', ['output'], (usage) => detail(usage, 'output_audio_tokens')),
  tokens('output_image', 'output_image_mtok', 'output', ['output'], (usage) => detail(usage, 'output_image_tokens')),
  tokens('reasoning', 'output_reasoning_mtok', 'output', ['output'], ({ reasoningTokens }) => reasoningTokens),
  tokens('input', 'input_mtok', 'input', [], ({ inputTokens }) => inputTokens),
  tokens('output', 'output_mtok', 'output', [], ({ outputTokens }) => outputTokens),
  {
    name: 'audio_second',
    listedAs: ['input_audio_hours', 'audio_hours'],
    femtoPerListUsd: HOURS,
    side: null,
    wholes: [],
    count: (usage) => detail(usage, 'input_audio_seconds'),
  },
  calls('web_search', ['web_searches_kcount'], 'web_searches'),
  calls('storage_search', ['storage_searches_kcount'], 'storage_searches'),
  calls('code_execution', ['code_executions_kcount'], 'code_executions'),
  // The list has no price for a picture; its tokens are those of another model, and not among the answer's.
  calls('image_generation', [], 'image_generations'),
  { name: 'request', listedAs: ['requests_kcount'], femtoPerListUsd: KCOUNT, side: null, wholes: [], count: () => 1 },
]

function tokens(
  name: PriceUnit,
  listedAs: string,
  side: 'input' | 'output',
  wholes: readonly PriceUnit[],
  count: Unit['count'],
): Unit {
  return { name, listedAs: [listedAs], femtoPerListUsd: MTOK, side, wholes, count }
}

function calls(name: PriceUnit, listedAs: readonly string[], counted: UsageUnit): Unit {
  return { name, listedAs, femtoPerListUsd: KCOUNT, side: null, wholes: [], count: (usage) => detail(usage, counted) }
}

const detail = ({ details }: Usage, name: keyof NonNullable<Usage['details']>): number => details?.[name] ?? 0
