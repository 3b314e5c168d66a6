/*
 * What columns are called, in small letters with `_`; the first that is there counts. The names are those of the exports of OpenAI's and
 * Anthropic's consoles (as others have published them), of OpenAI's former usage API (`n_context_tokens_total` …), of the providers' own
 * `usage` objects, and of `/manage/usage` of this gateway.
 */

export const DAY = [
  'day',
  'date',
  'usage_date',
  'usage_date_utc',
  'start_time_iso',
  'starting_at',
  'start_time',
  'start_date',
  'timestamp',
  'created_at',
  'time',
]
export const MODEL = ['model', 'model_name', 'model_id', 'model_version', 'snapshot_id']
/** OpenAI's lines of a bill: a model and a kind of token. */
export const LINE_ITEM = ['line_item']
export const CURRENCY = ['currency', 'amount_currency', 'cost_currency']

export const REQUESTS = [
  'requests',
  'num_model_requests',
  'num_requests',
  'n_requests',
  'request_count',
  'total_requests',
  'api_requests',
  'api_calls',
  'calls',
]
/** As a whole, cached or not. */
export const INPUT = [
  'input_tokens',
  'prompt_tokens',
  'total_input_tokens',
  'total_prompt_tokens',
  'n_context_tokens_total',
  'context_tokens',
  'tokens_prompt',
]
/** Without what was read from a cache or written to one. */
export const UNCACHED_INPUT = [
  'usage_input_tokens_no_cache',
  'uncached_input_tokens',
  'input_uncached_tokens',
  'input_tokens_no_cache',
]
export const CACHED = [
  'cached_tokens',
  'cached_input_tokens',
  'input_cached_tokens',
  'cached_prompt_tokens',
  'cache_read_tokens',
  'n_cached_context_tokens_total',
  'prompt_cache_hit_tokens',
]
export const CACHE_WRITES = ['cache_write_tokens', 'input_cache_write_tokens']
export const OUTPUT = [
  'output_tokens',
  'completion_tokens',
  'usage_output_tokens',
  'total_output_tokens',
  'total_completion_tokens',
  'n_generated_tokens_total',
  'generated_tokens',
  'tokens_completion',
]
export const COST = [
  'cost_usd',
  'cost',
  'total_cost_usd',
  'total_cost',
  'cost_in_usd',
  'costs',
  'amount_usd',
  'amount_value',
  'amount',
  'spend_usd',
  'spend',
]

/* Anthropic's own names. Beside one of these, `input_tokens` is what was neither read from a cache nor written to one. */
export const ANTHROPIC_CACHED = ['usage_input_tokens_cache_read', 'cache_read_input_tokens']
export const ANTHROPIC_CACHE_WRITES = ['cache_creation_input_tokens', 'usage_input_tokens_cache_write']
/** The same in parts: for five minutes, for an hour. */
export const ANTHROPIC_CACHE_WRITE_PARTS = [
  'usage_input_tokens_cache_write_5m',
  'usage_input_tokens_cache_write_1h',
  'cache_creation_5m_input_tokens',
  'cache_creation_1h_input_tokens',
  'ephemeral_5m_input_tokens',
  'ephemeral_1h_input_tokens',
]

/** `Usage Date (UTC)` → `usage_date_utc`, `inputTokens` → `input_tokens`. */
export const columnName = (title: string): string =>
  title
    .trim()
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_')
    .replace(/^_+|_+$/g, '')
