import type { CsvCell } from '../../csv.ts'
import { everyPage } from '../../domain/every-page.ts'
import { presentRequest } from '../../domain/present.ts'
import type { LedgerRow, Page, RequestFilter } from '../../store/store.ts'
import type { Csv } from '../frame/page.ts'
import type { Reads } from '../frame/reads.ts'
import { type Names, readNames } from '../names.ts'

/** As many as a spreadsheet is pleasant with; the API gives all, page by page. */
export const MAX_CSV_ROWS = 5_000
/** Read so many at a time, so that nobody else waits long. */
const AT_ONCE = 500

/** The newest requests of the filter, `MAX_CSV_ROWS` at the most. */
export async function requestsCsv(reads: Reads, filter: RequestFilter): Promise<Csv> {
  const list = (page: Page) => reads.requests(filter, page)
  const rows = await everyPage(list, ({ requestId }) => requestId, { limit: AT_ONCE, most: MAX_CSV_ROWS })
  const names = await readNames(reads, rows)
  return { name: 'requests', columns: COLUMNS, rows: rows.map((row) => toCells(row, names)) }
}

const COLUMNS = [
  'at',
  'id',
  'status',
  'error',
  'project_id',
  'project',
  'token_id',
  'token',
  'method',
  'endpoint',
  'model',
  'served_model',
  'provider',
  'stream',
  'cache',
  'attempts',
  'latency_ms',
  'first_token_ms',
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'cost_usd',
  'price_source',
  'changes',
  'request_bytes',
  'response_bytes',
]

function toCells(row: LedgerRow, { tokens, projects }: Names): CsvCell[] {
  const shown = presentRequest(row)
  const { usage } = shown
  return [
    shown.at,
    shown.id,
    shown.status,
    shown.error,
    shown.project_id,
    projects.get(row.projectId ?? '')?.name ?? null,
    shown.token_id,
    tokens.get(row.tokenId ?? '')?.name ?? null,
    shown.method,
    shown.endpoint,
    shown.model,
    shown.served_model,
    shown.provider,
    shown.stream,
    shown.cache,
    shown.attempts.length,
    shown.latency_ms,
    shown.first_token_ms,
    usage.input_tokens,
    usage.cached_tokens,
    usage.cache_write_tokens,
    usage.output_tokens,
    usage.reasoning_tokens,
    usage.source,
    shown.cost_usd,
    shown.price_source,
    shown.changes.join(' '),
    shown.request_bytes,
    shown.response_bytes,
  ]
}
