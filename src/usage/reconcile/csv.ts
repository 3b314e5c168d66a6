import { ExportError } from './export.ts'

export type CsvLine = { line: number; cells: string[] }
export type Csv = { delimiter: string; lines: CsvLine[] }

const DELIMITERS = [',', ';', '\t', '|']

/**
 * A table as text (RFC 4180), with whichever delimiter its first line has most of. Empty lines are left out; `line` counts from 1. Throws
 * `ExportError`.
 */
export function parseCsv(text: string): Csv {
  const delimiter = delimiterOf(text)
  const lines: CsvLine[] = []
  for (let at = 0, line = 1; at < text.length; ) {
    const { cells, end, height } = readLine(text, at, delimiter, line)
    if (cells.some((cell) => cell.trim() !== '')) lines.push({ line, cells })
    at = end + 1
    line += height
  }
  return { delimiter, lines }
}

/** The line that begins there. `end` is where its line feed stands; a quoted cell may have others in it, which `height` counts. */
function readLine(text: string, start: number, delimiter: string, line: number) {
  const end = endOfLine(text, start)
  const plain = text.slice(start, end)
  if (!plain.includes('"')) return { cells: withoutReturn(plain).split(delimiter), end, height: 1 }
  const cells: string[] = []
  for (let at = start, height = 1; ; ) {
    const close = text[at] === '"' ? closingQuote(text, at, line) : null
    const from = close === null ? at : close + 1
    const next = nearest(text, from, delimiter)
    const rest = withoutReturn(text.slice(from, next))
    if (close !== null && rest.trim() !== '') {
      throw new ExportError(`Line ${line}: after the quote that closes a cell another cell has to begin.`)
    }
    const cell = close === null ? rest : text.slice(at + 1, close).replaceAll('""', '"')
    cells.push(cell)
    height += close === null ? 0 : cell.split('\n').length - 1
    if (text[next] !== delimiter) return { cells, end: next, height }
    at = next + 1
  }
}

function closingQuote(text: string, start: number, line: number): number {
  let at = text.indexOf('"', start + 1)
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  if (at === -1) throw new ExportError(`Line ${line}: a quote opens and is never closed.`)
  return at
}

function endOfLine(text: string, start: number): number {
  const at = text.indexOf('\n', start)
  return at === -1 ? text.length : at
}

/** Where the cell's delimiter stands, or its line's end. */
function nearest(text: string, start: number, delimiter: string): number {
  const end = endOfLine(text, start)
  const at = text.slice(start, end).indexOf(delimiter)
  return at === -1 ? end : start + at
}

const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line)

function delimiterOf(text: string): string {
  const [head = ''] = text.trimStart().split('\n', 1)
  const plain = head.replace(/"[^"]*"/g, '')
  const counts = DELIMITERS.map((delimiter) => plain.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!
}
