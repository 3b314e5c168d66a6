import type { LedgerRow } from '../../store.ts'
import type { Bound } from './columns.ts'
import type { FoundForm } from './forms.ts'
import type { FoundSeries } from './series.ts'

/** What `bindRow` adds, in its order. The hot path of the gateway, hence without Drizzle. */
export const COLUMNS = [
  'at',
  'series',
  'form',
  'counts',
  'latency_ms',
  'first_token_ms',
  'cost_nano_usd',
  'reserved_nano_usd',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'request_bytes',
  'response_bytes',
  'request_id',
  'attempt_ms',
  'own',
]

export function bindRow(row: LedgerRow, series: FoundSeries, form: FoundForm, counts: number, values: Bound[]): void {
  const { usage } = row
  values.push(
    row.at,
    series.id,
    form.id,
    counts,
    row.latencyMs,
    row.firstTokenMs,
    row.costNanoUsd,
    row.reservedNanoUsd,
    usage.inputTokens,
    usage.outputTokens,
    usage.cachedTokens,
    usage.cacheWriteTokens,
    usage.reasoningTokens,
    row.requestBytes,
    row.responseBytes,
    row.requestId,
    form.isWhole ? timesOf(row) : null,
    ownOf(row, series, form),
  )
}

/** How long each attempt took: nothing, a number, or a list of them. */
export function timesOf({ attempts }: Pick<LedgerRow, 'attempts'>): Bound {
  if (attempts.length > 1) return JSON.stringify(attempts.map(({ durationMs }) => durationMs))
  return attempts[0]?.durationMs ?? null
}

/** What the row has to say itself, because neither its series nor its form holds it. */
export function ownOf(row: LedgerRow, series: Pick<FoundSeries, 'isWhole'>, form: FoundForm): string | null {
  const { details } = row.usage
  if (series.isWhole && form.isWhole && details === null) return null
  const { model, endpoint, servedModel: served_model, changes, attempts } = row
  return JSON.stringify({
    ...(details && { details }),
    ...(!series.isWhole && { model, endpoint }),
    ...(!form.isWhole && { served_model, changes, attempts }),
  })
}
