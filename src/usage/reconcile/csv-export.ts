import { toCount, toDecimal, toNanoUsd } from './amounts.ts'
import { type CsvLine, parseCsv } from './csv.ts'
import { columnName } from './csv-columns.ts'
import { parseDay } from './days.ts'
import { DAY_MS, type Export, ExportError, type ExportRow, MEASURES } from './export.ts'
import { type Columns, findColumns, kindsOf } from './find-columns.ts'
import { modelOfLine } from './openai-costs.ts'

/**
 * A table whose first line names its columns: one for the day, at least one for requests, tokens or costs; each day counts as a whole. Null
 * when none of its columns is known. Throws `ExportError` with what is missing, or the line that is wrong.
 */
export function readCsvExport(text: string): Export | null {
  const { delimiter, lines } = parseCsv(text)
  const [head, ...body] = lines
  if (head === undefined) return null
  const titles = head.cells.map((title) => title.trim())
  const names = titles.map(columnName)
  const columns = findColumns(names)
  const figures = [columns.cost ?? [], ...Object.values(columns.counts)].flat()
  if (columns.day === null && figures.length === 0) return null
  requireColumns(columns, figures, titles)
  const counts = Object.entries(columns.counts) as Table['counts']
  const table: Table = { ...columns, day: columns.day!, counts, titles, decimalComma: delimiter === ';' }
  const rows = body.map((line) => readRow(table, line))
  if (rows.length === 0) throw new ExportError('The table has no line below the names of its columns.')
  const days = new Set(rows.map(({ day }) => day))
  const times = Array.from(days, (day) => Date.parse(day))
  const read = [columns.day, columns.model ?? columns.lineItem, ...figures].filter((at) => at !== null)
  return {
    format: 'CSV',
    provider: null,
    from: times.reduce((a, b) => Math.min(a, b)),
    to: times.reduce((a, b) => Math.max(a, b)) + DAY_MS,
    days,
    rows: rows.filter((row) => MEASURES.some((measure) => row[measure] !== undefined)),
    kinds: kindsOf(names),
    notes: [`Columns that were read: ${Array.from(new Set(read), (at) => titles[at]).join(', ')}.`],
  }
}

type Table = Omit<Columns, 'day' | 'counts'> & {
  day: number
  counts: [keyof Columns['counts'], number[]][]
  titles: string[]
  decimalComma: boolean
}

function requireColumns({ day }: Columns, figures: number[], titles: string[]): void {
  const missing =
    day === null
      ? 'of days (day, date, start_time …)'
      : figures.length === 0 && 'of requests, tokens or costs (cost_usd …)'
  if (missing) throw new ExportError(`The table has no column ${missing}: its columns are ${titles.join(', ')}.`)
}

function readRow(table: Table, { line, cells }: CsvLine): ExportRow {
  const { titles, decimalComma } = table
  const cell = (at: number | null) => (at === null ? '' : (cells[at]?.trim() ?? ''))
  const wrong = (at: number, what: string) => new ExportError(`Line ${line}, ${titles[at]}: ${what}.`)
  if (cells.length !== titles.length) {
    throw new ExportError(`Line ${line} has ${cells.length} cells, the first line has ${titles.length}.`)
  }
  const day = parseDay(cell(table.day))
  if (day === null) throw wrong(table.day, 'it is not a day: write it as 2026-11-21')
  const row: ExportRow = { day, model: cell(table.model) || modelOfLine(cell(table.lineItem)) }
  for (const [measure, places] of table.counts) {
    const told = places.filter((at) => cell(at) !== '')
    if (told.length > 0) row[measure] = told.reduce((sum, at) => sum + readCount(at), 0)
  }
  if (table.cost !== null && cell(table.cost) !== '') Object.assign(row, readCost(table.cost))
  return row

  function readCount(at: number): number {
    const count = toCount(toDecimal(cell(at), decimalComma) ?? '')
    if (count === null) throw wrong(at, 'it is not a whole number')
    return count
  }

  function readCost(at: number): Pick<ExportRow, 'costNanoUsd' | 'roundingNanoUsd'> {
    const currency = cell(table.currency)
    if (!/^(?:usd)?$/i.test(currency)) throw wrong(table.currency!, 'only US dollars can be compared')
    const decimal = toDecimal(cell(at), decimalComma)
    const costNanoUsd = decimal === null ? null : toNanoUsd(decimal)
    if (decimal === null || costNanoUsd === null) throw wrong(at, 'it is not an amount of dollars')
    const isInCents = /^-?\d+(?:\.\d{0,2})?$/.test(decimal)
    return { costNanoUsd, ...(isInCents && { roundingNanoUsd: HALF_A_CENT }) }
  }
}

const HALF_A_CENT = 5_000_000n
