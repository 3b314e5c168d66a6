import { type Export, type ExportRow, type Figures, MEASURES, type Measure } from './export.ts'
import { kindOf } from './kinds.ts'
import { matchNames } from './model-names.ts'

/** What the ledger has of a day, model and endpoint. */
export type LedgerSums = Figures & {
  day: string
  /** As it was asked for; null where the request named none. */
  model: string | null
  endpoint: string
  unpricedRequests: number
  estimatedRequests: number
}

/** One figure of a model's day, from both sides. */
export type Line = {
  day: string
  /** Null: all models together, or what has none. */
  model: string | null
  /** The export does not tell models apart. */
  allModels: boolean
  ourModels: string[]
  theirModels: string[]
  measure: Measure
  ours: bigint
  theirs: bigint
  /** So far apart the two may be because theirs is rounded. */
  rounding: bigint
}

export type Comparison = { lines: Line[]; unpricedRequests: number; estimatedRequests: number }

/**
 * Every figure that the export tells, beside ours, by day and model: also those that only one side has. A figure that the export does not
 * tell at all, or not of this model's day, is not compared; one that it tells without models is compared by day.
 */
export function compare(theirs: Export, ledger: LedgerSums[], provider: string): Comparison {
  const their = addUp(theirs.rows)
  const groupOf = matchNames(provider, namesOf(ledger), namesOf(their))
  const named = new Set(Array.from(namesOf(their), groupOf))
  const ours = ledger.filter(
    ({ endpoint, model }) =>
      theirs.kinds === null || theirs.kinds.has(kindOf(endpoint)) || (model !== null && named.has(groupOf(model))),
  )
  const our = addUp(ours)
  const lines = MEASURES.flatMap((measure) => linesOf(measure, our, their, groupOf))
  return {
    lines: lines.sort((a, b) => compareTexts(a.day, b.day) || compareTexts(a.model ?? '', b.model ?? '')),
    unpricedRequests: total(ours.map(({ unpricedRequests }) => unpricedRequests)),
    estimatedRequests: total(ours.map(({ estimatedRequests }) => estimatedRequests)),
  }
}

/** What one side has of a measure, by day and group. */
type Sides = { day: string; model: string | null; ours: Side; theirs: Side }
type Side = { models: Set<string>; sum: bigint; rounding: bigint; isTold: boolean; isThere: boolean }

function linesOf(measure: Measure, our: Sums[], their: Sums[], groupOf: (name: string) => string): Line[] {
  const told = their.filter(({ figures }) => figures[measure] !== undefined)
  if (told.length === 0) return []
  const byModel = told.some(({ model }) => model !== null)
  const found = new Map<string, Sides>()
  const add = (side: 'ours' | 'theirs', { day, model, figures, rounding }: Sums) => {
    const group = byModel && model !== null ? groupOf(model) : null
    const key = `${day}\n${group ?? ''}`
    const sides = found.get(key) ?? { day, model: group, ours: emptySide(), theirs: emptySide() }
    found.set(key, sides)
    const own = sides[side]
    own.isThere = true
    own.isTold ||= figures[measure] !== undefined
    own.sum += figures[measure] ?? 0n
    if (measure === 'costNanoUsd') own.rounding += rounding
    if (byModel && model !== null) own.models.add(model)
  }
  for (const sums of our) add('ours', sums)
  for (const sums of their) add('theirs', sums)
  return Array.from(found.values()).flatMap(({ day, model, ours, theirs }) => {
    const isSilent = model !== null && theirs.isThere && !theirs.isTold
    if (isSilent || (ours.sum === 0n && theirs.sum === 0n)) return []
    return {
      day,
      model,
      allModels: !byModel,
      ourModels: [...ours.models],
      theirModels: [...theirs.models],
      measure,
      ours: ours.sum,
      theirs: theirs.sum,
      rounding: theirs.rounding,
    }
  })
}

const emptySide = (): Side => ({ models: new Set(), sum: 0n, rounding: 0n, isTold: false, isThere: false })

/** The rows of a day and model as one, in integers that cannot overflow. */
type Sums = { day: string; model: string | null; figures: Partial<Record<Measure, bigint>>; rounding: bigint }

function addUp(rows: ExportRow[]): Sums[] {
  const groups = new Map<string, Sums>()
  for (const row of rows) {
    const key = `${row.day}\n${row.model ?? ''}`
    let group = groups.get(key)
    if (!group) {
      group = { day: row.day, model: row.model, figures: {}, rounding: 0n }
      groups.set(key, group)
    }
    group.rounding += row.roundingNanoUsd ?? 0n
    for (const measure of MEASURES) {
      const told = row[measure]
      if (told !== undefined) group.figures[measure] = (group.figures[measure] ?? 0n) + BigInt(told)
    }
  }
  return [...groups.values()]
}

const namesOf = (rows: { model: string | null }[]) => new Set(rows.flatMap(({ model }) => model ?? []))
const total = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0)
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** The same figures over all lines. */
export function totalsOf(lines: Line[]): Pick<Line, 'measure' | 'ours' | 'theirs'>[] {
  return MEASURES.flatMap((measure) => {
    const own = lines.filter((line) => line.measure === measure)
    const sum = (side: 'ours' | 'theirs') => own.reduce((all, line) => all + line[side], 0n)
    return own.length === 0 ? [] : { measure, ours: sum('ours'), theirs: sum('theirs') }
  })
}

/** Percent as millionths: 0.5 % is 500,000. */
const MILLIONTHS = 1_000_000

/** Whether the two are further apart than this share of theirs, which is the bill. What theirs does not have at all is always too far. */
export function isDrift(
  { ours, theirs, rounding }: Pick<Line, 'ours' | 'theirs' | 'rounding'>,
  tolerancePercent: number,
) {
  const apart = absolute(ours - theirs)
  if (apart <= rounding) return false
  return (
    theirs === 0n ||
    apart * BigInt(100 * MILLIONTHS) > absolute(theirs) * BigInt(Math.round(tolerancePercent * MILLIONTHS))
  )
}

const absolute = (value: bigint) => (value < 0n ? -value : value)

/** Ours against theirs; null where they have nothing. */
export const percentApart = ({ ours, theirs }: Pick<Line, 'ours' | 'theirs'>): number | null =>
  theirs === 0n ? null : Math.round((Number(ours - theirs) / Math.abs(Number(theirs))) * 10_000) / 100
