import { formatUsd } from '../money.ts'
import { type Comparison, isDrift, type Line, percentApart, totalsOf } from '../usage/reconcile/compare.ts'
import type { Export, Measure } from '../usage/reconcile/export.ts'
import { timeNotes } from '../usage/reconcile/time-notes.ts'
import type { Io } from './io.ts'
import { printTable, say, styled } from './output.ts'
import { printable } from './text.ts'

export type Report = {
  format: string
  from: number
  to: number
  lines: Line[]
  drifts: Set<Line>
  tolerance: number
  notes: string[]
}

export function toReport(theirs: Export, comparison: Comparison, tolerance: number, now: number): Report {
  const { format, from, to, notes } = theirs
  const { lines } = comparison
  const drifts = new Set(lines.filter((line) => isDrift(line, tolerance)))
  return {
    format,
    from,
    to,
    lines,
    drifts,
    tolerance,
    notes: [...notes, ...timeNotes(theirs, now), ...ourNotes(comparison)],
  }
}

/** What is uncertain about our own side. */
function ourNotes({ lines, unpricedRequests, estimatedRequests }: Comparison): string[] {
  const tells = (isOne: (measure: Measure) => boolean) => lines.some(({ measure }) => isOne(measure))
  const notes: string[] = []
  if (unpricedRequests > 0 && tells((measure) => measure === 'costNanoUsd')) {
    notes.push(
      `${requests(unpricedRequests)} of ours without a price: not in our cost ("llm-proxy prices check" names the models).`,
    )
  }
  if (estimatedRequests > 0 && tells((measure) => measure !== 'requests')) {
    notes.push(`${requests(estimatedRequests)} of ours with estimated tokens, since the provider had not told them.`)
  }
  return notes
}

const requests = (count: number) => (count === 1 ? 'One request' : `${count} requests`)

/** For machines. */
export function presentReport({ format, from, to, lines, drifts, notes }: Report, all: boolean) {
  return {
    format,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    drifts: drifts.size,
    lines: lines
      .filter((line) => all || drifts.has(line))
      .map((line) => ({
        day: line.day,
        model: line.model,
        our_models: line.ourModels,
        their_models: line.theirModels,
        ...presentFigures(line),
        drift: drifts.has(line),
      })),
    totals: totalsOf(lines).map(presentFigures),
    notes,
  }
}

type Figures = Pick<Line, 'measure' | 'ours' | 'theirs'>

const presentFigures = ({ measure, ours, theirs }: Figures) => {
  const value = (amount: bigint) => (measure === 'costNanoUsd' ? formatUsd(amount) : Number(amount))
  return {
    what: FIELDS[measure],
    ours: value(ours),
    theirs: value(theirs),
    difference: value(ours - theirs),
    percent: percentApart({ ours, theirs }),
  }
}

const FIELDS: Record<Measure, string> = {
  requests: 'requests',
  inputTokens: 'input_tokens',
  cachedTokens: 'cached_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  outputTokens: 'output_tokens',
  costNanoUsd: 'cost_usd',
}

/** More than anyone reads, and than a table is quickly made of. */
const MAX_SHOWN = 500

/** For people. */
export function printReport(io: Io, report: Report, all: boolean): void {
  const { format, from, to, lines, drifts, notes, tolerance } = report
  const [first, last] = [from, to - 1].map((at) => new Date(at).toISOString().slice(0, 10))
  say(io, `${format}, ${first === last ? first : `${first} to ${last}`} (UTC)`)
  const wanted = lines.filter((line) => all || drifts.has(line))
  if (wanted.length > 0) printLines(io, wanted.slice(0, MAX_SHOWN), all ? drifts : null)
  if (wanted.length > MAX_SHOWN) say(io, `… and ${wanted.length - MAX_SHOWN} more: --json has them all.`)
  if (drifts.size === 0) say(io, `No figure is further apart than ${tolerance} %.`)
  say(io, `In all, ours and theirs: ${totalsOf(lines).map(totalText).join('; ') || 'nothing on either side'}.`)
  for (const note of notes) say(io, `Note: ${printable(note)}`)
}

/** `drifts`: those to mark; null where all are. */
function printLines(io: Io, lines: Line[], drifts: Set<Line> | null): void {
  const mark = (line: Line) => (drifts === null ? [] : drifts.has(line) ? styled(io, 'red', 'yes') : 'no')
  printTable(
    io,
    ['DAY', 'MODEL', 'WHAT', 'OURS', 'THEIRS', 'DIFFERENCE', '%', ...(drifts === null ? [] : ['DRIFT'])],
    lines.map((line) => [line.day, modelText(line), ...cells(line), mark(line)].flat()),
  )
}

const WORDS: Record<Measure, string> = {
  requests: 'requests',
  inputTokens: 'input tokens',
  cachedTokens: 'cached tokens',
  cacheWriteTokens: 'cache writes',
  outputTokens: 'output tokens',
  costNanoUsd: 'cost (USD)',
}

function cells(figures: Figures): string[] {
  const { ours, theirs, difference, percent } = presentFigures(figures)
  const signed = figures.ours > figures.theirs ? `+${difference}` : String(difference)
  return [WORDS[figures.measure], String(ours), String(theirs), signed, percentText(percent)]
}

const percentText = (percent: number | null) => (percent === null ? '' : percent > 0 ? `+${percent}` : String(percent))

/** Ours, with theirs in brackets where they have other names for it. */
function modelText({ model, allModels, ourModels, theirModels }: Line): string | null {
  if (model === null) return allModels ? 'all' : null
  const [ours, theirs] = [printable(ourModels.join(', ')), printable(theirModels.join(', '))]
  return ours === '' || theirs === '' || ours === theirs ? ours || theirs : `${ours} (${theirs})`
}

function totalText(figures: Figures): string {
  const { ours, theirs, percent } = presentFigures(figures)
  const apart = percent === null || percent === 0 ? '' : ` (${percentText(percent)} %)`
  return `${WORDS[figures.measure]} ${ours} and ${theirs}${apart}`
}
