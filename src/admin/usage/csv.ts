import { formatUsd } from '../../money.ts'
import type { UsageSums } from '../../store/store.ts'
import type { Csv } from '../frame/page.ts'
import type { Reads } from '../frame/reads.ts'
import type { Question } from './question.ts'
import { namesOf, toCell } from './report.ts'

/** The most expensive ones; the API gives all. */
const MAX_CSV_ROWS = 10_000

/** The report as a table: the key as the ledger has it, and for tokens and projects their names. */
export async function usageCsv(reads: Reads, { groups, filter }: Question): Promise<Csv> {
  const { rows } = await reads.usage({ groupBy: groups, filter, top: MAX_CSV_ROWS })
  const names = await namesOf(reads, groups, rows)
  const isNamed = (group: string) => group === 'token' || group === 'project'
  const columns = groups.flatMap((group) => (isNamed(group) ? [`${group}_id`, group] : [group]))
  return {
    name: `usage-by-${groups.join('-and-')}`,
    columns: [...columns, ...COUNTS.map(([name]) => name)],
    rows: rows.map((row) => [
      ...groups.flatMap((group, i) => {
        const key = row.keys[i] ?? null
        const { label, isKnown } = toCell(group, key, names)
        if (isNamed(group)) return [key, isKnown ? label : null]
        return [group.startsWith('metadata.') && key !== null ? label : key]
      }),
      ...COUNTS.map(([, read]) => read(row)),
    ]),
  }
}

const COUNTS: readonly [string, (sums: UsageSums) => string | number | null][] = [
  ['requests', ({ requests }) => requests],
  ['errors', ({ errors }) => errors],
  ['input_tokens', ({ inputTokens }) => inputTokens],
  ['cached_tokens', ({ cachedTokens }) => cachedTokens],
  ['cache_write_tokens', ({ cacheWriteTokens }) => cacheWriteTokens],
  ['output_tokens', ({ outputTokens }) => outputTokens],
  ['reasoning_tokens', ({ reasoningTokens }) => reasoningTokens],
  ['cost_usd', ({ costNanoUsd }) => formatUsd(costNanoUsd)],
  ['unpriced_requests', ({ unpricedRequests }) => unpricedRequests],
  ['unpriced_tokens', ({ unpricedTokens }) => unpricedTokens],
  ['estimated_requests', ({ estimatedRequests }) => estimatedRequests],
  ['p50_latency_ms', ({ latencyMs }) => latencyMs.p50],
  ['p95_latency_ms', ({ latencyMs }) => latencyMs.p95],
  ['p50_first_token_ms', ({ firstTokenMs }) => firstTokenMs.p50],
]
