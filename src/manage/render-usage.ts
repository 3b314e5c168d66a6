import { csvLine } from '../csv.ts'
import { presentUsage, presentUsageSums } from '../domain/present.ts'
import type { UsageGroup, UsageReport } from '../store/store.ts'
import type { Format } from './route.ts'
import type { Report } from './usage.ts'

export type RenderUsage = { groupBy: UsageGroup[]; format: Format }

/** The answer of `GET /manage/usage`. Runs where the ledger is read: hence nothing is imported here that takes long to load. */
export default function renderUsage({ rows, totals }: UsageReport, { groupBy, format }: RenderUsage): string {
  const report: Report = {
    group_by: groupBy.join(','),
    data: rows.map((row) => presentUsage(row, groupBy)),
    totals: presentUsageSums(totals),
  }
  return format === 'csv' ? toCsv(report) : JSON.stringify(report)
}

type Row = Report['data'][number]
const COUNTS = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'reasoning_tokens',
  'cache_write_tokens',
  'cost_usd',
  'errors',
  'unpriced_requests',
  'unpriced_tokens',
  'estimated_requests',
  'cache_hits',
] as const
const TIMES = ['latency_ms', 'first_token_ms'] as const
const SHARES = ['p50', 'p95', 'p99'] as const

function toCsv({ group_by, data }: Report): string {
  const groups = group_by.split(',')
  const times = TIMES.flatMap((name) => SHARES.map((share) => [name, share] as const))
  const head = [...groups, ...COUNTS, ...times.map(([name, share]) => `${share}_${name}`)]
  const line = (row: Row) => [
    ...groups.map((group) => row.keys[group] ?? null),
    ...COUNTS.map((name) => row[name]),
    ...times.map(([name, share]) => row[name][share]),
  ]
  return [head, ...data.map(line)].map(csvLine).join('')
}
