import { anthropicCosts } from './anthropic-costs.ts'
import { anthropicUsage } from './anthropic-usage.ts'
import { readCsvExport } from './csv-export.ts'
import { type Export, ExportError } from './export.ts'
import { readJsonDocuments } from './json-documents.ts'
import { openAiCosts } from './openai-costs.ts'
import { openAiUsage } from './openai-usage.ts'
import type { Page, PageReader } from './pages.ts'

const READERS: PageReader[] = [openAiUsage, openAiCosts, anthropicUsage, anthropicCosts]

/**
 * What a provider's file says: one export for each format in it, since usage and costs may come in one file. The format is seen by the
 * content. Throws `ExportError`.
 */
export function readExport(bytes: Uint8Array): Export[] {
  const text = decode(bytes)
  if (text.trim() === '') throw new ExportError('The file is empty.')
  if (/^\s*[{[]/.test(text)) return readPages(readJsonDocuments(text).flat())
  const table = readCsvExport(text)
  if (table === null) throw new ExportError(`It is no export that is known. ${ACCEPTED}`)
  return withFigures([table])
}

const ACCEPTED =
  'Accepted are the JSON answers of OpenAI (/v1/organization/usage/…, /v1/organization/costs) and of Anthropic ' +
  '(/v1/organizations/usage_report/messages, …/cost_report), and tables (CSV) whose first line names a column of days and at least one of ' +
  'requests, tokens or costs.'

/** UTF-8, or UTF-16 as spreadsheets save it. */
function decode(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new ExportError(`It is not text in UTF-8. ${ACCEPTED}`, { cause })
  }
}

function readPages(given: unknown[]): Export[] {
  const readers = readersOf(given)
  const pages = given.map((page, i) => {
    try {
      return { reader: readers[i]!, page: readers[i]!.read(page) }
    } catch (error) {
      if (!(error instanceof ExportError) || given.length === 1) throw error
      throw new ExportError(`Page ${i + 1}: ${error.message}`, { cause: error })
    }
  })
  return withFigures(
    READERS.flatMap((reader) => {
      const own = pages.flatMap((one) => (one.reader === reader ? one.page : []))
      return join(reader, own) ?? []
    }),
  )
}

/** A page without a result does not show its format: it has that of the one before, or after it. */
function readersOf(pages: unknown[]): PageReader[] {
  const seen = pages.map(readerOf)
  const found = seen.find((reader) => reader !== null)
  if (!found)
    throw new ExportError('The export is empty: nothing was used in its time, so there is nothing to compare.')
  let last = found
  return seen.map((reader) => {
    last = reader ?? last
    return last
  })
}

/** Null for a page without results. Throws `ExportError` for what is no page. */
function readerOf(page: unknown, index: number): PageReader | null {
  const { data } = Object(page) as { data?: unknown }
  const buckets = Array.isArray(data) ? data.map((bucket) => (Object(bucket) as { results?: unknown }).results) : null
  const unknown = () =>
    new ExportError(`${index > 0 ? `Page ${index + 1}: it` : 'It'} is no export that is known. ${ACCEPTED}`)
  if (buckets === null || !buckets.every(Array.isArray)) throw unknown()
  const [result] = buckets.flat()
  if (result === undefined) return null
  const reader = READERS.find(({ reads }) => reads(Object(result) as Record<string, unknown>))
  if (!reader) throw unknown()
  return reader
}

/** Null when the pages have no time: there are none, or all are empty. */
function join({ format, provider }: PageReader, pages: Page[]): Export | null {
  const times = pages.flatMap(({ time }) => time ?? [])
  if (times.length === 0) return null
  const from = times.map((time) => time.from).reduce((a, b) => Math.min(a, b))
  const to = times.map((time) => time.to).reduce((a, b) => Math.max(a, b))
  const kinds = new Set(pages.flatMap((page) => [...page.kinds]))
  const notes = new Set(pages.flatMap((page) => [...page.notes]))
  const isLast = ({ time }: Page) => time === null || !times.some(({ from }) => from >= time.to)
  if (pages.some((page) => page.hasMore && isLast(page))) notes.add(MORE_PAGES)
  return {
    format,
    provider,
    from,
    to,
    days: new Set(pages.flatMap(({ days }) => [...days])),
    rows: pages.flatMap(({ rows }) => rows),
    kinds: kinds.size > 0 ? kinds : null,
    notes: [...notes],
  }
}

const MORE_PAGES =
  'The provider has more pages than there are in the file (has_more): ask for them with next_page, or for more at once with limit.'

/** Throws `ExportError` when not one of them tells of anything. */
function withFigures(exports: Export[]): Export[] {
  const told = exports.filter(({ rows }) => rows.length > 0)
  if (told.length > 0) return told
  const notes = exports.flatMap(({ notes }) => notes)
  throw new ExportError(['The export has no figures: there is nothing to compare.', ...notes].join(' '))
}
