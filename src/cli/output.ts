import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { Io } from './io.ts'

type Cell = string | number | null | undefined
type Out = Pick<Io, 'stdout'>

export function say({ stdout }: Out, line = ''): void {
  stdout.write(`${line}\n`)
}

/** For machines: what the management API would answer. */
export const printJson = (io: Out, value: unknown) => say(io, JSON.stringify(value, null, 2))

/** For people: columns below their titles. */
export function printTable(io: Out, titles: string[], rows: Cell[][]): void {
  printRows(io, [titles.map((title) => styled(io, 'bold', title)), ...rows.map((row) => row.map(toText))])
}

/** For people: one thing, a line for each of its fields. */
export function printRecord(io: Out, fields: [name: string, value: Cell][]): void {
  printRows(
    io,
    fields.map(([name, value]) => [styled(io, 'bold', name), toText(value)]),
  )
}

type Style = 'bold' | 'green' | 'yellow' | 'red' | 'dim'

/** Coloured on a terminal that wants it (`NO_COLOR`). */
export const styled = ({ stdout }: Out, style: Style, text: string) =>
  stdout.isTTY ? styleText(style, text, { stream: stdout }) : text

/** `2027-01-01T00:00:00.000Z` → `2027-01-01T00:00:00Z` */
export const shortTime = (time: string) => time.replace(/\.\d+Z$/, 'Z')

const NONE = '–'
const toText = (cell: Cell) =>
  cell === null || cell === undefined || cell === '' ? NONE : typeof cell === 'string' ? cell : String(cell)

const NO_LINES = {
  ...Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map(noChar),
  ),
  ...Object.fromEntries(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'].map(noChar)),
  middle: '  ',
}

function noChar(name: string): [string, string] {
  return [name, '']
}

function printRows(io: Out, rows: string[][]): void {
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  table.push(...rows)
  for (const line of table.toString().split('\n')) say(io, line.trimEnd())
}
