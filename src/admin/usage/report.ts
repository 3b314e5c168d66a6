import type { UsageGroup, UsageReportRow, UsageSums } from '../../store/store.ts'
import type { Reads } from '../frame/reads.ts'
import { type Names, readNames, tokenLabel } from '../names.ts'
import { isTime, type Question, type SortName } from './question.ts'

/** What stands for a value of a group: a name, and where it leads. */
export type Cell = { key: string | null; label: string; href: string | null; isKnown: boolean }
export type ReportRow = { cells: Cell[]; sums: UsageSums; share: number | null }
export type Report = {
  rows: ReportRow[]
  /** What the rows that are not shown come to, so that all adds up. */
  other: { sums: CountSums; share: number | null } | null
  totals: UsageSums
}
/** Percentiles of a rest are not known. */
export type CountSums = Omit<UsageSums, 'latencyMs' | 'firstTokenMs'>

/** The most expensive ones. Hours and days are shown whole: they are few, and a gap would say that nothing happened. */
const MAX_ROWS = 200
const MAX_TIMES = 1_200

export async function readReport(reads: Reads, { groups, filter, sort }: Question): Promise<Report> {
  const top = groups.every(isTime) ? MAX_TIMES : MAX_ROWS
  const { rows, totals } = await reads.usage({ groupBy: groups, filter, top })
  const names = await namesOf(reads, groups, rows)
  const shown = rows.map((row) => ({
    cells: row.keys.map((key, i) => toCell(groups[i]!, key, names)),
    sums: row,
    share: shareOf(row, totals),
  }))
  const rest = restOf(totals, rows)
  return {
    rows: sorted(shown, sort),
    other: rest.requests === 0 ? null : { sums: rest, share: shareOf(rest, totals) },
    totals,
  }
}

/** Of the rows of a report. */
export function namesOf(reads: Reads, groups: readonly UsageGroup[], rows: readonly UsageReportRow[]): Promise<Names> {
  const keyOf = (group: UsageGroup, { keys }: UsageReportRow) => keys[groups.indexOf(group)] ?? null
  return readNames(
    reads,
    rows.map((row) => ({
      tokenId: groups.includes('token') ? keyOf('token', row) : null,
      projectId: groups.includes('project') ? keyOf('project', row) : null,
    })),
  )
}

export function toCell(group: UsageGroup, key: string | null, { tokens, projects }: Names): Cell {
  if (key === null) return { key, label: 'none', href: null, isKnown: false }
  if (group === 'token') {
    const token = tokens.get(key)
    return token
      ? { key, label: tokenLabel(token), href: `/admin/tokens/${encodeURIComponent(key)}`, isKnown: true }
      : { key, label: key, href: null, isKnown: false }
  }
  if (group === 'project') {
    const project = projects.get(key)
    return project
      ? { key, label: project.name, href: `/admin/projects/${encodeURIComponent(key)}`, isKnown: true }
      : { key, label: key, href: null, isKnown: false }
  }
  if (group === 'hour') return { key, label: `${key.slice(0, 10)} ${key.slice(11, 16)}`, href: null, isKnown: true }
  return { key, label: group.startsWith('metadata.') ? plainJson(key) : key, href: null, isKnown: true }
}

const shareOf = ({ costNanoUsd }: Pick<UsageSums, 'costNanoUsd'>, totals: UsageSums) =>
  totals.costNanoUsd === 0n ? null : Number(costNanoUsd) / Number(totals.costNanoUsd)

const COUNTS = [
  'requests',
  'errors',
  'inputTokens',
  'outputTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'unpricedRequests',
  'unpricedTokens',
  'estimatedRequests',
  'cacheHits',
] as const

/** What is left of the totals without the rows. */
function restOf(totals: UsageSums, rows: readonly UsageSums[]): CountSums {
  const left = (name: (typeof COUNTS)[number]) => rows.reduce((rest, row) => rest - row[name], totals[name])
  return {
    ...(Object.fromEntries(COUNTS.map((name) => [name, left(name)])) as Record<(typeof COUNTS)[number], number>),
    costNanoUsd: rows.reduce((rest, row) => rest - row.costNanoUsd, totals.costNanoUsd),
  }
}

function sorted(rows: ReportRow[], { by, isUp }: Question['sort']): ReportRow[] {
  const name = ({ cells }: ReportRow) => cells.map(({ label }) => label).join('\n')
  const compare =
    by === 'name'
      ? (a: ReportRow, b: ReportRow) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0)
      : (a: ReportRow, b: ReportRow) => measured(by, a.sums) - measured(by, b.sums)
  return rows.toSorted((a, b) => (isUp ? compare(a, b) : compare(b, a)))
}

/** In one unit: dollars, requests, tokens, milliseconds. */
export function measured(measure: Exclude<SortName, 'name'>, sums: UsageSums): number {
  switch (measure) {
    case 'spend':
      return Number(sums.costNanoUsd) / 1e9
    case 'requests':
      return sums.requests
    case 'tokens':
      return sums.inputTokens + sums.outputTokens
    case 'errors':
      return sums.errors
    case 'latency':
      return sums.latencyMs.p50 ?? 0
  }
}

/** A text without its quotes. */
function plainJson(json: string): string {
  const value: unknown = JSON.parse(json)
  return typeof value === 'string' ? value : json
}
